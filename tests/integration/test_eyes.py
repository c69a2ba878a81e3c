"""What `spb decode` says of a stream, held against two decoders that are not ours: sparkplug-payload and Wireshark's.

The streams: the demo node on a real mosquitto, and a captured stream of another edge node.
"""

import base64
import json
import math
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

from harness import HERE, Broker, Decoder, Edge, Subscriber, tool

sys.path.insert(0, str(HERE.parent / "capture"))
import make_pcap as make  # noqa: E402
import wireshark as eyes  # noqa: E402

CAPTURE = HERE.parent / "data" / "js-edge.tsv"
PACKETS = HERE.parent / "data" / "js-edge.pcap"
COMMANDS = ("NCMD", "DCMD")


def ours(stream):
    """`spb decode --json` of [(topic, payload), …], without STATE messages."""
    lines = "".join(f"0\t{topic}\t{payload.hex()}\n" for topic, payload in stream)
    return [json.loads(line) for line in tool("decode", "--json", input=lines).stdout.splitlines()]


def same_number(a, b, tolerance=0.0):
    if isinstance(a, str) or isinstance(b, str):
        return str(a) == str(b)
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


# ---- Wireshark ----


def mqtt_publish(topic, payload):
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + payload
    length, rest = b"", len(body)
    while True:
        length += bytes([rest % 128 | (0x80 if rest > 127 else 0)])
        rest //= 128
        if rest == 0:
            return b"\x30" + length + body


def pcap(stream):
    """A capture file with one TCP segment for each message, to port 1883. Checksums are left out, as offloading does."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)  # 101: raw IP
    sequence = 1
    for topic, payload in stream:
        data = mqtt_publish(topic, payload)
        tcp = struct.pack(">HHIIBBHHH", 1883, 40000, sequence, 1, 5 << 4, 0x18, 65535, 0, 0) + data
        address = bytes([127, 0, 0, 1])
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + address + address + tcp
        out += struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip
        sequence += len(data)
    return out


def tree(lines):
    """Wireshark's indented `key: value` lines as [(key, value, children), …]."""
    root = []
    stack = [(-1, root)]
    for line in lines:
        indent = len(line) - len(line.lstrip())
        key, _, value = line.strip().partition(": ")
        while stack[-1][0] >= indent:
            stack.pop()
        children = []
        stack[-1][1].append((key, value, children))
        stack.append((indent, children))
    return root


