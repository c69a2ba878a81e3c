"""A capture of our own demo node: what goes by between node, broker and a subscriber becomes TCP segments in a file, whole
and spoiled, and `spb decode` must find in it what the subscriber got.
"""

import collections
import json
import pathlib
import random
import re
import sys
import tempfile
import time
import unittest

from harness import HERE, Broker, Edge, Subscriber, tool
from proxy import UP, Proxy

sys.path.insert(0, str(HERE.parent / "capture"))
import make_pcap as make  # noqa: E402

OF_WIRE = ("time", "packet", "connection", "direction", "client", "address", "qos", "retain")
REBIRTH = make.payload([make.metric(True, "Node Control/Rebirth", datatype=make.BOOLEAN, timestamp=1)], 1)


class Recorder:
    """What went through a proxy, in its order."""

    def __init__(self):
        self.chunks = []  # (link, direction, bytes)

    def __call__(self, link, direction, data):
        self.chunks.append((link, direction, data))

    def wire(self, mss):
        wire = make.Wire(mss=mss, start=time.time_ns() // 1000)
        talks = {}
        for link, direction, data in self.chunks:
            if link not in talks:
                talks[link] = wire.connection(40001 + len(talks), first=1000 + 99999 * len(talks))
            talks[link].send(0 if direction == UP else 1, data)
        for talk in talks.values():
            talk.close()
        return wire


class Through:
    """A broker, seen through a proxy."""

    def __init__(self, broker, proxy):
        self.port, self.uri, self.publish = proxy.port, proxy.uri, broker.publish


def decode(packets, *options, status=0):
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "demo.pcap"
        path.write_bytes(make.pcap(packets))
        done = tool("decode", "--json", *options, path, status=status, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def content(messages):
    """What does not depend on how they were captured."""
    return collections.Counter(json.dumps({k: v for k, v in m.items() if k not in OF_WIRE and k != "remark"}, sort_keys=True)
                               for m in messages)


class PacketsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        broker = Broker()
        cls.addClassCleanup(broker.close)
        recorder = Recorder()
        proxy = Proxy(broker.port, recorder)
        cls.addClassCleanup(proxy.close)
        through = Through(broker, proxy)
        host = Subscriber(through)
        cls.addClassCleanup(host.close)
        edge = Edge(through, interval_ms=100)
        cls.addClassCleanup(edge.close)
        at = 0
        for i in range(60):
            at = host.wait_kind("DDATA", at) + 1
            if i == 30:
                broker.publish(edge.topic("NCMD"), REBIRTH, qos=1)
                at = host.wait_kind("NBIRTH", at) + 1
        edge.stop()
        death = host.wait_kind("NDEATH")
        cls.recorder = recorder
        lines = "".join(f"0\t{m.topic}\t{m.payload.hex()}\n" for m in host.messages[: death + 1])
        done = tool("decode", "--json", input=lines)
        cls.wanted = content(map(json.loads, done.stdout.splitlines()))

    def test_whole(self):
        for mss in (100, 1448):
            messages, errors = decode(self.recorder.wire(mss).packets)
            self.assertEqual(content(messages), self.wanted)
            self.assertRegex(errors, r"^(spb: .*skipped, not a topic of Sparkplug: spb-test/ready\n)?$")
            directions = {m["kind"]: m["direction"] for m in messages}
            self.assertEqual((directions["DDATA"], directions["NBIRTH"]), ("from_client", "from_client"))

    def test_reordered_and_repeated(self):
        for seed in range(5):
            packets = self.recorder.wire(300).packets
            packets = make.repeat(make.reorder(packets, 0.2, 6, seed, after=20), 0.1, seed)
            with self.subTest(seed=seed):
                messages, errors = decode(packets)
                self.assertNotIn("gap", errors)
                self.assertEqual(content(messages), self.wanted)

    def lose(self, packets, chance, seed, port):
        """Segments with data, from or to that port of a client, but none of the first births: without them no decoder knows
        the names. Once the subscriber gets data, it has the births, and so had the broker.
        """
        dice = random.Random(seed)
        wanted = port.to_bytes(2, "big")
        born = next(i for i, (_, frame) in enumerate(packets)
                    if frame[34:36] == (1883).to_bytes(2, "big") and b"/DDATA/" in frame)
        gone = [i for i, (_, frame) in enumerate(packets)
                if i > born and len(frame) > 54 and wanted in (frame[34:36], frame[36:38]) and dice.random() < chance]
        return make.lose(packets, gone)

    def ports(self, packets):
        """The client ports of the subscriber and of the node: who sends more data is the node."""
        sent = collections.Counter()
        for _, frame in packets:
            if frame[36:38] == (1883).to_bytes(2, "big"):
                sent[int.from_bytes(frame[34:36], "big")] += len(frame) - 54
        node = sent.most_common(1)[0][0]
        return [port for port in sent if port != node], node

    def test_what_is_lost_on_one_side_is_seen_on_the_other(self):
        packets = self.recorder.wire(300).packets
        _, node = self.ports(packets)
        messages, errors = decode(self.lose(packets, 0.2, 7, node), status=1)
        self.assertEqual(content(messages), self.wanted)
        self.assertRegex(errors, r"gap from .*: \d+ bytes lost, \d+ skipped: segments are missing in the capture\n")
        self.assertIn("to_client", {m["direction"] for m in messages if m["kind"] == "DDATA"})

    def test_what_is_lost_on_both_sides_is_reported(self):
        packets = self.recorder.wire(300).packets
        others, node = self.ports(packets)
        for seed in range(5):
            spoiled = self.lose(packets, 0.2, seed, node)
            for port in others:
                spoiled = self.lose(spoiled, 0.2, seed + 100, port)
            with self.subTest(seed=seed):
                messages, errors = decode(make.reorder(spoiled, 0.1, 5, seed, after=20), status=1)
                self.assertLessEqual(content(messages), self.wanted)
                self.assertGreater(len(messages), 20)
                self.assertGreater(len(re.findall(r"bytes lost", errors)), 1)


if __name__ == "__main__":
    unittest.main()
