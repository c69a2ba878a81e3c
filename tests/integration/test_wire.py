"""What the demo edge node writes, packet by packet, to a server that reads MQTT itself: here are the flags, QoS and
properties that a broker keeps to itself. Payloads are decoded by protoc."""

import contextlib
import os
import re
import socket
import struct
import subprocess
import threading
import time
import unittest

from harness import HERE, PATIENCE_S, Edge

PROTO = HERE.parent.parent / "proto" / "sparkplug_b.proto"
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 10, 12, 14
NAMES = {CONNECT: "CONNECT", PUBLISH: "PUBLISH", SUBSCRIBE: "SUBSCRIBE", DISCONNECT: "DISCONNECT"}
SESSION_EXPIRY = 0x11
DISCONNECT_WITH_WILL = 0x04


class Fields:
    """Reads one packet from its beginning."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        if self.at > len(self.data):
            raise AssertionError(f"a packet ends too early: {self.data.hex()}")
        return self.data[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def binary(self):
        return self.take(self.number(2))

    def text(self):
        return self.binary().decode()

    def properties(self):
        """Those of MQTT 5 that CONNECT and its will may have."""
        sizes = {0x01: 1, 0x02: 4, 0x11: 4, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x27: 4}
        found, end = {}, self.varint()
        end += self.at
        while self.at < end:
            identifier = self.number(1)
            found[identifier] = self.number(sizes[identifier])
        return found

    def rest(self):
        return self.take(len(self.data) - self.at)


class Packet:
    def __init__(self, first, body):
        self.kind, self.flags, self.body = first >> 4, first & 0x0F, body

    def read_connect(self):
        fields = Fields(self.body)
        self.protocol, self.level = fields.text(), fields.number(1)
        self.connect_flags, self.keep_alive_s = fields.number(1), fields.number(2)
        self.properties = fields.properties() if self.level == 5 else {}
        self.client_id = fields.text()
        self.will_properties = fields.properties() if self.level == 5 else {}
        self.topic, self.payload = fields.text(), fields.binary()

    def read_publish(self, level):
        fields = Fields(self.body)
        self.retain, self.qos = self.flags & 1, self.flags >> 1 & 3
        self.topic = fields.text()
        if self.qos > 0:
            fields.number(2)
        if level == 5:
            fields.properties()
        self.payload = fields.rest()

    def read_subscribe(self, level):
        fields = Fields(self.body)
        self.identifier = fields.take(2)
        if level == 5:
            fields.properties()
        self.filters = []
        while fields.at < len(self.body):
            name = fields.text()
            self.filters.append((name, fields.number(1) & 3 if self.kind == SUBSCRIBE else None))

    @property
    def name(self):
        """CONNECT, or the kind of Sparkplug message."""
        return self.topic.split("/")[2] if self.kind == PUBLISH else NAMES.get(self.kind)

    def text(self):
        """The payload as protoc reads it."""
        done = subprocess.run(
            ["protoc", f"--proto_path={PROTO.parent}", "--decode=org.eclipse.tahu.protobuf.Payload", PROTO.name],
            input=self.payload,
            stdout=subprocess.PIPE,
            check=True,
        )
        return done.stdout.decode()

    def metrics(self):
        """{field: text} of each metric."""
        blocks = re.findall(r"^metrics \{\n(.*?)^\}", self.text(), re.M | re.S)
        return [dict(re.findall(r"^  (\w+): (.*)$", block, re.M)) for block in blocks]

    def fields(self):
        """{field: number} of the payload itself."""
        return {name: int(value) for name, value in re.findall(r"^(\w+): (\d+)$", self.text(), re.M)}


class Server:
    """Takes one connection, answers what must be answered, and writes all packets down.

    With `is_slow` each SUBACK waits until the client has answered something else that came after its SUBSCRIBE.
    """

    PROBE = bytes([0x32, 5, 0, 1]) + b"x" + bytes([0, 1])  # an empty PUBLISH of QoS 1 to the topic x

    def __init__(self, is_slow=False):
        self.is_slow = is_slow
        self.subacks = []
        self.packets, self.times, self.is_over = [], [], False
        self.arrived = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def uri(self):
        return f"mqtt://127.0.0.1:{self.listener.getsockname()[1]}"

    def _serve(self):
        link, _ = self.listener.accept()
        with link, link.makefile("rb") as stream, contextlib.suppress(ConnectionResetError):
            level = 4
            while first := stream.read(1):
                packet = Packet(first[0], stream.read(self._length(stream)))
                level = self._read(packet, level)
                with self.arrived:
                    self.packets.append(packet)
                    self.times.append(time.time() * 1000)
                    self.arrived.notify_all()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    # The client may have gone by now; what it said before is still to be read.
                    link.sendall(self._answer(packet, level))
        with self.arrived:
            self.is_over = True
            self.arrived.notify_all()

    @staticmethod
    def _length(stream):
        length, shift = 0, 0
        while True:
            byte = stream.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return length

    @staticmethod
    def _read(packet, level):
        if packet.kind == CONNECT:
            packet.read_connect()
            return packet.level
        if packet.kind == PUBLISH:
            packet.read_publish(level)
        elif packet.kind in (SUBSCRIBE, UNSUBSCRIBE):
            packet.read_subscribe(level)
        return level

    def _answer(self, packet, level):
        reply = b""
        if packet.kind == CONNECT:
            reply = bytes([0x20, 3, 0, 0, 0]) if level == 5 else bytes([0x20, 2, 0, 0])
        elif packet.kind == SUBSCRIBE:
            body = packet.identifier + (b"\0" if level == 5 else b"") + bytes(qos for _, qos in packet.filters)
            suback = struct.pack("BB", 0x90, len(body)) + body
            self.subacks.append(suback)
            reply = self.PROBE if self.is_slow else self.subacks.pop()
        elif packet.kind == UNSUBSCRIBE:
            body = packet.identifier + (bytes(1 + len(packet.filters)) if level == 5 else b"")
            reply = struct.pack("BB", 0xB0, len(body)) + body
        elif packet.kind == PINGREQ:
            reply = bytes([0xD0, 0])
        elif packet.kind == PUBACK:
            reply = self.subacks.pop(0)
        return reply

    def wait(self, predicate, what):
        with self.arrived:
            if not self.arrived.wait_for(lambda: any(predicate(packet) for packet in self.packets), PATIENCE_S):
                raise AssertionError(f"waited for {what}; seen: {[packet.name for packet in self.packets]}")

    def wait_for(self, *names):
        for name in names:
            self.wait(lambda packet: packet.name == name, name)

    def wait_end(self):
        with self.arrived:
            if not self.arrived.wait_for(lambda: self.is_over, PATIENCE_S):
                raise AssertionError("the connection was not closed")

    def named(self, name):
        return [packet for packet in self.packets if packet.name == name]

    def close(self):
        self.listener.close()


class WireTest(unittest.TestCase):
    def run_edge(self, *options, **more):
        """A whole life; returns the server that saw it."""
        server = self.start(*options, **more)
        server.wait_for("NBIRTH", "DBIRTH", "NDATA", "DDATA")
        self.edge.stop()
        server.wait_end()
        return server

    def start(self, *options, **more):
        server = Server(**more)
        self.addCleanup(server.close)
        self.edge = Edge(server, *options)
        self.addCleanup(self.edge.close)
        return server

    @staticmethod
    def bdseq(packet):
        (metric,) = (metric for metric in packet.metrics() if metric["name"] == '"bdSeq"')
        return metric["long_value"]

    def check_will(self, connect):
        self.assertEqual(connect.client_id, "Plant1-Edge1")
        self.assertTrue(connect.connect_flags & 0x04, "there is a will")
        self.assertEqual(connect.connect_flags >> 3 & 3, 1, "of QoS 1")
        self.assertFalse(connect.connect_flags & 0x20, "that is not retained")
        self.assertEqual(connect.topic, "spBv1.0/Plant1/NDEATH/Edge1")
        self.assertEqual(set(connect.fields()), {"timestamp"}, "and has no seq")
        (metric,) = connect.metrics()
        self.assertEqual((metric["name"], metric["datatype"], metric["long_value"]), ('"bdSeq"', "4", "0"))

    def test_connect_of_mqtt_3_1_1(self):
        connect = self.run_edge("--mqtt", "3.1.1").packets[0]
        self.assertEqual((connect.kind, connect.protocol, connect.level), (CONNECT, "MQTT", 4))
        self.assertTrue(connect.connect_flags & 0x02, "clean session")
        self.check_will(connect)

    def test_connect_of_mqtt_5(self):
        connect = self.run_edge("--mqtt", "5").packets[0]
        self.assertEqual((connect.kind, connect.protocol, connect.level), (CONNECT, "MQTT", 5))
        self.assertTrue(connect.connect_flags & 0x02, "clean start")
        self.assertEqual(connect.properties[SESSION_EXPIRY], 0)
        self.check_will(connect)

    def test_a_stop_says_ndeath_and_then_disconnect(self):
        for version, goodbye in (("3.1.1", b""), ("5", bytes([DISCONNECT_WITH_WILL]))):
            server = self.run_edge("--mqtt", version)
            death, last = [packet for packet in server.packets if packet.kind in (PUBLISH, DISCONNECT)][-2:]
            self.assertEqual((death.name, last.name), ("NDEATH", "DISCONNECT"))
            self.assertEqual(self.bdseq(death), self.bdseq(server.packets[0]), "that of the will")
            self.assertEqual(self.bdseq(death), self.bdseq(server.named("NBIRTH")[0]))
            self.assertEqual(last.body[:1], goodbye)
            self.assertNotIn("seq", death.fields())

    def test_births_wait_for_the_subscriptions(self):
        server = self.start(is_slow=True)
        server.wait_for("NBIRTH")
        kinds = [packet.kind for packet in server.packets]
        before = kinds[: kinds.index(PUBLISH)]
        self.assertEqual((before[0], sorted(before)), (CONNECT, [CONNECT, PUBACK, PUBACK, SUBSCRIBE, SUBSCRIBE]))
        wanted = [("spBv1.0/Plant1/NCMD/Edge1", 1), ("spBv1.0/Plant1/DCMD/Edge1/+", 1)]
        subscribed = [packet.filters for packet in server.packets if packet.kind == SUBSCRIBE]
        self.assertEqual(sum(subscribed, []), wanted)

    def test_messages_have_qos_0_and_their_topics_and_are_not_retained(self):
        server = self.run_edge()
        published = [packet for packet in server.packets if packet.kind == PUBLISH]
        self.assertEqual([packet.name for packet in published[:2]], ["NBIRTH", "DBIRTH"])
        for packet in published:
            self.assertEqual((packet.qos, packet.retain), (0, 0), packet.topic)
            device = "/PLC-1" if packet.name.startswith("D") else ""
            self.assertEqual(packet.topic, f"spBv1.0/Plant1/{packet.name}/Edge1{device}")

    def test_metrics_have_name_datatype_and_alias_in_births_and_the_alias_alone_in_data(self):
        server = self.run_edge()
        own = {'"bdSeq"', '"Node Control/Rebirth"'}
        for packet in server.named("NBIRTH") + server.named("DBIRTH"):
            for metric in packet.metrics():
                self.assertLessEqual({"name", "timestamp", "datatype"}, set(metric))
                self.assertEqual("alias" in metric, metric["name"] not in own, metric)
        for packet in server.named("NDATA") + server.named("DDATA"):
            for metric in packet.metrics():
                self.assertLessEqual({"alias", "timestamp"}, set(metric))
                self.assertFalse({"name", "datatype"} & set(metric), metric)

    def test_times_are_utc_whatever_the_time_zone(self):
        os.environ["TZ"] = "Asia/Tokyo"
        self.addCleanup(os.environ.pop, "TZ")
        before = time.time() * 1000
        server = self.run_edge()
        for packet, arrived in zip(server.packets, server.times):
            if packet.kind in (CONNECT, PUBLISH):
                times = [packet.fields()["timestamp"]] + [int(metric["timestamp"]) for metric in packet.metrics()]
                self.assertGreaterEqual(min(times), int(before), packet.topic)
                self.assertLessEqual(max(times), arrived + 1, packet.topic)


if __name__ == "__main__":
    unittest.main()
