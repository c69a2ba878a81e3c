"""The tool `spb decode` on capture files: whole and spoiled ones, their messages, what is reported, and every output.

The captures are made by tests/capture/make_pcap.py, byte by byte; js-edge.pcap is real.
"""

import csv
import io
import json
import os
import pathlib
import pty
import random
import re
import resource
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.environ["SPB_CAPTURE_MAKER"])
import make_pcap as make  # noqa: E402

unittest.TestCase.maxDiff = None  # all that a program said
TOOL = os.environ["SPB_TOOL"]
DATA = pathlib.Path(os.environ["SPB_TEST_DATA"])
T = 1_700_000_000_000  # ms
NODE, NCMD = "spBv1.0/G/{}/N", "spBv1.0/G/NCMD/N"


def run(*options, stdin=None, **more):
    return subprocess.run([TOOL, "decode", *options], input=stdin, capture_output=True, timeout=120, **more)


def decode(content, *options):
    """Messages, standard error, exit status of a capture that is piped in."""
    done = run("--json", *options, stdin=content)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode(), done.returncode


def birth(metrics=("A", "B"), seq=0):
    return make.payload([make.metric(0.0, name, i + 1, make.DOUBLE, T) for i, name in enumerate(metrics)], T, seq)


def life(talk, count=20, side=0, level=4, metrics=2):
    """Birth and data of one node; side 0: it publishes, 1: a subscriber gets it."""
    talk.send(side, make.publish(NODE.format("NBIRTH"), birth(), level=level))
    for i in range(count):
        values = [float(i), 0.5] + [1 / 3] * (metrics - 2)
        talk.send(side, make.publish(NODE.format("NDATA"), make.data(values, T + i, (i + 1) % 256), level=level))


def begin(wire, port=40001, level=4, client="gateway", **more):
    talk = wire.connection(port, **more)
    talk.send(0, make.connect(client, (NODE.format("NDEATH"), make.payload([], T), 1, 0), level))
    talk.send(1, make.connack(level))
    return talk


def simple(count=20, **more):
    wire = make.Wire(**more)
    life(begin(wire), count)
    return wire


