"""The life of the demo edge node on a real mosquitto, as a subscriber and an independent decoder see it."""

import pathlib
import signal
import subprocess
import tempfile
import unittest

from harness import HERE, TOOL, Broker, Edge, Subscriber
from rules import check_stream

PROTO = HERE.parent.parent / "proto" / "sparkplug_b.proto"
DATA = {"NDATA", "DDATA"}


def command(text):
    """A command payload, made by protoc and not by us."""
    made = subprocess.run(
        ["protoc", f"--proto_path={PROTO.parent}", "--encode=org.eclipse.tahu.protobuf.Payload", PROTO.name],
        input=text.encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return made.stdout


REBIRTH = command('timestamp: 1 metrics { name: "Node Control/Rebirth" timestamp: 1 datatype: 11 boolean_value: true }')


class LifeTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.host = self.subscribe()

    def subscribe(self):
        host = Subscriber(self.broker)
        self.addCleanup(host.close)
        return host

    def edge(self, *options, **more):
        edge = Edge(self.broker, *options, **more)
        self.addCleanup(edge.close)
        return edge

    def test_full_life(self):
        edge = self.edge()
        self.host.wait_kind("NDATA", self.host.wait_kind("DDATA"))
        edge.stop()
        death = self.host.wait_kind("NDEATH")
        messages = self.host.messages[: death + 1]
        self.assertEqual([message.kind for message in messages[:2]], ["NBIRTH", "DBIRTH"])
        check_stream(self, messages)
        birth = messages[0]
        aliases = [metric["alias"] for m in messages[:2] for metric in m.decoded["metrics"] if "alias" in metric]
        self.assertEqual(len(aliases), len(set(aliases)), "tck-id-payloads-alias-uniqueness")
        self.assertGreater(birth.value("System/Memory/Total") or 0, 0)
        self.assertEqual(messages[1].device, "PLC-1")

    def test_seq_wraps_from_255_to_0(self):
        edge = self.edge("--duration", 60, interval_ms=100)
        seen = self.host.wait(lambda m: m.kind in DATA and m.seq == 255, "seq 255", timeout=60)
        self.host.wait(lambda m: m.kind in DATA and m.seq == 0, "seq 0", seen)
        edge.stop()
        check_stream(self, self.host.messages[: self.host.wait_kind("NDEATH") + 1])

    def test_killed_process_leaves_a_death(self):
        edge = self.edge()
        self.host.wait_kind("DDATA")
        edge.kill()
        death = self.host.wait_kind("NDEATH")
        check_stream(self, self.host.messages[: death + 1])
        self.assertEqual(self.host.messages[death].qos, 1, "tck-id-payloads-ndeath-will-message-qos")

    def test_bdseq_goes_on_after_kill_with_a_store(self):
        with tempfile.TemporaryDirectory() as directory:
            store = pathlib.Path(directory) / "edge.spb"
            start, numbers = 0, []
            for _ in range(3):
                edge = self.edge("--store", store)
                birth = self.host.wait_kind("NBIRTH", start)
                numbers.append(self.host.messages[birth].value("bdSeq"))
                edge.kill()
                start = self.host.wait_kind("NDEATH", birth) + 1
        self.assertEqual(numbers, [0, 1, 2])
        check_stream(self, self.host.messages)

    def test_broker_restart(self):
        edge = self.edge()
        self.host.wait_kind("DDATA")
        before = self.host.messages[0].value("bdSeq")
        # The node sleeps while the broker changes, so that the new subscriber is there first and sees everything.
        edge.process.send_signal(signal.SIGSTOP)
        self.broker.restart()
        host = self.subscribe()
        edge.process.send_signal(signal.SIGCONT)
        host.wait_kind("DDATA")
        edge.stop()
        messages = host.messages[: host.wait_kind("NDEATH") + 1]
        self.assertEqual([message.kind for message in messages[:2]], ["NBIRTH", "DBIRTH"], "nothing before the births")
        self.assertEqual(messages[0].value("bdSeq"), before + 1)
        check_stream(self, messages)

    def test_rebirth_request(self):
        edge = self.edge()
        start = self.host.wait_kind("DDATA")
        self.broker.publish(edge.topic("NCMD"), REBIRTH)
        birth = self.host.wait_kind("NBIRTH", start)
        self.host.wait_kind("DDATA", birth)
        edge.stop()
        death = self.host.wait_kind("NDEATH", birth)
        messages = self.host.messages[: death + 1]
        self.assertEqual(messages[birth].value("bdSeq"), messages[0].value("bdSeq"))
        self.assertEqual(messages[birth + 1].kind, "DBIRTH")
        self.assertEqual([m.kind for m in messages].count("NDEATH"), 1, "a rebirth is no death")
        self.assertEqual(self.broker.log.read_text().count("New client connected from"), self.connections_of_tests() + 1)
        check_stream(self, messages)

    def connections_of_tests(self):
        """Everybody but the edge node: the log names the client of each connection."""
        lines = [line for line in self.broker.log.read_text().splitlines() if "New client connected from" in line]
        return len([line for line in lines if " as Plant1-Edge1 " not in line])

    def test_setpoint_command(self):
        edge = self.edge()
        self.host.wait_kind("DDATA")
        write = command('timestamp: 1 metrics { name: "Setpoint" timestamp: 1 datatype: 10 double_value: 42.5 }')
        self.broker.publish(edge.topic("DCMD", "PLC-1"), write)
        at = self.host.wait(lambda m: m.kind == "DDATA" and m.value("Setpoint") == 42.5, "the new setpoint")
        first = self.host.messages[1].value("Temperature")

        def follows(message):
            return message.kind == "DDATA" and message.value("Temperature") is not None and message.value("Temperature") < first

        if first > 42.5:
            self.host.wait(follows, "a falling temperature", at)
        outside = command('timestamp: 1 metrics { name: "Setpoint" timestamp: 1 datatype: 10 double_value: 1e6 }')
        self.broker.publish(edge.topic("DCMD", "PLC-1"), outside)
        self.broker.publish(edge.topic("DCMD", "PLC-1"), b"\xff\xff garbage")
        self.broker.publish(edge.topic("NCMD"), b"\x12\xff\xff\xff\xff\x0f")
        self.broker.publish(edge.topic("DCMD", "PLC-1"), write)
        self.host.wait(lambda m: m.kind == "DDATA" and m.value("Setpoint") == 42.5, "the setpoint again", at + 1)
        self.assertNotIn(1e6, [m.value("Setpoint") for m in self.host.messages if m.kind == "DDATA"])
        edge.stop()
        check_stream(self, self.host.messages[: self.host.wait_kind("NDEATH") + 1])

    def test_a_password_file_that_others_can_read_is_named(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "password"
            path.write_text("secret\n")
            for mode, warnings in ((0o644, 1), (0o600, 0)):
                path.chmod(mode)
                start = len(self.host.messages)
                edge = self.edge("--user", "edge", "--password-file", path)
                self.host.wait_kind("DDATA", start)
                named = f"spb: warning: password_file {path}: every user of this machine can read it (mode 0644)"
                lines = edge.output().splitlines()
                self.assertEqual(lines.count(named), warnings, lines)
                edge.stop()
                self.host.wait_kind("NDEATH", start)
                done = subprocess.run(
                    [TOOL, "watch", "--broker", self.broker.uri, "--user", "edge", "--password-file", str(path)]
                    + ["--plain", "--duration", "1"],
                    capture_output=True,
                    text=True,
                    timeout=30,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr.count(f"password_file {path}: every user"), warnings, done.stderr)

    def test_a_file_with_the_password_of_a_key_is_looked_at_as_well(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "password"
            path.write_text("secret\n")
            for mode, words in ((0o644, "every user of this machine can read it"), (0o660, "others can change it"), (0o640, None)):
                path.chmod(mode)
                edge = Edge(self.broker, "--key-password-file", path)  # without a certificate it goes no further
                self.addCleanup(edge.close)
                edge.expect_end(2)
                named = f"spb: warning: --key-password-file {path}: {words} (mode {mode:04o})\n"
                self.assertEqual(edge.output().count("warning"), 1 if words else 0)
                self.assertTrue(not words or named in edge.output(), edge.output())

    def test_bad_options_are_refused(self):
        wrong = {("--interval", "0"): "0", ("--interval", "soon"): "soon", ("--group", "a/b"): "group ID"}
        wrong |= {("--broker", "ftp://x"): "ftp://x", ("--what",): "--what"}
        for options, named in wrong.items():
            edge = Edge(self.broker, *options)
            self.addCleanup(edge.close)
            edge.expect_end(2)
            self.assertIn(named, edge.output())


if __name__ == "__main__":
    unittest.main()
