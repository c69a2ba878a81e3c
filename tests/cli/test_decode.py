"""The tool `spb decode` on captures and on damaged input: what it shows, what it reports, how it ends.

Payloads are written here field by field, so that no encoder of the project takes part.
"""
import base64
import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import unittest

unittest.TestCase.maxDiff = None  # all that a program said
TOOL = os.environ["SPB_TOOL"]
DATA = pathlib.Path(os.environ["SPB_TEST_DATA"])
CAPTURE = DATA / "js-edge.tsv"


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def number_field(field, number):
    return varint(field << 3) + varint(number)


def bytes_field(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def double_field(field, number):
    return varint(field << 3 | 1) + struct.pack("<d", number)


def float_field(field, number):
    return varint(field << 3 | 5) + struct.pack("<f", number)


def metric(name=None, alias=None, datatype=None, value=b"", extra=b""):
    out = bytes_field(1, name) if name is not None else b""
    out += number_field(2, alias) if alias is not None else b""
    out += number_field(4, datatype) if datatype is not None else b""
    return bytes_field(2, out + extra + value)


def payload(*metrics, seq=None):
    return number_field(1, 1000) + b"".join(metrics) + (number_field(3, seq) if seq is not None else b"")


INT, LONG, FLOAT, DOUBLE, BOOLEAN, STRING, BYTES = 10, 11, 12, 13, 14, 15, 16
INT32, INT64, UINT32, UINT64, T_FLOAT, T_DOUBLE, T_STRING, T_BYTES, T_FILE = 3, 4, 7, 8, 9, 10, 12, 17, 18


def line(topic, content, time="1.5"):
    return f"{time}\t{topic}\t{content.hex()}\n"


def run(*options, stdin=None, env=None):
    stdin = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([TOOL, "decode", *options], input=stdin, capture_output=True, timeout=60,
                          env={**os.environ, **(env or {})})


def run_json(text):
    done = run("--json", stdin=text)
    return [json.loads(one) for one in done.stdout.decode().splitlines()], done.stderr.decode(), done.returncode


class Capture(unittest.TestCase):
    def test_text_shows_all_messages_with_their_names(self):
        done = run(str(CAPTURE))
        text = done.stdout.decode()
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        messages = [one for one in text.splitlines() if one[2:3] == ":"]
        self.assertEqual(len(messages), 54)
        self.assertNotIn("alias 1001\n", text.replace("(alias 1001)", ""))
        self.assertNotIn("Unknown", text)
        self.assertNotIn("\033", text)
        for wanted in (
            "2026-11-22 UTC\n12:35:53.969  Plant1/Press Line 4       NBIRTH  seq 0    bdSeq 0    16 metrics\n",
            "  Negative32            Int32     -123456\n",
            "  Negative64            Int64     -5000000000\n",
            "  I8                    Int8      -1\n",
            "  U32                   UInt32    4000000000\n",
            '  Properties/Firmware   String    "4.2.1-ß"\n',
            "  StartTime             DateTime  2026-11-22T12:35:53.967Z\n",
            '  Step       Setpoint\n                  String       Double\n                  "Preheat"     180.5\n'
            '                  "Press"       92.25\n',
            "  Motors/M1    Template  of Motor, version 1.0  (alias 1003)\n                  RPM       Int32  1480\n"
            "                  Amps      Float  11.25\n                  Rated kW  Float  11  (parameter)\n",
            "  Temperature  Double    21.5 °C  {Quality: 192 GOOD}  (alias 1001)\n",
            "  DDATA   seq 2    Temperature 21.6 °C\n",
            "  Temperature  Double  19.75 °C  (historical, at 12:34:54.850)\n",
            "  STATE   online   since 2026-11-22T12:35:54.286Z\n",
            "  DDATA   seq 13   Temperature 24.6 °C  [after DDEATH]\n",
            "  NDEATH           bdSeq 0\n",
        ):
            self.assertIn(wanted, text)

    def test_json_has_one_object_for_each_message(self):
        done = run("--json", str(CAPTURE))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        messages = [json.loads(one) for one in done.stdout.decode().splitlines()]
        self.assertEqual(len(messages), 54)
        born = {one["name"]: one for one in messages[0]["metrics"]}
        self.assertEqual(born["Negative32"]["value"], -123456)
        self.assertEqual(born["Negative64"]["value"], -5000000000)
        self.assertEqual(born["I8"]["value"], -1)
        self.assertEqual(born["U32"]["value"], 4000000000)
        self.assertEqual(born["Recipe"]["value"]["rows"], [["Preheat", 180.5], ["Press", 92.25]])
        self.assertEqual(base64.b64decode(born["Blob"]["value"]), b"\0\1\2\xfe\xff")
        device = {one["name"]: one for one in messages[1]["metrics"]}
        self.assertEqual([one["value"] for one in device["Motors/M1"]["value"]["metrics"]], [1480, 11.25])
        self.assertEqual(device["Temperature"]["properties"]["engUnit"], {"type": "String", "value": "°C"})
        self.assertEqual(device["Setpoint"].get("is_null"), True)
        self.assertEqual(
            messages[2],
            {"time": 1795350954067, "topic": "spBv1.0/Plant1/DDATA/Press Line 4/PLC-7", "kind": "DDATA",
             "group": "Plant1", "node": "Press Line 4", "device": "PLC-7", "timestamp": 1795350954066, "seq": 2,
             "metrics": [{"name": "Temperature", "alias": 1001, "timestamp": 1795350954066, "type": "Double",
                          "unit": "°C", "from_birth": ["name", "unit"], "value": 21.6}]})
        self.assertEqual(messages[8], {"time": 1795350954287, "topic": "spBv1.0/STATE/SCADA1", "kind": "STATE",
                                       "host": "SCADA1", "online": True, "timestamp": 1795350954286})

    def test_a_payload_alone_is_the_same_in_each_form(self):
        raw = bytes.fromhex(CAPTURE.read_text().splitlines()[0].split("\t")[2])
        wrapped = "\n".join(raw.hex()[i : i + 60] for i in range(0, 2 * len(raw), 60))
        forms = {"raw": raw, "hex": raw.hex(), "base64": base64.b64encode(raw)}
        outputs = {run(stdin=one).stdout for one in forms.values()}
        outputs |= {run("--input", name, stdin=one).stdout for name, one in forms.items()}
        outputs |= {run(stdin=one).stdout for one in (wrapped, base64.encodebytes(raw))}
        self.assertEqual(len(outputs), 1)
        self.assertIn("payload", outputs.pop().decode())


class Values(unittest.TestCase):
    def test_numbers_are_exact(self):
        message = payload(
            metric("u64", datatype=UINT64, value=number_field(LONG, 2**64 - 1)),
            metric("i64", datatype=INT64, value=number_field(LONG, -(2**63))),
            metric("u32 in int", datatype=UINT32, value=number_field(INT, 4000000000)),
            metric("u32 in long", datatype=UINT32, value=number_field(LONG, 4000000000)),
            metric("f", datatype=T_FLOAT, value=float_field(FLOAT, 0.1)),
            metric("d", datatype=T_DOUBLE, value=double_field(DOUBLE, 0.1 + 0.2)),
            metric("nan", datatype=T_DOUBLE, value=double_field(DOUBLE, float("nan"))),
            metric("inf", datatype=T_DOUBLE, value=double_field(DOUBLE, float("-inf"))),
        )
        messages, errors, status = run_json(message.hex())
        self.assertEqual((errors, status), ("", 0))
        self.assertEqual([one["value"] for one in messages[0]["metrics"]],
                         [2**64 - 1, -(2**63), 4000000000, 4000000000, 0.1, 0.1 + 0.2, "NaN", "-Infinity"])

    def test_what_a_terminal_would_obey_is_escaped(self):
        evil = "a\x1b]0;title\x07\u009b2J\u202eb"
        message = payload(metric(evil, datatype=T_STRING, value=bytes_field(STRING, evil)))
        for text in (run(stdin=message.hex()), run(stdin=line("spBv1.0/G\x1b[2J/NDATA/N", message)),
                     run(stdin=line("other\x1b[2J", message))):
            everything = (text.stdout + text.stderr).decode()
            self.assertFalse(set(everything) & set("\x1b\x07\u009b\u202e"), everything)
        self.assertIn(r"a\x1b]0;title\x07\u009b2J\u202eb", run(stdin=message.hex()).stdout.decode())

    def test_a_sample_of_another_time_shows_it(self):
        day_ms = 86400000
        times = {1999: "", 2000: "  (at 00:00:02.000)", day_ms + 5: "  (at 1970-01-02T00:00:00.005Z)"}
        for time, wanted in times.items():
            message = payload(metric("A", datatype=INT32, extra=number_field(3, time), value=number_field(INT, 1)))
            self.assertIn(f"A  Int32  1{wanted}\n", run(stdin=message.hex()).stdout.decode())

    def test_a_file_shows_its_metadata(self):
        metadata = bytes_field(5, "a.txt") + number_field(3, 2)
        message = payload(metric("F", datatype=T_FILE, extra=bytes_field(8, metadata), value=bytes_field(BYTES, b"hi")))
        self.assertIn('F  File  6869 (2 bytes)  file "a.txt", size 2\n', run(stdin=message.hex()).stdout.decode())
        messages, _, _ = run_json(message.hex())
        self.assertEqual(messages[0]["metrics"][0],
                         {"name": "F", "type": "File", "value": "aGk=", "metadata": {"size": 2, "file_name": "a.txt"}})


class Births(unittest.TestCase):
    birth = payload(metric("A", alias=1, datatype=INT32, value=number_field(INT, 1)), seq=0)
    data = metric(alias=1, value=number_field(INT, 2**32 - 5))

    def test_a_missing_birth_is_reported_once(self):
        text = line("spBv1.0/G/DDATA/N/D", payload(self.data, seq=1)) * 3
        messages, errors, status = run_json(text)
        self.assertEqual(status, 1)
        self.assertEqual([one["metrics"] for one in messages],
                         [[{"alias": 1, "type": "Unknown", "field": "int_value", "value": 2**32 - 5}]] * 3)
        self.assertEqual(errors,
                         "spb: stdin:1: G/N/D: no birth was seen, so not all names and datatypes are known\n")
        self.assertIn("alias 1 4294967291", run(stdin=text).stdout.decode())

    def test_an_alias_that_is_not_in_the_birth_is_reported_once(self):
        text = line("spBv1.0/G/NBIRTH/N", self.birth)
        text += line("spBv1.0/G/NDATA/N", payload(metric(alias=9, value=number_field(INT, 3)), seq=1))
        text += line("spBv1.0/G/NDATA/N", payload(metric(alias=8, value=number_field(INT, 3)), seq=2))
        _, errors, status = run_json(text)
        self.assertEqual((errors, status), ("spb: stdin:2: G/N: alias 9 is not in the birth\n", 1))

    def test_a_birth_of_the_node_makes_its_devices_unknown(self):
        text = line("spBv1.0/G/DBIRTH/N/D", self.birth) + line("spBv1.0/G/NBIRTH/N", self.birth)
        text += line("spBv1.0/G/DDATA/N/D", payload(self.data, seq=1))
        messages, errors, status = run_json(text)
        self.assertNotIn("name", messages[2]["metrics"][0])
        self.assertEqual(status, 1)
        self.assertIn("stdin:3: G/N/D: no birth was seen", errors)

    def test_a_damaged_birth_makes_the_old_one_void(self):
        text = line("spBv1.0/G/NBIRTH/N", self.birth) + line("spBv1.0/G/NBIRTH/N", self.birth[:-3])
        text += line("spBv1.0/G/NDATA/N", payload(self.data, seq=1))
        messages, errors, _ = run_json(text)
        self.assertNotIn("name", messages[1]["metrics"][0])
        self.assertEqual(errors.count("\n"), 2)

    def test_a_value_that_does_not_fit_its_birth_is_reported(self):
        text = line("spBv1.0/G/NBIRTH/N", self.birth)
        text += line("spBv1.0/G/NDATA/N", payload(metric(alias=1, value=bytes_field(STRING, "x")), seq=1))
        messages, errors, status = run_json(text)
        self.assertEqual(messages[1]["metrics"], [{"name": "A", "alias": 1, "type": "Unknown", "from_birth": ["name"],
                                                    "field": "string_value", "value": "x"}])
        self.assertEqual((errors, status), ("spb: stdin:2: metric 'A': string_value cannot carry Int32\n", 1))

    def test_a_gap_in_seq_is_a_remark_and_no_error(self):
        text = line("spBv1.0/G/NBIRTH/N", self.birth) + line("spBv1.0/G/NDATA/N", payload(self.data, seq=2))
        messages, errors, status = run_json(text)
        self.assertEqual((messages[1]["remark"], errors, status), ("seq 1 expected", "", 0))
        self.assertIn("seq 2    A -5  [seq 1 expected]\n", run(stdin=text).stdout.decode())


class Damage(unittest.TestCase):
    good = line("spBv1.0/G/NDATA/N", payload(metric("A", datatype=INT32, value=number_field(INT, 1)), seq=0))

    def assert_reported(self, damaged, reason):
        messages, errors, status = run_json(self.good + damaged + self.good)
        self.assertEqual((len(messages), errors, status), (2, f"spb: stdin:2: {reason}\n", 1))

    def test_damaged_lines(self):
        self.assert_reported("1.5\tspBv1.0/G/NDATA/N\t080\n", "odd number of hex digits at byte 24 of the line")
        self.assert_reported("1.5\tspBv1.0/G/NDATA/N\t08zz\n", "not a hex digit at byte 24 of the line")
        self.assert_reported("nonsense\n", "not time, topic and payload, with tabs between")

    def test_damaged_payloads(self):
        _, errors, _ = run_json(self.good + line("spBv1.0/G/NDATA/N", b"\x08\x01\x12\x05\x0a") + self.good)
        self.assertRegex(errors, r"^spb: stdin:2: .* at byte \d+ of the payload\n$")

    def test_damaged_topics(self):
        _, errors, status = run_json(self.good + line("spBv1.0/G/NDATA", b"\x08\x01"))
        self.assertRegex(errors, r"^spb: stdin:2: .* of the topic\n$")
        self.assertEqual(status, 1)

    def test_other_topics_are_skipped_with_a_note(self):
        messages, errors, status = run_json(self.good + "1\thouse/lamp\t6f6e\n")
        self.assertEqual((len(messages), errors, status),
                         (1, "spb: stdin:2: skipped, not a topic of Sparkplug: house/lamp\n", 0))

    def test_state_that_is_no_json(self):
        _, errors, status = run_json(line("spBv1.0/STATE/H", b"ONLINE"))
        self.assertRegex(errors, r"^spb: stdin:1: ")
        self.assertEqual(status, 1)

    def test_every_cut_of_a_real_line_ends_well(self):
        whole = CAPTURE.read_bytes().splitlines()[0]
        text = b"\n".join(whole[:length] for length in range(0, len(whole), 3)) + b"\n" + whole
        done = run("--json", "--input", "tsv", stdin=text)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["metrics"][0]["name"], "Node Control/Rebirth")

    def test_a_file_that_is_not_there(self):
        done = run("/nonexistent")
        self.assertEqual((done.returncode, done.stderr), (1, b"spb: /nonexistent: No such file or directory\n"))