class Whole(unittest.TestCase):
    def assert_life(self, messages, count=20):
        self.assertEqual([m["kind"] for m in messages], ["NBIRTH"] + ["NDATA"] * count)
        self.assertEqual([m["metrics"][0]["value"] for m in messages[1:]], [float(i) for i in range(count)])
        self.assertTrue(all(m["metrics"][0]["name"] == "A" and "remark" not in m for m in messages))

    def check(self, content, count=20, *options):
        messages, errors, status = decode(content, *options)
        self.assertEqual((errors, status), ("", 0))
        self.assert_life(messages, count)
        return messages

    def test_the_real_capture_has_the_messages_of_the_real_text(self):
        def of(name):
            done = run("--json", str(DATA / name))
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            return [json.loads(line) for line in done.stdout.splitlines()]

        packets, lines = of("js-edge.pcap"), of("js-edge.tsv")
        of_wire = ("time", "packet", "connection", "direction", "client", "address", "qos", "retain")
        self.assertEqual(len(packets), 54)
        # At the end of a session, data and the will take different ways, so that the order is not the same.
        self.assertEqual(sorted(json.dumps({k: v for k, v in m.items() if k not in of_wire}) for m in packets),
                         sorted(json.dumps({k: v for k, v in m.items() if k not in of_wire}) for m in lines))
        self.assertEqual([m["kind"] for m in packets], [m["kind"] for m in lines])
        first = {k: packets[0][k] for k in of_wire}
        self.assertEqual(first, {"time": 1795350953969, "packet": 9, "connection": 1, "direction": "from_client",
                                 "client": "js-edge-1", "address": "127.0.0.1:58490", "qos": 0, "retain": False})
        death = next(m for m in packets if m["kind"] == "NDEATH")
        self.assertEqual((death["direction"], death.get("client")), ("to_client", None))

    def test_all_shows_copies_too(self):
        messages, _, _ = decode((DATA / "js-edge.pcap").read_bytes(), "--all")
        self.assertEqual((len(messages), sum(m.get("is_copy", False) for m in messages)), (109, 55))

    def test_link_layers(self):
        for kind in (make.ETHERNET, make.NULL, make.LOOP, make.RAW, make.SLL, make.SLL2):
            for six in (False, True):
                with self.subTest(kind=kind, six=six):
                    self.check(make.pcap(simple(kind=kind, six=six).packets, kind))
        self.check(make.pcap(simple(kind=make.IPV4).packets, make.IPV4))

    def test_vlan_tags(self):
        for vlans in (((0x8100, 7),), ((0x88A8, 5), (0x8100, 7)), ((0x9100, 5), (0x8100, 7))):
            self.check(make.pcap(simple(vlans=vlans).packets))

    def test_file_formats(self):
        packets = simple().packets
        times = set()
        for content in (make.pcap(packets), make.pcap(packets, big=True), make.pcap(packets, nanoseconds=True),
                        make.pcapng(packets)):
            times.add(tuple(m["time"] for m in self.check(content)))
        self.assertEqual(len(times), 1)

    def test_from_a_file_and_from_a_pipe(self):
        content = make.pcap(simple().packets)
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            file.write(content)
            file.flush()
            with open(file.name, "rb") as again:
                as_input = subprocess.run([TOOL, "decode", "--json", "-"], stdin=again, capture_output=True, timeout=60)
            outputs = {run("--json", file.name).stdout, run("--json", stdin=content).stdout,
                       run("--json", "--input", "pcap", file.name).stdout, as_input.stdout}
        self.assertEqual(len(outputs), 1)
        self.assert_life([json.loads(line) for line in outputs.pop().splitlines()])

    def test_each_message_comes_out_before_the_next_packet_goes_in(self):
        content = make.pcap(simple(3).packets)
        heads = [m.start() for m in re.finditer(b"spBv1.0/G/N", content)]
        with subprocess.Popen([TOOL, "decode", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tool:
            at = 0
            for number, head in enumerate(heads):
                if number == 0:
                    continue  # in the will
                end = content.index(b"\x02" * 6 + b"\x04" * 6, head) - 16  # the next packet's header
                tool.stdin.write(content[at:end])
                tool.stdin.flush()
                at = end
                self.assertEqual(json.loads(tool.stdout.readline())["seq"], number - 1)
            tool.stdin.close()
            self.assertEqual((tool.stdout.read(), tool.wait()), (b"", 0))

    def test_any_port_that_speaks_mqtt(self):
        wire = make.Wire()
        life(begin(wire, server_port=55555))
        other = wire.connection(40009, 80)
        other.send(0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        other.send(1, b"HTTP/1.1 200 OK\r\n\r\n" + b"spBv1.0/G/NDATA/N" * 100)
        shell = wire.connection(40010, 22)
        shell.send(1, b"SSH-2.0-OpenSSH_9.2\r\n")
        self.check(make.pcap(wire.packets))
        self.check(make.pcap(wire.packets), 20, "--port", "1,55555")
        messages, errors, status = decode(make.pcap(wire.packets), "--port", "1883")
        self.assertEqual((messages, errors, status), ([], "spb: stdin: no MQTT was found\n", 0))

    def test_tls_is_said(self):
        wire = make.Wire()
        talk = wire.connection(40001, 8883)
        talk.send(0, bytes.fromhex("1603010005010000010000"))
        messages, errors, status = decode(make.pcap(wire.packets))
        self.assertEqual((messages, status), ([], 0))
        self.assertIn("1 connections speak TLS, which cannot be read", errors)

    def test_mqtt_5_with_aliases(self):
        wire = make.Wire()
        talk = begin(wire, level=5)
        talk.send(0, make.publish(NODE.format("NBIRTH"), birth(), level=5))
        for i in range(20):
            topic = NODE.format("NDATA") if i == 0 else ""
            talk.send(0, make.publish(topic, make.data([float(i), 0.5], T, i + 1), level=5, alias=7))
        self.check(make.pcap(wire.packets))

    def test_an_assigned_client_id(self):
        wire = make.Wire()
        talk = wire.connection(40001)
        talk.send(0, make.connect("", level=5))
        talk.send(1, make.connack(5, b"\x12" + make.text("given-1")))
        life(talk, 20, level=5)
        self.assertEqual({m["client"] for m in self.check(make.pcap(wire.packets))}, {"given-1"})

    def test_an_alias_whose_topic_was_not_captured(self):
        wire = make.Wire()
        talk = begin(wire, level=5)
        talk.send(0, make.publish("", b"\x08\x01", level=5, alias=9) * 3)
        life(talk, 20, level=5)
        messages, errors, status = decode(make.pcap(wire.packets))
        self.assert_life(messages)
        self.assertRegex(errors, r"^spb: stdin: packet \d+: the first use of topic alias 9 was not captured, so its topic is "
                                 r"not known\nspb: stdin: 3 messages have a topic alias that is not known\n$")
        self.assertEqual(status, 1)

    def test_mqtt_3_1(self):
        wire = make.Wire()
        talk = wire.connection(40001)
        talk.send(0, make.connect("old", level=3))
        talk.send(1, make.connack())
        life(talk)
        self.check(make.pcap(wire.packets))

    def test_web_sockets(self):
        for size in (3, 100000):  # of a frame's content
            wire = make.Wire()
            talk = wire.connection(40001, 8080)
            talk.send(0, make.REQUEST)
            talk.send(1, make.RESPONSE)

            class Framed:
                def send(self, side, content):
                    for at in range(0, len(content), size):
                        talk.send(side, make.frame(content[at:at + size], b"\1\x82\x33\x74" if side == 0 else None))

            framed = Framed()
            framed.send(0, make.connect("browser"))
            framed.send(1, make.connack())
            talk.send(0, make.frame(b"ping", b"abcd", opcode=9))
            life(framed)
            messages = self.check(make.pcap(wire.packets))
            self.assertEqual({m["client"] for m in messages}, {"browser"})

    def test_small_and_large_segments(self):
        for mss in (1, 7, 100, 60000):
            self.check(make.pcap(simple(5, mss=mss).packets), 5)

    def test_a_message_of_many_segments_and_many_in_one(self):
        wire = make.Wire()
        talk = begin(wire)
        big = make.publish(NODE.format("NDATA"), make.data([float(i) for i in range(20000)], T, 1))
        talk.send(0, make.publish(NODE.format("NBIRTH"), birth([f"M{i}" for i in range(20000)])) + big +
                  make.publish(NODE.format("NDATA"), make.data([1.0], T, 2)) * 3)
        messages, errors, _ = decode(make.pcap(wire.packets))
        self.assertEqual(errors, "")
        self.assertEqual([len(m["metrics"]) for m in messages], [20000, 20000, 1, 1, 1])
        self.assertEqual(messages[1]["metrics"][-1]["name"], "M19999")

    def test_sequence_numbers_that_wrap(self):
        wire = make.Wire()
        talk = begin(wire, first=2**32 - 700)
        life(talk)
        self.check(make.pcap(wire.packets))

    def test_data_in_the_syn(self):
        wire = make.Wire()
        first = make.connect("fast")
        client, server = (1, 40001), (9, 1883)
        wire.put(client, server, 1000, 0, make.SYN, first)
        wire.put(server, client, 5000, 1001 + len(first), make.SYN | make.ACK)
        talk = wire.connection(40001, handshake=False, first=0)
        talk.seq = [1001 + len(first), 5001]
        talk.send(1, make.connack())
        life(talk)
        self.assertEqual({m["client"] for m in self.check(make.pcap(wire.packets))}, {"fast"})

    def test_a_new_connection_between_the_same_ends(self):
        wire = make.Wire()
        for i in range(3):
            talk = begin(wire, first=1000 + i * 77777)
            life(talk, 4)
            if i == 0:
                talk.close()
            if i == 1:
                talk.reset()
        messages, errors, _ = decode(make.pcap(wire.packets))
        self.assertEqual((len(messages), errors), (15, ""))
        self.assertEqual([m["connection"] for m in messages], [1] * 5 + [2] * 5 + [3] * 5)


class Copies(unittest.TestCase):
    def subscriber(self, wire, number):
        talk = wire.connection(41000 + number, client_host=20 + number)
        talk.send(0, make.connect(f"host-{number}"))
        talk.send(1, make.connack())
        return talk

    def test_a_message_is_shown_once_whoever_was_captured(self):
        for publishes, subscribers in ((True, 0), (True, 1), (True, 12), (False, 1), (False, 12)):
            wire = make.Wire()
            talks = [(begin(wire), 0)] if publishes else []
            talks += [(self.subscriber(wire, i), 1) for i in range(subscribers)]
            contents = [make.publish(NODE.format("NBIRTH"), birth())]
            contents += [make.publish(NODE.format("NDATA"), make.data([float(i)], T + i, i + 1)) for i in range(5)]
            for content in contents:
                for talk, side in talks:
                    talk.send(side, content)
            with self.subTest(publishes=publishes, subscribers=subscribers):
                messages, errors, _ = decode(make.pcap(wire.packets))
                self.assertEqual(([m["kind"] for m in messages], errors), (["NBIRTH"] + ["NDATA"] * 5, ""))
                self.assertEqual({m["direction"] for m in messages}, {"from_client" if publishes else "to_client"})
                messages, _, _ = decode(make.pcap(wire.packets), "--all")
                self.assertEqual(len(messages), 6 * len(talks))

    def test_the_same_content_twice_is_two_messages(self):
        command = make.publish(NCMD, make.payload([make.metric(True, "Node Control/Rebirth")], T))
        wire = make.Wire()
        host, node, other = self.subscriber(wire, 1), begin(wire), self.subscriber(wire, 2)
        for _ in range(3):
            host.send(0, command)
            node.send(1, command)
            other.send(1, command)
        node.send(1, command)  # of a host that was not captured
        other.send(1, command)
        messages, _, _ = decode(make.pcap(wire.packets))
        self.assertEqual([m["direction"] for m in messages], ["from_client"] * 3 + ["to_client"])

    def test_two_hosts_with_the_same_command(self):
        command = make.publish(NCMD, make.payload([make.metric(True, "Node Control/Rebirth")], T))
        wire = make.Wire()
        for talk in (self.subscriber(wire, 1), self.subscriber(wire, 2)):
            talk.send(0, command)
        self.assertEqual(len(decode(make.pcap(wire.packets))[0]), 2)

    def test_two_servers_are_two_worlds(self):
        wire = make.Wire()
        for host in (9, 10):
            life(begin(wire, 40000 + host, server_host=host), 3)
        self.assertEqual(len(decode(make.pcap(wire.packets))[0]), 8)

    def test_a_retained_message_much_later_is_shown_again(self):
        state = make.publish("spBv1.0/STATE/H", b'{"online":true,"timestamp":1}', retain=True)
        wire = make.Wire()
        self.subscriber(wire, 1).send(0, state)
        wire.now += 60_000_000
        self.subscriber(wire, 2).send(1, state)
        messages, _, _ = decode(make.pcap(wire.packets))
        self.assertEqual([(m["direction"], m["retain"]) for m in messages], [("from_client", True), ("to_client", True)])

    def test_a_message_sent_again(self):
        wire = make.Wire()
        talk = self.subscriber(wire, 1)
        body = make.payload([make.metric(True, "X")], T)
        talk.send(0, make.publish(NCMD, body, qos=1))
        talk.send(0, make.publish(NCMD, body, qos=1, duplicate=True))
        messages, _, _ = decode(make.pcap(wire.packets))
        self.assertEqual(len(messages), 1)
        messages, _, _ = decode(make.pcap(wire.packets), "--all")
        self.assertTrue(messages[1]["is_duplicate"])


class Spoiled(unittest.TestCase):
    def numbers(self, messages):
        return [m["metrics"][0]["value"] for m in messages if m["kind"] == "NDATA"]

    def test_reordered_and_repeated_segments_lose_nothing(self):
        for seed in range(12):
            wire = simple(60, mss=50)
            packets = make.repeat(make.reorder(wire.packets, 0.3, 12, seed), 0.2, seed)
            messages, errors, status = decode(make.pcap(packets))
            with self.subTest(seed=seed):
                self.assertEqual((errors, status), ("", 0))
                self.assertEqual(self.numbers(messages), [float(i) for i in range(60)])

    def test_overlapping_segments(self):
        wire = make.Wire(mss=40)
        talk = begin(wire)
        content = make.publish(NODE.format("NBIRTH"), birth()) + b"".join(
            make.publish(NODE.format("NDATA"), make.data([float(i)], T, i + 1)) for i in range(20))
        dice = random.Random(3)
        at = 0
        while at < len(content):
            back, ahead = dice.randrange(0, min(at, 30) + 1), dice.randrange(1, 60)
            part = content[at - back:at + ahead]
            wire.put(*talk.ends, talk.seq[0] + at - back, talk.seq[1], make.PSH | make.ACK, part)
            at = max(at, at - back + len(part))
        messages, errors, _ = decode(make.pcap(wire.packets))
        self.assertEqual((errors, self.numbers(messages)), ("", [float(i) for i in range(20)]))

    def lost(self, chance, seed, count=200, mss=120, **more):
        """A life of which segments with data are lost, never the first ten packets."""
        wire = make.Wire(mss=mss)
        life(begin(wire), count, **more)
        dice = random.Random(seed)
        gone = [i for i in range(10, len(wire.packets) - 12) if dice.random() < chance]
        return make.lose(wire.packets, gone)

    def test_lost_segments_are_reported_and_the_rest_is_whole(self):
        for seed in range(8):
            messages, errors, status = decode(make.pcap(self.lost(0.05, seed)))
            numbers = self.numbers(messages)
            with self.subTest(seed=seed):
                self.assertEqual(status, 1)
                self.assertGreater(len(numbers), 150)
                self.assertEqual(numbers, sorted(set(numbers)))
                self.assertRegex(errors, r"packet \d+: gap from gateway \(10\.0\.0\.1:40001\): \d+ bytes lost, \d+ skipped: "
                                         r"segments are missing in the capture\n")
                # Whatever is missing between two messages shows as a gap in seq, too, or is one of the wire.
                self.assertEqual(messages[-1]["metrics"][0]["value"], 199.0)

    def test_the_lost_bytes_are_counted_to_the_last_one(self):
        wire = make.Wire(mss=500)
        talk = begin(wire)
        life(talk, 3)
        before = len(wire.packets)
        talk.send(0, make.publish(NODE.format("NDATA"), make.data([7.0] * 60, T, 4)))  # several segments
        inside = make.lose(wire.packets, [before + 2])
        life(talk, 40)
        wire.packets = make.lose(wire.packets, [before + 2])
        messages, errors, _ = decode(make.pcap(wire.packets))
        lost = int(re.search(r"(\d+) bytes lost", errors)[1])
        size = len(make.publish(NODE.format("NDATA"), make.data([7.0] * 60, T, 4)))
        skipped = int(re.search(r"(\d+) skipped", errors)[1])
        self.assertEqual((lost, lost + skipped, len(messages)), (500, size, 4 + 41))
        self.assertTrue(inside)

    def test_loss_and_reordering_together(self):
        packets = make.reorder(self.lost(0.03, 5), 0.2, 8, 6)
        messages, errors, status = decode(make.pcap(packets))
        numbers = self.numbers(messages)
        self.assertEqual((numbers, status), (sorted(set(numbers)), 1))
        self.assertGreater(len(numbers), 150)
        self.assertIn("bytes lost", errors)

    def test_loss_within_web_sockets(self):
        wire = make.Wire(mss=90)
        talk = wire.connection(40001, 8080)
        talk.send(0, make.REQUEST)
        talk.send(1, make.RESPONSE)
        talk.send(0, make.frame(make.connect("w"), b"\1\2\3\4"))
        talk.send(1, make.frame(make.connack()))
        start = len(wire.packets)
        talk.send(0, make.frame(make.publish(NODE.format("NBIRTH"), birth()), b"\1\2\3\4"))
        for i in range(100):
            talk.send(0, make.frame(make.publish(NODE.format("NDATA"), make.data([float(i)] * 4, T, (i + 1) % 256)),
                                    bytes([i, 2, 3, 4])))
        dice = random.Random(2)
        gone = [i for i in range(start + 4, len(wire.packets) - 8) if dice.random() < 0.04]
        messages, errors, status = decode(make.pcap(make.lose(wire.packets, gone)))
        numbers = self.numbers(messages)
        self.assertEqual((numbers, status), (sorted(set(numbers)), 1))
        self.assertGreater(len(numbers), 80)
        self.assertIn("bytes lost", errors)

    def test_a_beginning_in_the_middle(self):
        wire = simple(100, mss=60)
        for cut in range(8, 60, 3):
            messages, errors, status = decode(make.pcap(wire.packets[cut:]))
            numbers = self.numbers(messages)
            self.assertEqual(numbers, [float(i) for i in range(100 - len(numbers), 100)])
            self.assertGreater(len(numbers), 75)
            self.assertEqual({m.get("client") for m in messages}, {None})
            self.assertIn(status, (0, 1))
            if "gap" in errors:
                self.assertRegex(errors, r"gap from 10\.0\.0\.1:40001: 0 bytes lost, \d+ skipped: the capture begins in the "
                                         r"middle of it\n")

    def test_a_beginning_in_the_middle_on_an_unknown_port(self):
        wire = make.Wire()
        life(wire.connection(40001, 5555, handshake=False))
        messages, errors, status = decode(make.pcap(wire.packets))
        self.assertEqual((len(messages), errors, status), (21, "", 0))

    def test_a_beginning_in_the_middle_of_mqtt_5(self):
        wire = make.Wire()
        life(wire.connection(40001, handshake=False), level=5)
        messages, errors, status = decode(make.pcap(wire.packets))
        self.assertEqual((self.numbers(messages), errors, status), ([float(i) for i in range(20)], "", 0))

    def test_a_beginning_in_the_middle_of_web_sockets(self):
        wire = make.Wire()
        talk = wire.connection(40001, 8080, handshake=False)
        for i in range(5):
            talk.send(0, make.frame(make.publish(NODE.format("NDATA"), make.data([float(i)], T, i)), bytes([i, 1, 2, 3])))
        self.assertEqual(self.numbers(decode(make.pcap(wire.packets))[0]), [0.0, 1.0, 2.0, 3.0, 4.0])

    def test_packets_that_were_cut(self):
        wire = make.Wire()
        life(begin(wire), 30, metrics=20)
        content = make.pcap(wire.packets, snaplen=200)
        messages, errors, status = decode(content)
        self.assertEqual([m["kind"] for m in messages], ["NBIRTH"])  # the others are longer
        self.assertRegex(errors, r"spb: stdin: 30 packets were captured with fewer bytes than they had\n")
        self.assertEqual(status, 1)

    def test_only_one_direction_was_captured(self):
        wire = make.Wire()
        talk = wire.connection(40001, handshake=False)
        for i in range(40):
            talk.send(0, make.publish(NODE.format("NDATA"), make.data([float(i)], T, i)), acknowledge=False)
            wire.now += 1_000_000
        messages, errors, status = decode(make.pcap(make.lose(wire.packets, [5, 6])))
        self.assertEqual(self.numbers(messages), [float(i) for i in range(40) if i not in (5, 6)])
        self.assertIn(" bytes lost, 0 skipped", errors)
        self.assertEqual(status, 1)

    def test_fragments_are_said(self):
        wire = simple(3)
        time, frame = wire.packets[-2]
        packet = bytearray(frame)
        packet[20] |= 0x20  # more fragments
        wire.packets.insert(-1, (time, bytes(packet)))
        _, errors, _ = decode(make.pcap(wire.packets))
        self.assertIn("spb: stdin: 1 IP fragments, which are not put together\n", errors)

    def test_bytes_that_are_no_mqtt(self):
        wire = make.Wire()
        talk = begin(wire)
        life(talk, 3)
        talk.send(0, b"\x00\xff\x00\xff" * 20)
        life(talk, 3)
        messages, errors, status = decode(make.pcap(wire.packets))
        self.assertEqual((len(messages), status), (8, 1))
        self.assertIn("gap from gateway (10.0.0.1:40001): 0 bytes lost, 80 skipped: bytes that are no MQTT packet\n", errors)

    def test_a_file_that_ends_too_early(self):
        content = make.pcap(simple().packets)
        for length in (0, 3, 24, 30, 41, len(content) - 10):
            messages, errors, status = decode(content[:length])
            self.assertEqual(status, 0 if length in (0, 24) else 1, (length, errors))
            self.assertTrue(length < 1000 or len(messages) == 21)

    def test_an_unknown_link_type(self):
        _, errors, status = decode(make.pcap(simple().packets, 147))
        self.assertEqual((errors, status), ("spb: stdin: captured on a link type that is not known\n", 1))

    def test_other_topics_are_counted(self):
        wire = make.Wire()
        talk = begin(wire)
        talk.send(0, make.publish("house/lamp", b"on") * 3)
        life(talk)
        messages, errors, status = decode(make.pcap(wire.packets))
        self.assertEqual((len(messages), status), (21, 0))
        self.assertRegex(errors, r"^spb: stdin: packet \d+: skipped, not a topic of Sparkplug: house/lamp\n"
                                 r"spb: stdin: 3 messages with other topics were skipped\n$")


class Later(unittest.TestCase):
    def wire(self):
        wire = make.Wire()
        talk = begin(wire)
        talk.send(0, make.publish(NODE.format("NDATA"), make.data([7.0], T, 8)))
        talk.send(0, make.publish(NODE.format("NBIRTH"), birth()))
        talk.send(0, make.publish(NODE.format("NDATA"), make.data([8.0], T, 1)))
        return make.pcap(wire.packets)

    def test_a_birth_that_comes_later_names_what_came_before(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.wire())
            file.flush()
            done = run("--json", file.name)
        messages = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((done.stderr, done.returncode), (b"", 0))
        self.assertEqual(messages[0]["remark"], "named by a later birth")
        self.assertEqual((messages[0]["metrics"][0]["name"], messages[0]["metrics"][0]["type"]), ("A", "Double"))
        self.assertNotIn("remark", messages[2])

    def test_a_pipe_cannot_be_read_twice(self):
        messages, errors, status = decode(self.wire())
        self.assertEqual(messages[0]["metrics"][0], {"alias": 1, "timestamp": T, "type": "Unknown", "field": "double_value",
                                                      "value": 7})
        self.assertRegex(errors, r"^spb: stdin: packet \d+: G/N: no birth was seen, so not all names and datatypes are known\n$")
        self.assertEqual(status, 1)

    def test_it_holds_for_text_too(self):
        line = "1.5\t{}\t{}\n"
        text = line.format(NODE.format("NDATA"), make.data([7.0], T, 8).hex()) + line.format(NODE.format("NBIRTH"),
                                                                                            birth().hex())
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            done = run("--json", file.name)
            with open(file.name, "rb") as again:
                as_input = subprocess.run([TOOL, "decode", "--json"], stdin=again, capture_output=True, timeout=60)
        self.assertEqual(json.loads(done.stdout.splitlines()[0])["metrics"][0]["name"], "A")
        self.assertEqual((done.stdout, done.stderr, done.returncode), (as_input.stdout, b"", 0))


class Filters(unittest.TestCase):
    capture = str(DATA / "js-edge.pcap")

    def kinds(self, *options, file=None):
        done = run("--json", *options, file or self.capture)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        messages = [json.loads(line) for line in done.stdout.splitlines()]
        counts = {}
        for message in messages:
            counts[message["kind"]] = counts.get(message["kind"], 0) + 1
        return counts, messages

    def test_kind(self):
        self.assertEqual(self.kinds("--kind", "NBIRTH,ddata")[0], {"NBIRTH": 2, "DDATA": 40})
        self.assertEqual(self.kinds("--kind", "STATE")[0], {"STATE": 1})

    def test_names_are_known_although_births_are_not_shown(self):
        _, messages = self.kinds("--kind", "DDATA")
        self.assertTrue(all(m["metrics"][0]["name"] == "Temperature" for m in messages))
        self.assertEqual([m for m in self.kinds()[1] if m["kind"] == "DDATA"], messages)

    def test_group_node_device(self):
        everything = {"NBIRTH": 2, "NDATA": 5, "NDEATH": 1, "NCMD": 1, "DBIRTH": 2, "DDATA": 40, "DDEATH": 1, "DCMD": 1}
        self.assertEqual(self.kinds("--group", "Plant1")[0], everything)
        self.assertEqual(self.kinds("--node", "Press*")[0], everything)
        self.assertEqual(self.kinds("--node", "Press Line ?", "--group", "*")[0], everything)
        self.assertEqual(self.kinds("--device", "PLC-7")[0], {"DBIRTH": 2, "DDATA": 40, "DDEATH": 1, "DCMD": 1})
        self.assertEqual(self.kinds("--group", "Plant2")[0], {})

    def with_running(self):
        """Data messages with that metric, without a filter."""
        everything = self.kinds()[1]
        count = sum(m["kind"] == "DDATA" and any(metric["name"] == "Running" for metric in m["metrics"]) for m in everything)
        self.assertGreater(count, 5)
        return count

    def test_metric(self):
        counts, messages = self.kinds("--metric", "R*g")
        self.assertEqual(counts, {"DBIRTH": 2, "DDATA": self.with_running()})
        self.assertEqual({metric["name"] for m in messages for metric in m["metrics"]}, {"Running"})
        self.assertEqual(self.kinds("--metric", "Motors/?1")[0], {"DBIRTH": 2})

    def test_time(self):
        counts, messages = self.kinds("--from", "12:35:54.4", "--to", "2026-11-22T12:35:54.5Z")
        self.assertEqual([m["time"] for m in messages], [1795350954402, 1795350954443, 1795350954484])
        self.assertEqual(self.kinds("--from", "1795350954.4", "--to", "1795350954.5")[0], counts)
        self.assertEqual(self.kinds("--from", "2026-11-23")[0], {})

    def test_they_hold_for_text_too(self):
        text = str(DATA / "js-edge.tsv")
        self.assertEqual(self.kinds("--kind", "DDATA", "--metric", "Running", file=text)[0], {"DDATA": self.with_running()})
        self.assertEqual(len(self.kinds("--from", "12:35:54.4", "--to", "12:35:54.5", file=text)[1]), 3)


class Csv(unittest.TestCase):
    header = ["time", "node", "device", "metric", "type", "value", "quality", "historical"]

    def rows(self, *arguments, stdin=None):
        done = run("--csv", *arguments, stdin=stdin)
        self.assertTrue(done.stdout.endswith(b"\r\n"))
        rows = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
        self.assertEqual(rows[0], self.header)
        return rows[1:]

    def test_every_field_against_json(self):
        done = run("--json", str(DATA / "js-edge.pcap"))
        wanted = []
        for message in map(json.loads, done.stdout.splitlines()):
            for metric in message.get("metrics", []):
                wanted.append((f"{message['group']}/{message['node']}", message.get("device", ""), metric["name"],
                               metric["type"], metric.get("value"),
                               str(metric.get("properties", {}).get("Quality", {}).get("value", "")),
                               "true" if metric.get("is_historical") else "false"))
        rows = self.rows(str(DATA / "js-edge.pcap"))
        self.assertEqual(len(rows), len(wanted))
        for row, (node, device, name, kind, value, quality, historical) in zip(rows, wanted):
            self.assertEqual((row[1], row[2], row[3], row[4], row[6], row[7]), (node, device, name, kind, quality, historical))
            self.assertRegex(row[0], r"^2026-11-22T12:3\d:\d\d\.\d{3}Z$")
            if value is None:
                self.assertEqual(row[5], "")
            elif kind in ("DataSet", "Template"):
                self.assertEqual(json.loads(row[5]), value)
            elif kind == "Boolean":
                self.assertEqual(row[5], str(value).lower())
            elif kind == "DateTime":
                self.assertRegex(row[5], r"^2026-11-22T12:35:5\d\.\d{3}Z$")
            elif kind in ("Float", "Double"):
                self.assertEqual(float(row[5]), value)
            else:
                self.assertEqual(row[5], str(value))

    def test_hard_texts(self):
        texts = ["", "a,b", 'say "x"', "two\r\nlines", "=1+1", " ", "ß→", "\t"]
        metrics = [make.metric(one, f"N,\"{i}\"", datatype=make.STRING, timestamp=T) for i, one in enumerate(texts)]
        metrics.append(make.bytes_field(2, make.bytes_field(1, "null") + make.number_field(4, 12) + make.number_field(7, 1)))
        wire = make.Wire()
        topic = 'spBv1.0/Gr,"oup/DBIRTH/No de/De"v'
        begin(wire).send(0, make.publish(topic, make.payload(metrics, T, 0)))
        rows = self.rows(stdin=make.pcap(wire.packets))
        self.assertEqual([row[5] for row in rows], texts + [""])
        self.assertEqual([row[3] for row in rows[:-1]], [f"N,\"{i}\"" for i in range(len(texts))])
        self.assertEqual({(row[1], row[2]) for row in rows}, {('Gr,"oup/No de', 'De"v')})
        raw = run("--csv", stdin=make.pcap(wire.packets)).stdout
        self.assertIn(b',String,"",,false\r\n', raw)  # an empty text is not null
        self.assertIn(b",null,String,,,false\r\n", raw)

    def test_safe_for_spreadsheets(self):
        harmless = ["", "a=1", "1-1", "'=1", "[=1]", " ", "ß=", "_+1"]
        formulas = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n1", "\x7f", " =1", "   @x", "＝1", "＋1", "－1", "＠x", "\u0085=",
                    '=cmd|"/c calc"!A1', "=1,2"]
        texts = harmless + formulas
        metrics = [make.metric(one, f"=N{i}", datatype=make.STRING, timestamp=T) for i, one in enumerate(texts)]
        wire = make.Wire()
        begin(wire).send(0, make.publish("spBv1.0/=G/DBIRTH/-N/@D", make.payload(metrics, T, 0)))
        capture = make.pcap(wire.packets)
        plain, safe = self.rows(stdin=capture), self.rows("--csv-safe", stdin=capture)
        self.assertEqual([row[5] for row in plain], texts)
        self.assertEqual([row[5] for row in safe], harmless + ["'" + re.sub(r"([\t\r])=", r"\1'=", one) for one in formulas])
        self.assertEqual([row[3] for row in safe], [f"'=N{i}" for i in range(len(texts))])
        self.assertEqual({(row[1], row[2]) for row in safe}, {("'=G/-N", "'@D")})
        self.assertEqual([row[:1] + row[4:5] + row[6:] for row in safe], [row[:1] + row[4:5] + row[6:] for row in plain])

    def test_a_spreadsheet_that_cuts_elsewhere_sees_no_formula(self):
        """With semicolons or tabs for separators, as where a comma is a decimal point, quotes in mid-cell mean nothing."""
        texts = ["a;=1+1", "a;;=1", "a; @x", "b\t+1", "c\n-1", "d\r\n =1", "e;＝1", "=f;=1", "g;h;\"=1", ";=1", "fine;x", "a;\u0085=1"]
        metrics = [make.metric(one, "n", datatype=make.STRING, timestamp=T) for one in texts]
        metrics.append(make.metric("-", "N;=1", datatype=make.STRING, timestamp=T))
        wire = make.Wire()
        begin(wire).send(0, make.publish("spBv1.0/G;=1/DBIRTH/N;=2/D;=3", make.payload(metrics, T, 0)))
        capture = make.pcap(wire.packets)
        done = run("--csv", "--csv-safe", stdin=capture).stdout.decode()
        for separator in ";\t":
            for row in csv.reader(io.StringIO(done), delimiter=separator, quoting=csv.QUOTE_NONE):
                for cell in row[1:] + ([] if row[0][:1].isdigit() else row[:1]):
                    self.assertNotRegex(cell, r"^ *[=+\-@＝\u0085]")
        rows = self.rows("--csv-safe", stdin=capture)
        self.assertEqual([row[5].replace("'", "") for row in rows], texts + ["-"])
        self.assertEqual(rows[10][5], "fine;x")
        self.assertEqual(rows[0][1:4], ["G;'=1/N;'=2", "D;'=3", "n"])
        self.assertEqual([row[5] for row in self.rows(stdin=capture)], texts + ["-"])

    def test_numbers_and_bytes_of_safe_rows(self):
        metrics = [
            make.bytes_field(2, make.bytes_field(1, "i") + make.number_field(4, 3) + make.number_field(10, 2**32 - 5)),
            make.bytes_field(2, make.bytes_field(1, "b") + make.number_field(4, 17) + make.bytes_field(16, b"\xf8\x01\x02")),
            make.bytes_field(2, make.bytes_field(1, "c") + make.number_field(4, 17) + make.bytes_field(16, b"\xf4\x01\x02")),
        ]
        wire = make.Wire()
        begin(wire).send(0, make.publish("spBv1.0/G/DBIRTH/N/D", make.payload(metrics, T, 0)))
        capture = make.pcap(wire.packets)
        self.assertEqual([row[5] for row in self.rows("--csv-safe", stdin=capture)], ["-5", "'+AEC", "9AEC"])
        self.assertEqual([row[5] for row in self.rows(stdin=capture)], ["-5", "+AEC", "9AEC"])

    def test_unfolded(self):
        rows = self.rows("--unfold", "--kind", "NBIRTH,DBIRTH", str(DATA / "js-edge.pcap"))
        by_name = {row[3]: (row[4], row[5]) for row in rows}
        self.assertEqual(by_name["Recipe[0].Step"], ("String", "Preheat"))
        self.assertEqual(by_name["Recipe[1].Setpoint"], ("Double", "92.25"))
        self.assertEqual(by_name["Motors/M1/RPM"], ("Int32", "1480"))
        self.assertEqual(by_name["Motors/M1/Rated kW"], ("Float", "11"))
        self.assertNotIn("Recipe", by_name)
        self.assertEqual(by_name["Temperature"][0], "Double")

    def test_no_rows_have_a_header(self):
        self.assertEqual(self.rows("--kind", "STATE", str(DATA / "js-edge.pcap")), [])


class Unfold(unittest.TestCase):
    def message(self, value, datatype):
        out = make.bytes_field(1, "Levels") + make.number_field(2, 5) + make.number_field(4, datatype) + make.bytes_field(16, value)
        line = f"1.5\tspBv1.0/G/NBIRTH/N\t{make.payload([make.bytes_field(2, out)], T, 0).hex()}\n"
        done = run("--json", "--unfold", stdin=line.encode())
        return json.loads(done.stdout), done.stderr.decode(), done.returncode

    def test_an_array(self):
        message, errors, status = self.message(bytes([1, 0, 2, 0, 0xFF, 0xFF]), 23)
        self.assertEqual([(m["name"], m["type"], m["value"]) for m in message["metrics"]],
                         [("Levels[0]", "Int16", 1), ("Levels[1]", "Int16", 2), ("Levels[2]", "Int16", -1)])
        self.assertEqual((errors, status), ("", 0))

    def test_an_empty_array_stays(self):
        message, _, _ = self.message(b"", 23)
        self.assertEqual([(m["name"], m["value"]) for m in message["metrics"]], [("Levels", [])])

    def test_more_parts_than_can_be_wanted(self):
        message, errors, status = self.message((4000000).to_bytes(4, "little") + bytes(500000), 32)
        self.assertEqual((len(message["metrics"]), len(message["metrics"][0]["value"])), (1, 4000000))
        self.assertEqual((errors, status), ("spb: stdin:1: the metrics have more than 100,000 parts, so they are shown "
                                            "whole\n", 1))

    def test_text(self):
        done = run("--unfold", "--kind", "NBIRTH", str(DATA / "js-edge.pcap"))
        self.assertIn('  Recipe[0].Step          String    "Preheat"\n', done.stdout.decode())


class Stats(unittest.TestCase):
    def test_the_real_capture(self):
        done = run("--stats", "--json", str(DATA / "js-edge.pcap"))
        node, total = map(json.loads, done.stdout.splitlines())
        messages = {"NBIRTH": 2, "NDEATH": 1, "NDATA": 5, "NCMD": 1, "DBIRTH": 2, "DDEATH": 1, "DDATA": 40, "DCMD": 1, "all": 53}
        self.assertEqual(node["messages"], messages)
        self.assertEqual((node["group"], node["node"], node["devices"], node["historical"]), ("Plant1", "Press Line 4", 1, 2))
        self.assertEqual((total["nodes"], total["messages"]["all"], total["messages"]["STATE"]), (1, 54, 1))
        self.assertEqual(total["capture"]["packets"], 223)
        self.assertEqual((total["capture"]["copies"], total["capture"]["gaps"]), (55, 0))

    def test_text_has_the_same_sums(self):
        shown = run("--stats", str(DATA / "js-edge.tsv")).stdout.decode()
        self.assertIn("Plant1/Press Line 4, 1 device\n", shown)
        self.assertIn("  metrics      96, ", shown)
        self.assertIn("; 2 historical\n", shown)
        self.assertNotIn("packets", shown)

    def test_gaps_in_the_sequence(self):
        wire = make.Wire()
        talk = begin(wire)
        talk.send(0, make.publish(NODE.format("NBIRTH"), birth()))
        for seq in (1, 2, 5, 6, 0, 1):
            talk.send(0, make.publish(NODE.format("NDATA"), make.data([float(seq)], T, seq)))
        done = run("--stats", "--json", stdin=make.pcap(wire.packets))
        node = json.loads(done.stdout.splitlines()[0])
        self.assertEqual((node["sequence_gaps"], node["missing_messages"]), (2, 2 + 249))
        self.assertIn("2 gaps, 251 messages missing", run("--stats", stdin=make.pcap(wire.packets)).stdout.decode())

    def test_filters_hold(self):
        done = run("--stats", "--json", "--kind", "DDATA", "--metric", "Running", str(DATA / "js-edge.pcap"))
        node = json.loads(done.stdout.splitlines()[0])
        self.assertEqual(node["messages"], {"DDATA": node["metrics"], "all": node["metrics"]})
        self.assertGreater(node["metrics"], 5)


class CommandLine(unittest.TestCase):
    def test_usage_errors(self):
        for words, wanted in (
            (["--port", "0"], "--port takes numbers from 1 to 65535, not 0"),
            (["--port", "1883,x"], "--port takes numbers"),
            (["--kind", "NDATA,FOO"], "--kind takes NBIRTH"),
            (["--from", "yesterday"], "--from takes a time, not yesterday"),
            (["--to", "25:00"], "--to takes a time, not 25:00"),
            (["--csv", "--json"], "--csv goes with neither --json nor --stats"),
            (["--csv-safe", "--stats"], "--csv goes with neither --json nor --stats"),
            (["--csv", "--stats"], "--csv goes with neither --json nor --stats"),
        ):
            done = run(*words, stdin=b"")
            self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)
            self.assertIn(wanted, done.stderr.decode())

    def test_text_tells_who_sent_it(self):
        shown = run(str(DATA / "js-edge.pcap")).stdout.decode()
        self.assertIn("Temperature 21.6 °C  from js-edge-1\n", shown)
        self.assertIn("from mqttjs_6b30dd1b, QoS 1, retained\n", shown)
        self.assertIn("NDEATH           bdSeq 0  to 127.0.0.1:58488\n", shown)


def big_capture(directory, messages):
    path = pathlib.Path(directory) / "big.pcap"
    make.write_long(path, messages, 100, 20)
    return path


class Large(unittest.TestCase):
    def peak_kib(self, path, *options):
        command = [TOOL, "decode", *options, str(path)]
        # A sanitizer keeps what was freed for a while: little of it here.
        env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env) as tool:
            errors = tool.stderr.read()
            _, status, usage = os.wait4(tool.pid, 0)
            tool.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((errors, tool.returncode), (b"", 0))
        return usage.ru_maxrss

    def test_memory_does_not_grow_with_the_file(self):
        with tempfile.TemporaryDirectory() as directory:
            small = self.peak_kib(big_capture(directory, 200), "--json")
            large = self.peak_kib(big_capture(directory, 20000), "--json")  # 44 MB
            self.assertLess(large, small + 4096)

    def test_many_connections_and_much_that_waits(self):
        """Half-open streams, each with data behind a hole: bounded by the limits, and said."""
        wire = make.Wire()
        for i in range(12000):
            source, target = (i >> 8, 1000 + i % 50000), (9, 1883)
            wire.put(source, target, 1, 0, make.SYN)
            wire.put(source, target, 1000, 0, make.PSH, b"x" * 1400)
        with tempfile.NamedTemporaryFile() as file:
            file.write(make.pcap(wire.packets))
            file.flush()
            command = [TOOL, "decode", file.name]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as tool:
                errors = tool.stderr.read().decode()
                _, status, usage = os.wait4(tool.pid, 0)
                tool.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(tool.returncode, 0, errors)
        self.assertRegex(errors, r"spb: .*: \d+ connections were given up, as there were too many at a time\n")
        self.assertLess(usage.ru_maxrss, 160 * 1024)

    def test_no_bar_for_a_small_file(self):
        ours, theirs = pty.openpty()
        done = subprocess.run([TOOL, "decode", str(DATA / "js-edge.pcap")], stdout=subprocess.DEVNULL, stderr=theirs, timeout=60)
        os.write(theirs, b"end")
        self.assertEqual((done.returncode, os.read(ours, 100)), (0, b"end"))
        os.close(theirs)
        os.close(ours)


if __name__ == "__main__":
    if hasattr(resource, "RLIMIT_CORE"):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    unittest.main()
