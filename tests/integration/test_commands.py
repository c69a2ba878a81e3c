"""What hosts can do to a node with commands, on a real mosquitto: floods, forged names. Data has to go on."""

import socket
import threading
import unittest

from harness import PATIENCE_S, Broker, Edge, Subscriber, wait_until
from liar import packet
from rules import check_stream
from test_life import command

WRITE = 'metrics { name: "Setpoint" timestamp: 1 datatype: 10 double_value: 42.5 } '
UNKNOWN = 'metrics { name: "a\\nspb: error: forged\\033[2J\\342\\200\\256" timestamp: 1 datatype: 10 double_value: 1 } '
MOST = 1000  # max_command_metrics
LINES = 10  # about refusals, in a second


class Flood:
    """Publishes one message again and again, as fast as the server takes it, until it is told to stop."""

    def __init__(self, broker, topic, payload):
        self.end = socket.create_connection(("127.0.0.1", broker.port))
        self.end.sendall(packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood"))
        assert self.end.recv(4) == b"\x20\x02\x00\x00"
        self.message = packet(0x30, len(topic).to_bytes(2, "big") + topic.encode() + payload)
        self.sent, self.is_on = 0, True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while self.is_on:
                self.end.sendall(self.message)
                self.sent += 1
        except OSError:
            pass  # the server was closed

    def stop(self):
        self.is_on = False
        self.thread.join()
        self.end.close()


class CommandsTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)

    def listen(self, topic):
        host = Subscriber(self.broker, topic)
        self.addCleanup(host.close)
        return host

    def start(self, topic):
        """A host that hears what is on the topic, then the node."""
        self.host = self.listen(topic)
        self.edge = Edge(self.broker, interval_ms=100)
        self.addCleanup(self.edge.close)
        self.host.wait_kind("NDATA")

    def send(self, kind, device, text):
        self.broker.publish(self.edge.topic(kind, device), command("timestamp: 1 " + text))

    def lines(self, words):
        return [line for line in self.edge.output().splitlines() if words in line]

    def end(self):
        self.edge.stop()
        check_stream(self, self.host.messages[: self.host.wait_kind("NDEATH") + 1])

    def test_data_goes_on_under_a_flood_of_writes(self):
        wanted = 30
        births = self.listen("spBv1.0/Plant1/NBIRTH/Edge1")
        self.start("spBv1.0/Plant1/NDATA/Edge1")  # not what is flooded
        flood = Flood(self.broker, self.edge.topic("DCMD", "PLC-1"), command("timestamp: 1 " + MOST * WRITE))
        self.addCleanup(flood.stop)
        at = len(self.host.messages)
        for _ in range(wanted):
            at = self.host.wait_kind("NDATA", at) + 1
        flood.stop()
        self.assertGreater(flood.sent, wanted)
        self.host.wait_kind("NDATA", at)
        self.edge.stop()
        self.assertEqual(len(births.messages), 1, self.edge.output())

    def test_a_command_of_30000_writes_is_refused_in_one_line(self):
        self.start("spBv1.0/#")
        self.send("DCMD", "PLC-1", 30000 * WRITE)
        wait_until(lambda: self.lines("refused"), "the refusal")
        self.send("DCMD", "PLC-1", WRITE)
        self.host.wait(lambda m: m.kind == "DDATA" and m.value("Setpoint") == 42.5, "a write after it")
        wanted = "spb: warning: command refused: DCMD: 30000 metrics, more than max_command_metrics, 1000"
        self.assertEqual(self.lines("refused"), [wanted])
        self.end()

    def test_forged_names_neither_flood_the_log_nor_reach_the_terminal(self):
        self.start("spBv1.0/#")
        self.send("NCMD", None, MOST * UNKNOWN)
        wait_until(lambda: self.lines("more commands"), "the count of what was left out", PATIENCE_S)
        name = r"a\nspb: error: forged\x1b[2J\u202e"
        self.assertEqual(
            self.lines("refused"),
            LINES * [f"spb: warning: command refused: {name}: there is no such metric"]
            + [f"spb: warning: refused in the same second: {MOST - LINES} more commands or STATEs"],
        )
        self.assertEqual([line for line in self.edge.output().split("\n") if line and not line.startswith("spb: ")], [])
        self.assertFalse(set(self.edge.output()) & set("\x1b\u202e"))
        self.end()


if __name__ == "__main__":
    unittest.main()
