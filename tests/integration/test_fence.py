"""`spb fence-test` on servers that honour fences, mosquitto and aedes, and on servers that do not."""

import json
import subprocess
import unittest

from harness import PATIENCE_S, PEERS, TOOL, Broker, free_port
from liar import LATE_S, Liar


def fence_test(uri, *options):
    """Exit status, and what it says."""
    command = [TOOL, "fence-test", "--broker", uri, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=10 * PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


def fence_test_json(uri, *options):
    status, out, err = fence_test(uri, "--json", *options)
    return status, json.loads(out) if out else err


class FenceCase(unittest.TestCase):
    def liar(self, lie):
        server = Liar(lie)
        self.addCleanup(server.close)
        return server.uri

    def check_honoured(self, uri, *options):
        status, found = fence_test_json(uri, *options)
        self.assertEqual((status, found["verdict"]), (0, "honoured"), found)
        self.assertEqual([shape["missing"] for shape in found["shapes"]], [0, 0, 0, 0], found)
        self.assertEqual(found["later_ms"], max(shape["later_ms"] for shape in found["shapes"]))
        return found


class FenceTest(FenceCase):
    def test_mosquitto_honours_fences(self):
        broker = Broker()
        self.addCleanup(broker.close)
        self.check_honoured(broker.uri, "--rounds", "2")
        status, out, err = fence_test(broker.uri, "--mqtt", "5", "--rounds", "1")
        self.assertEqual((status, err), (0, ""), out)
        self.assertRegex(out.splitlines()[-1], r"^honoured(, but subscribers see it up to \d+ ms later)?$")

    def test_an_answer_that_overtakes_messages_is_found_out(self):
        status, out, _ = fence_test(self.liar("drop"), "--wait", "5000", "--rounds", "1")
        self.assertEqual(status, 3, out)
        single, small, verdict = out.splitlines()
        self.assertIn(" honoured, 0 missing", single)
        self.assertIn(" not honoured, 499 missing", small)
        self.assertIn("not honoured: of 500 messages before an answered fence, 499 never arrived", verdict)

    def test_late_messages_are_no_lost_ones(self):
        found = self.check_honoured(self.liar("late"), "--wait", "5000", "--rounds", "1")
        self.assertGreaterEqual(found["later_ms"], LATE_S * 1000)

    def test_a_server_that_does_not_answer_is_found_out(self):
        status, out, _ = fence_test(self.liar("mute"), "--rounds", "1", "--wait", "1000")
        self.assertEqual(status, 3, out)
        self.assertIn("does not answer an UNSUBSCRIBE", out.splitlines()[-1])

    def test_a_server_with_a_quota_is_not_blamed(self):
        status, found = fence_test_json(self.liar("limit"), "--rounds", "1", "--wait", "1000")
        self.assertEqual((status, found["verdict"]), (1, "unknown"), found)
        self.assertEqual([shape["verdict"] for shape in found["shapes"]], ["honoured", "unknown", "unknown", "unknown"])

    def test_what_cannot_be_tested_is_said(self):
        status, _, err = fence_test(f"mqtt://127.0.0.1:{free_port()}")
        self.assertEqual(status, 1)
        self.assertIn("mqtt://127.0.0.1", err)
        broker = Broker("acl_file /dev/null")
        self.addCleanup(broker.close)
        status, out, err = fence_test(broker.uri, "--wait", "1000")
        self.assertEqual((status, out), (1, ""), err)

    def test_bad_options_are_refused(self):
        for options in (("--rounds", "0"), ("--wait", "soon"), ("--mqtt", "4"), ("--what",), ("extra",)):
            status, out, err = fence_test("mqtt://127.0.0.1:1", *options)
            self.assertEqual((status, out), (2, ""), err)
            self.assertIn(options[-1], err)
        status, _, err = fence_test("ftp://x")
        self.assertEqual(status, 2)
        self.assertIn("ftp://x", err)


class AedesTest(FenceCase):
    def test_aedes_honours_fences(self):
        server = subprocess.Popen(
            ["node", str(PEERS / "ws_broker.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            self.check_honoured(f"ws://127.0.0.1:{int(server.stdout.readline())}/mqtt", "--rounds", "1")
        finally:
            server.communicate()


if __name__ == "__main__":
    unittest.main()
