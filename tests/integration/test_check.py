"""Our own node passes: all that it says in every situation, captured on its way, breaks no rule of `spb check`."""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness import HERE, PATIENCE_S, Broker, Edge, Program, Subscriber, tool
from proxy import UP, Proxy
from test_life import REBIRTH, command

sys.path.insert(0, str(HERE.parent / "capture"))
import make_pcap as make  # noqa: E402

SETPOINT = 'timestamp: 1700000000000 metrics {{ alias: {alias} timestamp: 1700000000000 double_value: 99 }}'
ASK = command('timestamp: 1700000000000 metrics { name: "Node Control/Rebirth" timestamp: 1700000000000 boolean_value: true }')


class Recorder:
    """What goes through a proxy, as a capture."""

    def __init__(self):
        self.wire = make.Wire()
        self.lock = threading.Lock()
        self.links = {}

    def __call__(self, link, direction, data):
        with self.lock:
            self.wire.now = max(self.wire.now, time.time_ns() // 1000)
            if link not in self.links:
                self.links[link] = self.wire.connection(40001 + len(self.links))
            self.links[link].send(0 if direction == UP else 1, data)

    def pcap(self):
        with self.lock:
            return make.pcap(self.wire.packets)


class OwnNode(unittest.TestCase):
    options = ()

    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.host = self.subscribe()
        self.recorder = Recorder()
        self.proxy = Proxy(self.broker.port, self.recorder)
        self.addCleanup(self.proxy.close)

    def subscribe(self):
        host = Subscriber(self.broker)
        self.addCleanup(host.close)
        return host

    def edge(self, *options):
        edge = Edge(self.proxy, "--reconnect", 1, *self.options, *options)
        self.addCleanup(edge.close)
        return edge

    def publish(self, topic, content):
        """As a host does, on a connection that is captured, too."""
        subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.proxy.port), "-t", topic, "-s"], input=content,
                       check=True, timeout=PATIENCE_S)

    def assert_right(self, least):
        done = tool("check", "--all", input=self.recorder.pcap(), text=False)
        self.assertEqual(done.stderr, b"", done.stdout.decode())
        messages = int(done.stdout.split()[0])
        self.assertEqual(done.stdout, b"%d messages, 0 findings\n" % messages)
        self.assertGreater(messages, least)

    def alias_of(self, name):
        births = [message for message in self.host.messages if message.kind == "DBIRTH"]
        return births[-1].metric(name)["alias"]

    def test_births_data_commands_and_a_stop(self):
        edge = self.edge()
        self.host.wait_kind("NDATA", self.host.wait_kind("DDATA"))
        self.publish(edge.topic("DCMD", "PLC-1"), command(SETPOINT.format(alias=self.alias_of("Setpoint"))))
        for _ in range(2):
            start = len(self.host.messages)
            self.publish(edge.topic("NCMD"), ASK)
            self.host.wait_kind("NDATA", self.host.wait_kind("DBIRTH", self.host.wait_kind("NBIRTH", start)))
        edge.stop()
        self.host.wait_kind("NDEATH")
        self.assert_right(6)

    def test_links_that_break(self):
        edge = self.edge()
        for _ in range(3):
            self.host.wait_kind("DDATA", len(self.host.messages))
            start = len(self.host.messages)
            self.proxy.reset()
            self.host.wait_kind("DDATA", self.host.wait_kind("NBIRTH", start))
        edge.stop()
        self.assertGreater(len(self.recorder.links), 3)
        self.assert_right(12)

    def test_a_broker_that_restarts(self):
        edge = self.edge()
        self.host.wait_kind("DDATA")
        self.broker.restart()
        self.host = self.subscribe()
        self.host.wait_kind("DDATA", self.host.wait_kind("NBIRTH"))
        edge.stop()
        self.assert_right(5)

    def test_kill_and_restart(self):
        with tempfile.TemporaryDirectory() as scratch:
            store = pathlib.Path(scratch) / "node.spb"
            for _ in range(3):
                edge, start = self.edge("--store", store), len(self.host.messages)
                self.host.wait_kind("DDATA", self.host.wait_kind("NBIRTH", start))
                edge.kill()
                self.host.wait_kind("NDEATH", start)
            for _ in range(2):  # without a store it begins with 0 each time
                edge, start = self.edge(), len(self.host.messages)
                self.host.wait_kind("DDATA", self.host.wait_kind("NBIRTH", start))
                edge.kill()
                self.host.wait_kind("NDEATH", start)
        self.assert_right(12)

    def test_a_primary_host_that_goes(self):
        edge = self.edge("--primary-host", "scada")
        for online in (True, False, True):
            state = json.dumps({"online": online, "timestamp": int(time.time() * 1000)}).encode()
            start = len(self.host.messages)
            self.broker.publish("spBv1.0/STATE/scada", state, qos=1, retain=True)
            self.host.wait_kind("DDATA" if online else "NDEATH", start)
        edge.stop()
        self.assert_right(6)

    def test_a_live_server(self):
        checker = Program("check", "--broker", self.broker.uri)
        self.addCleanup(checker.close)
        checker.wait_output("spb: checking what comes; Ctrl-C ends it\n")
        edge = self.edge()
        self.host.wait_kind("NDATA", self.host.wait_kind("DDATA"))
        self.publish(edge.topic("NCMD"), ASK)
        self.host.wait_kind("DDATA", self.host.wait_kind("NBIRTH", self.host.wait_kind("DBIRTH")))
        edge.kill()
        self.host.wait_kind("NDEATH")
        # A command with a seq, and a data message out of nowhere, each with a finding that comes at once.
        self.publish(edge.topic("NCMD"), REBIRTH + b"\x18\x05")
        found = checker.line()
        self.assertRegex(found, r"^message \d+  .*  Plant1/Edge1  MUST tck-id-payloads-")
        checker.process.send_signal(signal.SIGINT)
        rest = checker.process.stdout.read().decode()
        checker.expect_end(1)
        self.assertIn("tck-id-payloads-ncmd-seq", found + rest)
        self.assertNotIn("DBIRTH", rest)

    def test_a_server_that_is_not_there(self):
        self.broker.kill()
        self.assertEqual(tool("check", "--broker", self.broker.uri, status=3).stdout, "")


class OwnNodeOfMqtt5(OwnNode):
    options = ("--mqtt", "5")


if __name__ == "__main__":
    unittest.main()
