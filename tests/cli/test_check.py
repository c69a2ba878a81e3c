"""The tool `spb check`: what it finds in the capture of another node, how it shows that, how it ends."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "capture"))
import make_pcap as make  # noqa: E402

unittest.TestCase.maxDiff = None  # all that a program said
TOOL = os.environ["SPB_TOOL"]
DATA = pathlib.Path(os.environ["SPB_TEST_DATA"])
NOW = 1_700_000_000_000

# What is wrong in tests/data/js-edge.*, found by hand with tshark and protoc: rule, how often, packet and line of the first.
# The node: the will has QoS 0; bdSeq is a UInt64, in the will and in both births, and in these without a timestamp; it
# subscribes to commands with QoS 0; data has datatypes; data of the device goes on after its DDEATH. The host: no will, no
# subscription; its DCMD has a name and a datatype, its NCMD a datatype.
FAULTS = {
    "tck-id-payloads-ndeath-will-message-qos": (1, 5, None),
    "tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq": (1, 5, None),
    "tck-id-message-flow-edge-node-ncmd-subscribe": (1, 9, None),
    "tck-id-message-flow-device-dcmd-subscribe": (1, 9, None),
    "tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq": (2, 9, 1),
    "tck-id-payloads-name-birth-data-requirement": (2, 9, 1),
    "tck-id-payloads-metric-datatype-not-req": (47, 18, 3),
    "tck-id-payloads-ddata-order": (9, 181, 44),
    "tck-id-payloads-alias-data-cmd-requirement": (1, 122, 30),
    "tck-id-host-topic-phid-death-required": (1, 49, None),
    "tck-id-payloads-state-subscribe": (1, 49, None),
}


def check(*options, stdin=None):
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([TOOL, "check", *options], input=stdin, capture_output=True, timeout=60)


def encode(*messages):
    text = "".join(json.dumps(one) + "\n" for one in messages)
    return subprocess.run([TOOL, "encode"], input=text.encode(), stdout=subprocess.PIPE, check=True, timeout=60).stdout


def found(output):
    """rule: (count, first), by the summary."""
    lines = re.findall(r"^ +(\d+) +(\d+) +(?:MUST|SHOULD) +(\S+)$", output.decode(), re.M)
    return {rule: (int(count), int(first)) for count, first, rule in lines}


def metric(name, kind, value):
    return {"name": name, "timestamp": NOW, "type": kind, "value": value}


def birth(**more):
    return {"time": NOW, "kind": "NBIRTH", "group": "G", "node": "N", "timestamp": NOW, "seq": 0,
            "metrics": [metric("bdSeq", "Int64", 0), metric("Node Control/Rebirth", "Boolean", False)], **more}


class Capture(unittest.TestCase):
    def test_the_faults_of_a_node_are_found_in_its_packets(self):
        done = check(str(DATA / "js-edge.pcap"))
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        self.assertEqual(found(done.stdout), {rule: (count, packet) for rule, (count, packet, _) in FAULTS.items()})
        self.assertTrue(done.stdout.endswith(b"54 messages, 67 findings\n"))

    def test_and_in_its_messages_alone(self):
        done = check(str(DATA / "js-edge.tsv"))
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        self.assertEqual(found(done.stdout), {rule: (count, line) for rule, (count, _, line) in FAULTS.items() if line})

    def test_a_finding_says_where_what_and_what_would_be_right(self):
        text = check(str(DATA / "js-edge.pcap")).stdout.decode()
        self.assertIn("packet 181  2026-11-22T12:35:55.295Z  Plant1/Press Line 4/PLC-7  MUST tck-id-payloads-ddata-order\n"
                      "    DDATA after the DDEATH of the device; right: DDATA follows the NBIRTH and all DBIRTHs of the "
                      "session\n", text)

    def test_json_has_all_findings(self):
        done = check("--json", str(DATA / "js-edge.pcap"))
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, len(findings)), (1, 67), done.stderr)
        self.assertEqual(findings[0], {
            "rule": "tck-id-payloads-ndeath-will-message-qos", "level": "MUST", "packet": 5, "time": 1795350953954,
            "source": "Plant1/Press Line 4", "wrong": "the will has QoS 0", "right": "the will has QoS 1"})

    def test_three_of_each_rule_are_shown_or_all(self):
        def shown(*options):
            text = check(*options, str(DATA / "js-edge.tsv")).stdout.decode()
            return len(re.findall(r"^line \d+  .* tck-id-payloads-metric-datatype-not-req$", text, re.M)), text

        few, text = shown()
        self.assertEqual(few, 3)
        self.assertIn("50 further findings of these rules are not shown", text)
        every, text = shown("--all")
        self.assertEqual(every, 47)
        self.assertNotIn("not shown", text)


class Right(unittest.TestCase):
    def test_a_right_stream_has_no_finding(self):
        data = {"time": NOW, "kind": "NDATA", "group": "G", "node": "N", "timestamp": NOW, "seq": 1, "metrics": []}
        done = check(stdin=encode(birth(), data))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"2 messages, 0 findings\n", b""))
        done = check("--json", stdin=encode(birth(), data))
        self.assertEqual((done.returncode, done.stdout), (0, b""), done.stderr)

    def test_what_a_broker_forwards_is_judged_once(self):
        wire = make.Wire()
        node, host = wire.connection(40001), wire.connection(40002)
        will = ("spBv1.0/G/NDEATH/N", make.payload([make.metric(0, "bdSeq", datatype=make.INT64, timestamp=NOW)], NOW), 1, 0)
        node.send(0, make.connect("n", will))
        node.send(1, make.connack())
        node.send(0, make.subscribe([("spBv1.0/G/NCMD/N", 1)]))
        host.send(0, make.connect("h"))
        messages = [("spBv1.0/G/NBIRTH/N", make.births(2, NOW))]
        messages += [("spBv1.0/G/NDATA/N", make.data([1.0, 2.0], NOW, seq)) for seq in (1, 2, 9)]
        for topic, content in messages:
            node.send(0, make.publish(topic, content))
            host.send(1, make.publish(topic, content))
        node.send(0, make.disconnect())
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            file.write(make.pcap(wire.packets))
            file.flush()
            done = check("--json", file.name)
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([one["wrong"] for one in findings], ["seq is 9, after 2", "DISCONNECT without an NDEATH before it"])

    def test_what_is_lost_is_no_finding_but_the_input_is_not_whole(self):
        wire = make.node_wire(20, 3)
        whole = check(stdin=make.pcap(wire.packets))
        self.assertNotIn("-seq-inc", whole.stdout.decode())
        # The tenth NDATA from the end is missing: the server's acknowledgements are not sent, so each packet is one.
        lost = check(stdin=make.pcap(make.lose(wire.packets, [len(wire.packets) - 14])))
        self.assertEqual(lost.returncode, 3, lost.stderr)
        self.assertIn(b"gap from gateway-7", lost.stderr)
        self.assertNotIn("-seq-inc", lost.stdout.decode())


class CommandLine(unittest.TestCase):
    def test_what_cannot_be_read_is_told_and_the_rest_checked(self):
        done = check(stdin=encode(birth(seq=1)) + b"1.0\tspBv1.0/G/NDATA/N\t0x\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(done.stderr, b"spb: stdin:2: not a hex digit at byte 23 of the line\n")
        self.assertEqual(found(done.stdout), {"tck-id-topics-nbirth-seq-num": (1, 1)})

    def test_a_payload_alone_cannot_be_checked(self):
        done = check(stdin="0801\n")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"stdin:1: a payload without its topic cannot be checked", done.stderr)

    def test_a_file_that_is_not_there(self):
        done = check("/does/not/exist")
        self.assertEqual((done.returncode, done.stderr), (3, b"spb: /does/not/exist: No such file or directory\n"))

    def test_rules_are_listed(self):
        text = check("--rules").stdout.decode()
        rules = re.findall(r"^(MUST|SHOULD) +(\S+)\n        (\S.*)$", text, re.M)
        self.assertGreater(len(rules), 100)
        self.assertTrue(FAULTS.keys() <= {rule for _, rule, _ in rules})
        self.assertEqual(len(rules) * 2, len(text.splitlines()))

    def test_usage_errors(self):
        for words, wanted in ((["--input", "xml"], b"unknown input format xml"), (["--input"], b"a value is missing"),
                              (["--csv"], b"unknown option --csv"), (["--broker", "x"], b"x"), (["a", "b"], b"only one input")):
            done = check(*words)
            self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)
            self.assertIn(wanted, done.stderr)

    def test_a_reader_that_goes_away_is_no_error(self):
        tool = subprocess.Popen([TOOL, "check", "--all", str(DATA / "js-edge.tsv")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        tool.stdout.close()
        self.assertEqual(tool.stderr.read(), b"")
        self.assertEqual(tool.wait(60), 1)
        tool.stderr.close()


unittest.main()
