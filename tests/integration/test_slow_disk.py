"""The demo edge node at the level DURABLE on a disk whose syncs take long: what it publishes is committed, and nothing else
waits for the disk. SPB_SLOW_DISK is the library that makes syncs slow."""

import os
import unittest
from unittest import mock

from rules import check_stream
from store_case import KEEP_ALIVE_S, StoreCase

LIBRARY = os.environ["SPB_SLOW_DISK"]
ALIVE_S = 4 * KEEP_ALIVE_S


class SlowDiskTest(StoreCase):
    def setUp(self):
        super().setUp()
        self.slowness = self.directory / "slowness"

    def be_slow(self, ms):
        self.slowness.write_text(str(ms))

    def edge_on_it(self):
        with mock.patch.dict(os.environ, LD_PRELOAD=LIBRARY, SLOW_DISK=str(self.slowness)):
            return self.edge(delivery="durable")

    def check_life(self, edge, start):
        """Of one connection, from a message of its births on: for several keep-alives it publishes, then it ends in good
        order."""
        first = self.await_uptime(start)
        until_s = self.host.messages[first].value("System/Uptime") + ALIVE_S

        def is_late(message):
            metric = message.metric("System/Uptime") if message.kind == "NDATA" else None
            return metric is not None and metric["value"] >= until_s

        late = self.host.wait(is_late, f"an uptime of {until_s} s", first)
        self.assertTrue(any(message.kind == "DDATA" for message in self.host.messages[first:late]))
        self.stop(edge)
        death = self.host.wait_kind("NDEATH", late)
        self.assertEqual(edge.output().count("spb: born:"), 1, edge.output())
        self.assertNotIn("connection lost", edge.output())
        check_stream(self, self.host.messages[: death + 1])

    def life_from_the_start(self, ms):
        self.be_slow(ms)
        edge = self.edge_on_it()
        self.check_life(edge, self.host.wait_kind("NBIRTH"))
        return edge

    def test_syncs_of_250_ms(self):
        self.life_from_the_start(250)

    def test_syncs_of_a_second_are_told(self):
        edge = self.life_from_the_start(1000)
        self.assertIn("the store is slow: its ", edge.output())

    def test_a_disk_that_turns_slow_while_online(self):
        self.be_slow(0)
        edge = self.edge_on_it()
        start = self.host.wait_kind("DDATA")
        self.be_slow(1000)
        edge.wait_output("the store is slow: its ")
        self.check_life(edge, start)


if __name__ == "__main__":
    unittest.main(verbosity=2)
