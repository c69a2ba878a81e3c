"""The tool `spb store` on the store of an edge node that never reached a server, sound and damaged in several ways."""

import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import unittest
import zlib

unittest.TestCase.maxDiff = None  # all that a program said
TOOL = os.environ["SPB_TOOL"]


def run(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


class StoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(tempfile.mkdtemp(prefix="spb-cli-store-"))
        # Nobody listens at port 1, so all that it measures waits in the store.
        options = ["--broker", "mqtt://127.0.0.1:1", "--group", "Plant 1", "--node", "E-1", "--duration", "2"]
        status, _, said = run("edge", *options, "--interval", "100", "--store", cls.made / "edge.spb", "--verbose")
        assert status == 0, said
        cls.accepted = int(said.split("accepted ")[1].split(",")[0])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.made)

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spb-cli-store-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.store = self.directory / "edge.spb"
        for file in self.made.iterdir():
            shutil.copy(file, self.directory)

    def change(self, *statements):
        database = sqlite3.connect(self.store)
        for statement in statements:
            self.assertGreater(database.execute(statement).rowcount, 0, statement)
        database.commit()
        database.close()

    # ---- a sound one ----

    def test_summary(self):
        status, text, said = run("store", self.store)
        self.assertEqual((status, said), (0, ""))
        lines = dict(line.split(maxsplit=1) for line in text.splitlines())
        self.assertEqual(lines["owner"], "Plant 1/E-1")
        self.assertEqual(lines["damage"], "none")
        self.assertEqual(lines["waiting"], f"{self.accepted} samples")
        self.assertEqual(lines["kept"], "0 samples that have arrived, for hosts that may ask again")
        self.assertRegex(lines["blocks"], r"^\d+ with \d+ bytes; the file has \d+$")
        status, text, _ = run("store", "--json", self.store)
        self.assertEqual(status, 0)
        (summary,) = objects(text)
        self.assertEqual((summary["owner"], summary["samples"], summary["wrong"]), ("Plant 1/E-1", self.accepted, 0))
        self.assertIsNone(summary["damage"])
        self.assertGreater(summary["aliases"], 10)
        self.assertLessEqual(summary["oldest"], summary["newest"])

    def test_all_samples_are_shown(self):
        status, text, said = run("store", "--samples", "--json", self.store)
        self.assertEqual((status, said), (0, ""))
        blocks = objects(text)
        samples = [metric for block in blocks for metric in block["metrics"]]
        self.assertEqual(len(samples), self.accepted)
        self.assertEqual({block["kind"] for block in blocks}, {"NDATA", "DDATA"})
        self.assertEqual({block.get("device") for block in blocks}, {None, "PLC-1"})
        self.assertTrue(all(sample["is_historical"] for sample in samples))
        uptimes = [sample for sample in samples if sample["name"] == "System/Uptime"]
        self.assertTrue(uptimes)
        self.assertEqual({sample["type"] for sample in uptimes}, {"UInt64"})
        (summary,) = objects(run("store", "--json", self.store)[1])
        times = [sample["timestamp"] for sample in samples]
        self.assertEqual((min(times), max(times)), (summary["oldest"], summary["newest"]))
        status, text, _ = run("store", "--samples", self.store)
        self.assertEqual(status, 0)
        self.assertEqual(text.count("(historical"), self.accepted)
        self.assertIn("Temperature", text)

    def test_check_finds_nothing(self):
        status, text, said = run("store", "--check", self.store)
        self.assertEqual((status, said), (0, ""))
        self.assertIn("damage   none", text)

    def test_export_is_read_by_decode(self):
        capture = self.directory / "capture.tsv"
        status, text, said = run("store", "--export", capture, self.store)
        self.assertEqual((status, text, said), (0, "", ""))
        status, text, said = run("decode", "--json", capture)
        self.assertEqual((status, said), (0, ""), "names and datatypes are known without births")

        def samples(messages):
            keys = ("name", "timestamp", "type", "is_historical", "value")
            return [(m["topic"], [{key: metric[key] for key in keys} for metric in m["metrics"]]) for m in messages]

        exported, shown = objects(text), objects(run("store", "--samples", "--json", self.store)[1])
        self.assertEqual(samples(exported), samples(shown))
        self.assertEqual([message["time"] for message in exported], [message["timestamp"] for message in shown])
        self.assertNotIn("remark", [key for message in exported for key in message])

    def test_nothing_is_overwritten(self):
        taken = self.directory / "taken"
        taken.write_text("mine")
        status, _, said = run("store", "--export", taken, self.store)
        self.assertEqual(status, 1)
        self.assertIn("taken", said)
        self.assertEqual(taken.read_text(), "mine")

    def test_the_store_stays_as_it_is(self):
        before = self.store.read_bytes()
        for options in ([], ["--samples"], ["--check"], ["--export", self.directory / "x"]):
            self.assertEqual(run("store", *options, self.store)[0], 0)
        self.assertEqual(self.store.read_bytes(), before)

    # ---- damaged ones ----

    def check_wrong(self, *words):
        status, text, said = run("store", "--check", "--json", self.store)
        self.assertEqual(status, 1, said)
        for word in words:
            self.assertIn(word, said)
        return objects(text)

    def test_a_block_that_was_changed_is_found(self):
        # One byte in the middle of the encoded metrics.
        self.change("UPDATE block_1 SET metrics = CAST(substr(metrics, 1, 20) || x'ff' || substr(metrics, 22) AS BLOB) WHERE id = 1")
        (summary,) = self.check_wrong("block 1: ")
        self.assertGreater(summary["wrong"], 0)
        # What can be read is shown all the same.
        status, text, said = run("store", "--samples", "--json", self.store)
        self.assertEqual(status, 1)
        self.assertIn("block 1: ", said)
        self.assertGreater(len(objects(text)), 0)

    def test_an_alias_that_is_missing_is_found(self):
        self.change("DELETE FROM alias WHERE name = 'System/Uptime'")
        self.check_wrong("alias that the store does not explain")
        capture = self.directory / "capture.tsv"
        self.assertEqual(run("store", "--export", capture, self.store)[0], 0)
        status, text, _ = run("decode", "--json", capture)
        samples = [metric for message in objects(text) for metric in message["metrics"]]
        self.assertEqual(len(samples), self.accepted, "it is exported with its alias")

    def test_a_lost_owner_hides_no_samples(self):
        self.change("DELETE FROM meta WHERE key NOT IN ('format')")
        status, text, _ = run("store", "--samples", "--json", self.store)
        self.assertEqual(sum(len(block["metrics"]) for block in objects(text)), self.accepted)
        self.check_wrong("does not say whose it is")

    def test_what_is_no_store_is_refused(self):
        foreign = self.directory / "foreign.db"
        database = sqlite3.connect(foreign)
        database.execute("CREATE TABLE x (y)")
        database.commit()
        database.close()
        for path in (foreign, __file__, self.directory / "missing", self.directory):
            status, text, said = run("store", path)
            self.assertEqual((status, text), (1, ""))
            self.assertIn(str(path), said)

    # ---- files of somebody else ----

    def forge_alias(self, name):
        """Gives the alias of the temperature that name, with the checksum that belongs to it."""

        def number(value):
            return struct.pack("<Q", value & (2**64 - 1))

        database = sqlite3.connect(self.store)
        wanted = "SELECT alias, device, type FROM alias WHERE device = 'PLC-1' ORDER BY alias LIMIT 1"
        ((alias, device, kind),) = database.execute(wanted).fetchall()
        text = number(2**64 - 1) if device is None else number(len(device.encode())) + device.encode()
        crc = zlib.crc32(number(alias) + text + number(len(name)) + name + number(kind))
        database.execute("UPDATE alias SET name = CAST(? AS TEXT), crc = ? WHERE alias = ?", (name, crc, alias))
        database.commit()
        database.close()

    def test_texts_of_the_file_do_not_reach_the_terminal_as_they_are(self):
        self.forge_alias(b"a\x1b[2Jb\nc\xe2\x80\xaed")
        self.change("UPDATE meta SET value = 'Plant\x1b]0;x\x07 1\n' WHERE key = 'group_id'")
        for options in ([], ["--samples"], ["--check"], ["--json"], ["--samples", "--json"]):
            _, text, said = run("store", *options, self.store)
            for shown in (text, said):
                self.assertFalse(set("\x1b\x07") & set(shown), options)
            self.assertTrue("--json" in options or "\u202e" not in text, "JSON keeps characters as they are")
        self.assertIn("owner    Plant\\x1b]0;x\\x07 1\\n/E-1\n", run("store", self.store)[1])
        self.assertIn("a\\x1b[2Jb\\nc\\u202ed", run("store", "--samples", self.store)[1])

    def test_ids_of_the_file_cannot_forge_a_line_of_the_export(self):
        self.change("UPDATE meta SET value = 'E' || char(10) || '1.000' || char(9) || 'x' WHERE key = 'node_id'")
        export = self.directory / "export.tsv"
        status, text, said = run("store", "--export", export, self.store)
        self.assertEqual((status, export.read_text()), (1, ""))
        self.assertIn("topic: has a line feed, which a line of tsv cannot hold\n", said)
        self.assertTrue(all(line.startswith("spb: ") for line in said.splitlines()), said)

    def test_a_name_that_is_no_text_hides_no_samples(self):
        for name in (b"\xff\xfe", b"", b"a\x00b"):
            self.forge_alias(name)
            _, text, said = run("store", "--samples", "--json", self.store)
            self.assertEqual(sum(len(block["metrics"]) for block in objects(text)), self.accepted, said)

    def test_an_odd_table_is_told_and_not_run(self):
        for statement in ("CREATE TRIGGER t AFTER UPDATE ON identity BEGIN SELECT 1; END",
                          "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"):
            database = sqlite3.connect(self.store)
            database.execute(statement)
            database.commit()
            database.close()
            status, text, _ = run("store", "--json", self.store)
            (summary,) = objects(text)
            self.assertEqual((status, summary["samples"]), (1, self.accepted))
            self.assertIn("not as we make it", summary["damage"])

    def test_whoever_else_can_change_it_is_told(self):
        self.assertEqual(run("store", self.store)[2], "")
        self.store.chmod(0o666)
        status, _, said = run("store", self.store)
        self.assertEqual((status, said), (0, f"spb: warning: store {self.store}: others can change it (mode 0666)\n"))
        self.store.chmod(0o600)
        link = self.directory / "link"
        link.symlink_to(self.store)
        status, text, said = run("store", "--samples", link)
        self.assertEqual(status, 0)
        self.assertEqual(said, f"spb: warning: store {link}: it is a symbolic link to {self.store}\n")
        _, _, said = run("edge", "--broker", "mqtt://127.0.0.1:1", "--group", "Plant 1", "--node", "E-1", "--duration", "1",
                         "--store", link)
        self.assertIn(f"store {link}: it is a symbolic link to {self.store}", said)

    # ---- the command line ----

    def test_bad_command_lines_are_refused(self):
        for options, named in (([], "file"), (["a", "b"], "b"), (["--what", "a"], "--what"), (["--export"], "--export")):
            status, text, said = run("store", *options)
            self.assertEqual((status, text), (2, ""), options)
            self.assertIn(named, said)
        status, _, said = run("store", "--export", "x", "--json", self.store)
        self.assertEqual(status, 2)
        self.assertIn("--json", said)

    def test_help_on_mqtt_is_one(self):
        self.assertIn("--cafile", run("edge", "--help-mqtt")[1])
        self.assertEqual(run("edge", "--help-mqtt"), run("fence-test", "--help-mqtt"))


if __name__ == "__main__":
    unittest.main()
