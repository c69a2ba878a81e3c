"""`spb fence-test` on servers that honour fences, mosquitto and aedes, and on servers that do not."""

import json
import subprocess
import unittest

from harness import PATIENCE_S, PEERS, Broker, free_port, tool
from liar import LATE_S, Liar

# For messages that do arrive: a loaded machine is slow, and nothing waits longer than they take.
LONG_WAIT = ("--wait", int(1000 * PATIENCE_S))


def fence_test(uri, *options, status=0):
    return tool("fence-test", "--broker", uri, *options, status=status, timeout=10 * PATIENCE_S)


def fence_test_json(uri, *options, status=0):
    return json.loads(fence_test(uri, "--json", *options, status=status).stdout)


class FenceCase(unittest.TestCase):
    def liar(self, lie):
        server = Liar(lie)
        self.addCleanup(server.close)
        return server.uri

    def check_honoured(self, uri, *options):
        found = fence_test_json(uri, *LONG_WAIT, *options)
        self.assertEqual(found["verdict"], "honoured", found)
        self.assertEqual([shape["missing"] for shape in found["shapes"]], [0, 0, 0, 0], found)
        self.assertEqual(found["forms"], {"unsubscribe": True, "subscribe": True, "both": True})
        self.assertEqual(found["later_ms"], max(shape["later_ms"] for shape in found["shapes"]))
        return found


class FenceTest(FenceCase):
    def test_mosquitto_honours_fences(self):
        broker = Broker()
        self.addCleanup(broker.close)
        self.check_honoured(broker.uri, "--rounds", "2")
        done = fence_test(broker.uri, "--mqtt", "5", "--rounds", "1", *LONG_WAIT)
        self.assertEqual(done.stderr, "", done.stdout)
        self.assertRegex(done.stdout.splitlines()[-1], r"^honoured(, but subscribers see it up to \d+ ms later)?$")

    def test_an_answer_that_overtakes_messages_is_found_out(self):
        done = fence_test(self.liar("drop"), "--wait", "5000", "--rounds", "1", status=3)
        forms, single, small, verdict = done.stdout.splitlines()
        self.assertIn("UNSUBSCRIBE yes, SUBSCRIBE once more yes, SUBSCRIBE and UNSUBSCRIBE yes", forms)
        self.assertIn(" honoured, 0 missing", single)
        self.assertIn(" not honoured, 499 missing", small)
        self.assertIn("not honoured: of 500 messages before an answered fence, 499 never arrived", verdict)

    def test_late_messages_are_no_lost_ones(self):
        found = self.check_honoured(self.liar("late"), "--wait", "5000", "--rounds", "1")
        self.assertGreaterEqual(found["later_ms"], LATE_S * 1000)

    def test_a_server_that_does_not_answer_is_found_out(self):
        done = fence_test(self.liar("mute"), "--rounds", "1", "--wait", "1000", status=3)
        forms, verdict = done.stdout.splitlines()
        self.assertIn("UNSUBSCRIBE no, SUBSCRIBE once more no, SUBSCRIBE and UNSUBSCRIBE no", forms)
        self.assertIn("not honoured: the server does not answer; libspb would drop the link", verdict)

    def test_a_server_with_a_quota_is_not_blamed(self):
        found = fence_test_json(self.liar("limit"), "--rounds", "1", "--wait", "1000", status=1)
        self.assertEqual(found["verdict"], "unknown", found)
        self.assertEqual([shape["verdict"] for shape in found["shapes"]], ["honoured", "unknown", "unknown", "unknown"])

    def test_what_cannot_be_tested_is_said(self):
        self.assertIn("mqtt://127.0.0.1", fence_test(f"mqtt://127.0.0.1:{free_port()}", status=1).stderr)
        broker = Broker("acl_file /dev/null")
        self.addCleanup(broker.close)
        self.assertEqual(fence_test(broker.uri, "--wait", "1000", status=1).stdout, "")

    def test_bad_options_are_refused(self):
        for options in (("--rounds", "0"), ("--wait", "soon"), ("--mqtt", "4"), ("--what",), ("extra",)):
            done = fence_test("mqtt://127.0.0.1:1", *options, status=2)
            self.assertEqual(done.stdout, "", done.stderr)
            self.assertIn(options[-1], done.stderr)
        self.assertIn("ftp://x", fence_test("ftp://x", status=2).stderr)


class AedesTest(FenceCase):
    def test_aedes_honours_fences(self):
        server = subprocess.Popen(
            ["node", str(PEERS / "ws_broker.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            self.check_honoured(f"ws://127.0.0.1:{int(server.stdout.readline())}/mqtt", "--rounds", "1", "--allow-unsafe-websocket")
        finally:
            server.communicate()


if __name__ == "__main__":
    unittest.main()
