"""The demo edge node on servers that do not answer every form of fence: see laconic.py."""

import json
import unittest

from harness import PATIENCE_S, Broker, tool
from laconic import laconic
from proxy import DOWN, UP
from rules import check_stream
from store_case import StoreCase

NO_FENCE = "the server has answered no fence, in any form; if it never does, see spb fence-test"
WITHOUT = "the server answers no fence, in any form (see spb fence-test)"


class LaconicTest(StoreCase):
    QUIET = 100  # such a server has to be found out first, for a keep-alive at most

    def behind(self, leaves):
        self.proxy = laconic(self.broker.port, leaves)
        self.addCleanup(self.proxy.close)

    def all_is_confirmed(self, *options):
        edge = self.edge(*options)
        start = self.host.wait_kind("DDATA")
        self.await_uptime(self.await_uptime(start) + 1)
        counters = self.stop(edge)
        messages = self.host.messages[: self.host.wait_kind("NDEATH") + 1]
        check_stream(self, messages)
        self.check_all_arrived(counters, messages)
        self.assertEqual(edge.output().count("spb: born:"), 1, edge.output())
        return edge, counters

    # ---- a form is answered ----

    def test_a_repeated_subscribe_confirms(self):
        self.behind("unsubscribe")
        _, counters = self.all_is_confirmed()
        self.assertEqual((counters.confirmed, counters.in_the_store, counters.dropped), (counters.accepted, 0, {}))

    def test_what_changes_something_confirms(self):
        self.behind("idle")
        _, counters = self.all_is_confirmed()
        self.assertEqual((counters.confirmed, counters.in_the_store, counters.dropped), (counters.accepted, 0, {}))

    def test_nothing_is_missing_after_an_outage_of_a_server_that_answers_a_repeated_subscribe(self):
        self.behind("unsubscribe")
        self.outage_by(lambda: self.proxy.blackhole(UP, DOWN))

    def test_nothing_is_missing_after_an_outage_of_a_server_that_answers_changes(self):
        self.behind("idle")
        self.outage_by(lambda: self.proxy.blackhole(DOWN))

    # ---- none is ----

    def test_a_server_that_answers_none_is_given_up_and_the_log_says_why(self):
        self.behind("none")
        edge = self.edge()
        edge.wait_output(NO_FENCE)
        edge.kill()

    def test_with_time_alone_it_is_not_given_up(self):
        self.behind("none")
        edge = self.edge("--confirm", "window")
        edge.wait_output(WITHOUT)
        self.await_uptime(self.await_uptime(len(self.host.messages)) + 1)
        self.assertEqual(self.proxy.accepted, 1, edge.output())
        self.stop(edge)

    def test_nor_at_the_level_live(self):
        self.behind("none")
        edge = self.edge("--confirm", "window", delivery="live", with_store=False)
        edge.wait_output(WITHOUT)
        self.await_uptime(self.await_uptime(len(self.host.messages)) + 1)
        self.assertEqual(self.proxy.accepted, 1, edge.output())
        self.assertEqual(self.stop(edge).dropped, {})

    def test_with_time_alone_nothing_is_missing_after_an_outage(self):
        """MQTT's own keep-alive notices it."""
        self.behind("none")
        edge = self.edge("--confirm", "window")
        edge.wait_output(WITHOUT)
        start = self.host.wait_kind("DDATA")
        self.proxy.blackhole(UP, DOWN)
        birth = self.host.wait_kind("NBIRTH", self.host.wait_kind("NDEATH", start))
        live = self.await_live_data_after_replay(self.host, birth)
        counters = self.stop(edge)
        messages = self.host.messages[: self.host.wait_kind("NDEATH", live) + 1]
        check_stream(self, messages)
        self.check_all_arrived(counters, messages)
        self.assertEqual(counters.dropped, {}, edge.output())
        self.assertGreater(counters.replayed, 0)


class LaconicFenceTest(unittest.TestCase):
    """What `spb fence-test` says of such servers."""

    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)

    def fence_test(self, leaves, *options, status=0):
        proxy = laconic(self.broker.port, leaves)
        self.addCleanup(proxy.close)
        words = ("fence-test", "--broker", proxy.uri, "--rounds", "1", *options)
        return tool(*words, status=status, timeout=10 * PATIENCE_S).stdout

    def test_the_forms_that_are_answered_are_told(self):
        lines = self.fence_test("unsubscribe", "--wait", "1000").splitlines()
        self.assertIn("UNSUBSCRIBE no, SUBSCRIBE once more yes, SUBSCRIBE and UNSUBSCRIBE yes", lines[0])
        self.assertRegex(lines[-1], "^honoured")
        lines = self.fence_test("idle", "--wait", "1000").splitlines()
        self.assertIn("UNSUBSCRIBE no, SUBSCRIBE once more no, SUBSCRIBE and UNSUBSCRIBE yes", lines[0])
        self.assertRegex(lines[-1], "^honoured")

    def test_a_server_that_answers_none_is_found_out(self):
        found = json.loads(self.fence_test("none", "--wait", "1000", "--json", status=3))
        self.assertEqual(found["verdict"], "not honoured")
        self.assertEqual(found["forms"], {"unsubscribe": False, "subscribe": False, "both": False})
        self.assertEqual(found["shapes"], [])


if __name__ == "__main__":
    unittest.main()
