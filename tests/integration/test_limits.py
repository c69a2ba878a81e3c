"""Births that are larger than the server, or the option --max-message, allows."""

import unittest

from harness import Broker, Edge


class LimitsTest(unittest.TestCase):
    def broker(self, config=""):
        broker = Broker(config)
        self.addCleanup(broker.close)
        return broker

    def edge(self, broker, *options):
        edge = Edge(broker, *options)
        self.addCleanup(edge.close)
        return edge

    def test_births_that_no_server_takes_end_the_tool(self):
        small = self.broker("max_packet_size 1500")  # MQTT 5 names it
        edge = self.edge(small, "--mqtt", "5")
        edge.expect_end(1)
        self.assertRegex(edge.output(), r"error: spBv1.0/Plant1/NBIRTH/Edge1: a packet of \d{4} bytes, "
                                        rf"but {small.uri} takes no more than 1500\n")
        self.assertRegex(edge.output(), r"the births of this node are larger than any server takes: the NBIRTH has \d{4} "
                                        r"bytes, and 1500 are the most\n")

    def test_another_server_may_take_them(self):
        small, large = self.broker("max_packet_size 1500"), self.broker()
        edge = self.edge(small, "--mqtt", "5", "--broker", large.uri)
        edge.wait_output(f"online as Plant1/Edge1 at {small.uri},{large.uri}")
        edge.stop()
        self.assertNotIn("any server", edge.output())

    def test_births_are_kept_within_a_limit(self):
        edge = self.edge(self.broker("max_packet_size 1500"), "--max-message", "1500")
        edge.wait_output("measurements are left out: with metric ")
        edge.wait_output("online as")
        edge.stop()
        self.assertRegex(edge.output(), r"the NBIRTH would be a packet of \d{4} bytes, but max_message_bytes allows no more "
                                        r"than 1500\n")
        self.assertNotIn("connection lost", edge.output())

    def test_births_that_a_server_ends_the_connection_for_are_named(self):
        edge = self.edge(self.broker("max_packet_size 1500"))  # MQTT 3.1.1 has no words for it
        edge.wait_output("2 connections in a row have ended with births under way")
        edge.kill()


if __name__ == "__main__":
    unittest.main()