class Pipe(unittest.TestCase):
    def test_each_line_comes_out_before_the_next_goes_in(self):
        lines = CAPTURE.read_bytes().splitlines(keepends=True)[:5]
        with subprocess.Popen([TOOL, "decode", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tool:
            for number, one in enumerate(lines):
                half = len(one) // 2
                tool.stdin.write(one[:half])
                tool.stdin.flush()
                tool.stdin.write(one[half:])
                tool.stdin.flush()
                self.assertEqual(json.loads(tool.stdout.readline())["seq"], number)
            tool.stdin.close()
            self.assertEqual(tool.stdout.read(), b"")
            self.assertEqual(tool.wait(), 0)

    def test_a_reader_that_goes_away_is_no_error(self):
        with tempfile.NamedTemporaryFile() as big:
            big.write(CAPTURE.read_bytes() * 200)
            big.flush()
            with subprocess.Popen([TOOL, "decode", big.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
                tool.stdout.readline()
                tool.stdout.close()
                self.assertEqual((tool.stderr.read(), tool.wait()), (b"", 0))

    def test_a_full_disk_is_reported(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([TOOL, "decode", str(CAPTURE)], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (1, b"spb: standard output: No space left on device\n"))


class CommandLine(unittest.TestCase):
    def test_colours_when_wanted(self):
        self.assertIn(b"\033[32mNBIRTH\033[0m", run("--color", "always", str(CAPTURE)).stdout)
        self.assertNotIn(b"\033", run("--color=never", str(CAPTURE)).stdout)
        self.assertNotIn(b"\033", run("--color", "always", "--json", str(CAPTURE)).stdout)

    def test_colours_on_a_terminal_unless_no_color_is_set(self):
        for env, is_coloured in (({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            ours, theirs = os.openpty()
            first = CAPTURE.read_bytes().splitlines(keepends=True)[8]
            subprocess.run([TOOL, "decode"], input=first, stdout=theirs, env={**os.environ, **env}, timeout=60)
            os.close(theirs)
            self.assertEqual(b"\033[35mSTATE" in os.read(ours, 4096), is_coloured)
            os.close(ours)

    def test_usage_errors(self):
        for words, wanted in (
            (["decode", "--input", "xml"], "unknown input format xml"),
            (["decode", "--colour"], "unknown option --colour"),
            (["decode", "--input"], "a value is missing behind --input"),
            (["decode", "a", "b"], "only one file can be read, not also b"),
            (["encrypt"], "no command encrypt"),
            (["help", "encrypt"], "no command encrypt"),
            ([], "a command is missing"),
        ):
            done = subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(wanted, done.stderr)

    def test_version(self):
        done = subprocess.run([TOOL, "--version"], capture_output=True, text=True, timeout=60)
        self.assertRegex(done.stdout, r"^spb \d+\.\d+\.\d+ \(libspb \d+\.\d+\.\d+\)\n$")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    unittest.main()
