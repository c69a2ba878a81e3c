"""The tool `spb encode`: the way back from `spb decode --json`, its forms of output, its errors."""
import base64
import json
import os
import pathlib
import subprocess
import unittest

unittest.TestCase.maxDiff = None  # all that a program said
TOOL = os.environ["SPB_TOOL"]
CAPTURE = pathlib.Path(os.environ["SPB_TEST_DATA"]) / "js-edge.tsv"
INT = {"name": "a", "type": "Int32", "value": 1}
INT_HEX = "120712016120035001".replace("12071201", "12070a01")


def spb(command, *options, stdin=None):
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([TOOL, command, *options], input=stdin, capture_output=True, timeout=60)


def lines(*messages):
    return "".join(json.dumps(one) + "\n" for one in messages)


class RoundTrip(unittest.TestCase):
    def test_a_capture_comes_back(self):
        decoded = spb("decode", "--json", str(CAPTURE))
        encoded = spb("encode", stdin=decoded.stdout)
        self.assertEqual((encoded.returncode, encoded.stderr), (0, b""))
        wanted = [line.split("\t")[1:] for line in CAPTURE.read_text().splitlines()]
        self.assertEqual([line.split("\t")[1:] for line in encoded.stdout.decode().splitlines()], wanted)
        self.assertEqual(spb("decode", "--json", stdin=encoded.stdout).stdout, decoded.stdout)

    def test_data_without_its_birth_comes_back(self):
        # An alias with an int_value, one with a long_value, one without a value.
        data = "1.000\tspBv1.0/G/NDATA/N\t120410055007120410065807" + "12021007\n"
        decoded = spb("decode", "--json", stdin=data).stdout
        self.assertEqual([(one["type"], one.get("field"), one["value"]) for one in json.loads(decoded)["metrics"]],
                         [("Unknown", "int_value", 7), ("Unknown", "long_value", 7), ("Unknown", None, None)])
        self.assertEqual(spb("encode", stdin=decoded).stdout.decode(), data)


class Output(unittest.TestCase):
    message = {"time": 1500, "topic": "spBv1.0/G/NDATA/N", "metrics": [INT]}

    def test_the_forms(self):
        raw = bytes.fromhex(INT_HEX)
        tsv = f"1.500\tspBv1.0/G/NDATA/N\t{INT_HEX}\n".encode()
        for options, wanted in (([], tsv), (["--output", "tsv"], tsv), (["--output", "raw"], raw),
                                (["--output", "hex"], INT_HEX.encode() + b"\n"),
                                (["--output=base64"], base64.b64encode(raw) + b"\n")):
            done = spb("encode", *options, stdin=lines(self.message))
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, wanted, b""))

    def test_a_payload_alone_is_hex(self):
        done = spb("encode", stdin=lines({"metrics": [INT]}))
        self.assertEqual((done.returncode, done.stdout), (0, INT_HEX.encode() + b"\n"), done.stderr)

    def test_the_time_is_that_of_the_payload_if_there_is_no_other(self):
        one = {"kind": "NDATA", "group": "G", "node": "N", "timestamp": 2007, "metrics": []}
        self.assertTrue(spb("encode", stdin=lines(one)).stdout.startswith(b"2.007\tspBv1.0/G/NDATA/N\t"))
        del one["timestamp"]
        self.assertTrue(spb("encode", stdin=lines(one)).stdout.startswith(b"0.000\t"))

    def test_raw_has_room_for_one_payload(self):
        done = spb("encode", "--output", "raw", stdin=lines(self.message, self.message))
        self.assertEqual((done.returncode, done.stdout), (1, bytes.fromhex(INT_HEX)), done.stderr)
        self.assertEqual(done.stderr, b"spb: stdin:2: raw output has no place for a second payload\n")

    def test_a_line_of_tsv_has_a_topic(self):
        done = spb("encode", "--output", "tsv", stdin=lines({"metrics": []}))
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        self.assertIn(b"stdin:1: topic: missing, and tsv output has one in each line", done.stderr)

    def test_a_topic_cannot_begin_another_line(self):
        topics = "spBv1.0/G/NDATA/N\n2.000\tforged", "spBv1.0/G/NDATA/N\t1\r\x1b"
        done = spb("encode", stdin=lines(*({"topic": topic, "timestamp": 1000, "seq": 0, "metrics": [INT]} for topic in topics)))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b"spb: stdin:1: topic: has a line feed, which a line of tsv cannot hold\n")
        self.assertRegex(done.stdout, rb"^1\.000\tspBv1\.0/G/NDATA/N\t1\r\x1b\t[0-9a-f]+\n$")
        again = spb("decode", "--input", "tsv", "--json", stdin=done.stdout)
        self.assertEqual(json.loads(again.stdout)["topic"], topics[1])


class Errors(unittest.TestCase):
    def test_what_is_wrong_is_told_and_the_rest_encoded(self):
        bad = {"metrics": [INT, {"name": "b", "type": "Int8", "value": 300}]}
        done = spb("encode", stdin=lines({"metrics": [INT]}, bad) + "\n  \nnot json\n" + lines({"metrics": [INT]}))
        self.assertEqual((done.returncode, done.stdout.decode()), (1, (INT_HEX + "\n") * 2), done.stderr)
        at = json.dumps(bad).index("300")
        self.assertEqual(done.stderr.decode().splitlines(), [
            f"spb: stdin:2: metrics[1].value: 300 does not fit Int8, from -128 to 127 at byte {at} of the line",
            "spb: stdin:5: not a JSON value at byte 0 of the line",
        ])

    def test_an_object_on_several_lines_is_told(self):
        done = spb("encode", stdin=json.dumps({"metrics": [INT]}, indent=1))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"one object on one line", done.stderr)

    def test_a_file_that_is_not_there(self):
        done = spb("encode", "/does/not/exist")
        self.assertEqual((done.returncode, done.stderr), (1, b"spb: /does/not/exist: No such file or directory\n"))

    def test_usage_errors(self):
        for words, wanted in ((["--output", "xml"], b"unknown output format xml"), (["--output"], b"a value is missing"),
                              (["--json"], b"unknown option --json"), (["a", "b"], b"only one file")):
            done = spb("encode", *words)
            self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)
            self.assertIn(wanted, done.stderr)


unittest.main()