def wireshark(stream):
    """The payloads as Wireshark's Sparkplug dissector shows them: a tree for each message."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        eyes.install_schema(directory)
        (directory / "stream.pcap").write_bytes(pcap(stream))
        shown = eyes.run(directory / "stream.pcap", directory, "-V", "-O", "sparkplugb,protobuf")
    messages = []
    for frame in shown.split("SparkplugB\n")[1:]:
        _, _, rest = frame.partition("(Message: com.cirruslink.sparkplug.protobuf.Payload)\n")
        lines = []
        for line in rest.split("\n"):
            if not line.startswith("        "):
                break
            lines.append(line)
        messages.append(tree(lines))
    return messages


def fields(message, key):
    return [(value, children) for name, value, children in message if name == key]


def first(message, key):
    found = fields(message, key)
    return found[0][0] if found else None


# ---- comparison ----


class EyesTest(unittest.TestCase):
    def check_against_npm(self, stream, decoded):
        other = Decoder()
        self.addCleanup(other.close)
        compared = 0
        for (topic, payload), mine in zip(stream, decoded, strict=True):
            theirs = other.decode(topic, payload)
            self.assertEqual(mine.get("seq"), theirs["seq"] if theirs["hasSeq"] else None, topic)
            self.assertEqual(mine.get("timestamp"), theirs.get("timestamp"), topic)
            self.assertEqual(len(mine.get("metrics", [])), len(theirs["metrics"]), topic)
            for a, b in zip(mine.get("metrics", []), theirs["metrics"]):
                if a["type"].endswith("Array"):
                    continue  # it knows no arrays
                self.assertEqual(a.get("name"), b.get("name"), topic)
                self.assertEqual(a.get("alias"), b.get("alias"), topic)
                self.assertEqual(a["type"], b["type"], (topic, a))
                self.check_value(a, b)
                compared += 1
        return compared

    def check_value(self, a, b):
        if a.get("is_null"):
            self.assertTrue(b["isNull"], a)
        elif a["type"] == "DataSet":
            self.assertEqual(a["value"]["columns"], b["value"]["columns"])
            self.assertEqual(a["value"]["rows"], b["value"]["rows"])
        elif a["type"] == "Template":
            self.assertEqual([m["name"] for m in a["value"]["metrics"]], [m["name"] for m in b["value"]["metrics"]])
            for x, y in zip(a["value"]["metrics"], b["value"]["metrics"]):
                self.assertTrue(same_number(x["value"], y["value"], 1e-6), (x, y))
        elif a["type"] in ("Bytes", "File"):
            self.assertEqual(list(base64.b64decode(a["value"])), b["value"]["data"])
        elif a["type"] == "UInt32":
            self.assertEqual(a["value"], b["value"] % 2**32)  # it wraps above 2^31
        elif a["type"] in ("String", "Text", "UUID", "Boolean"):
            self.assertEqual(a["value"], b["value"])
        else:
            self.assertTrue(same_number(a["value"], b["value"], 1e-6 if a["type"] == "Float" else 1e-15), (a, b))

    def check_against_wireshark(self, stream, decoded):
        shown = wireshark(stream)
        self.assertEqual(len(shown), len(stream))
        compared = 0
        for mine, theirs in zip(decoded, shown):
            self.assertEqual(str(mine.get("timestamp")), first(theirs, "timestamp"), mine["topic"])
            self.assertEqual(mine.get("seq"), int(first(theirs, "seq")) if first(theirs, "seq") else None)
            metrics = fields(theirs, "metrics")
            self.assertEqual(len(mine.get("metrics", [])), len(metrics), mine["topic"])
            for a, (_, b) in zip(mine.get("metrics", []), metrics):
                if first(b, "name") is not None:
                    self.assertEqual(a["name"], first(b, "name"))
                self.assertEqual(a.get("alias"), int(first(b, "alias")) if first(b, "alias") else None)
                self.assertEqual(a.get("timestamp"), int(first(b, "timestamp")) if first(b, "timestamp") else None)
                self.check_field(a, b)
                compared += 1
        return compared

    def check_field(self, a, b):
        """Wireshark shows the field on the wire and knows no datatypes."""
        if a.get("is_null"):
            self.assertEqual(first(b, "is_null"), "True")
        elif a["type"] in ("Int8", "Int16", "Int32"):
            self.assertEqual(a["value"] % 2**32, int(first(b, "int_value")))
        elif a["type"] in ("Int64", "UInt32", "UInt64", "DateTime"):
            self.assertEqual(a["value"] % 2**64, int(first(b, "long_value")))
        elif a["type"] in ("UInt8", "UInt16"):
            self.assertEqual(a["value"], int(first(b, "int_value")))
        elif a["type"] == "Double":
            self.assertTrue(same_number(a["value"], float(first(b, "double_value")), 1e-5), (a, b))
        elif a["type"] == "Float":
            self.assertTrue(same_number(a["value"], float(first(b, "float_value")), 1e-5), (a, b))
        elif a["type"] == "Boolean":
            self.assertEqual(str(a["value"]), first(b, "boolean_value"))
        elif a["type"] in ("String", "Text", "UUID"):
            self.assertEqual(a["value"], first(b, "string_value"))
        elif a["type"] == "DataSet":
            _, dataset = fields(b, "dataset_value")[0]
            self.assertEqual(len(a["value"]["rows"]), len(fields(dataset, "rows")))
        elif a["type"] == "Template":
            _, template = fields(b, "template_value")[0]
            self.assertEqual(len(a["value"]["metrics"]), len(fields(template, "metrics")))

    def test_demo_node(self):
        broker = Broker()
        self.addCleanup(broker.close)
        host = Subscriber(broker)
        self.addCleanup(host.close)
        edge = Edge(broker, interval_ms=100)
        self.addCleanup(edge.close)
        at = 0
        for _ in range(20):
            at = host.wait_kind("DDATA", at) + 1
        edge.stop()
        death = host.wait_kind("NDEATH")
        stream = [(message.topic, message.payload) for message in host.messages[: death + 1]]
        decoded = ours(stream)
        self.assertGreater(self.check_against_npm(stream, decoded), 40)
        self.assertGreater(self.check_against_wireshark(stream, decoded), 40)

    def test_captured_stream(self):
        stream = []
        for line in CAPTURE.read_text().splitlines():
            _, topic, payload = line.split("\t")
            if "/STATE/" not in topic:
                stream.append((topic, bytes.fromhex(payload)))
        decoded = ours(stream)
        self.assertEqual(len(decoded), 53)
        self.assertGreater(self.check_against_npm(stream, decoded), 70)
        self.assertGreater(self.check_against_wireshark(stream, decoded), 70)

    def kinds(self, topics):
        counts = {}
        for topic in topics:
            parts = topic.split("/")
            kind = "STATE" if parts[1] == "STATE" else parts[2]
            counts[kind] = counts.get(kind, 0) + 1
        return counts

    def check_capture(self, path, port):
        """All that was published, in number and kind, and in the order of each connection."""
        with tempfile.TemporaryDirectory() as directory:
            theirs = eyes.topics(path, directory, port)
        done = tool("decode", "--json", "--all", path)
        self.assertEqual(done.stderr, "")
        mine = [json.loads(line)["topic"] for line in done.stdout.splitlines()]
        self.assertEqual(self.kinds(mine), self.kinds(theirs))
        return mine, theirs

    def test_captured_packets(self):
        mine, theirs = self.check_capture(PACKETS, 1899)
        self.assertEqual((len(mine), mine), (109, theirs))

    def test_reordered_packets(self):
        wire = make.node_wire(300, 20, 4)
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "mixed.pcap"
            path.write_bytes(make.pcap(make.repeat(make.reorder(wire.packets, 0.2, 6, 8), 0.1, 9)))
            mine, theirs = self.check_capture(path, 1883)
        self.assertEqual((len(mine), mine), (301, theirs))


if __name__ == "__main__":
    if not shutil.which("tshark"):
        raise SystemExit("tshark is missing: scripts/install-deps test")
    unittest.main()
