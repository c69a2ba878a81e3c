"""The demo edge node on a network that fails: each session ends in its NDEATH, and the next one begins by the rules.

SPB_CHAOS_FAULTS sets how many faults strike, SPB_CHAOS_SEED which.
"""

import os
import random
import unittest
from itertools import groupby

from harness import Broker, Edge, Subscriber
from proxy import DOWN, UP, Proxy
from rules import check_stream

FAULTS = int(os.environ.get("SPB_CHAOS_FAULTS", "12"))
SEED = int(os.environ.get("SPB_CHAOS_SEED", "1"))
KEEP_ALIVE_S = 2


class LinksTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.proxy = Proxy(self.broker.port)
        self.addCleanup(self.proxy.close)
        self.host = Subscriber(self.broker)
        self.addCleanup(self.host.close)
        self.edge = Edge(self.proxy, "--keep-alive", KEEP_ALIVE_S, "--reconnect", 1, interval_ms=100)
        self.addCleanup(self.edge.close)
        self.seen = self.host.wait_kind("DDATA")

    def faults(self, random_numbers):
        return {
            "reset": self.proxy.reset,
            "cut": lambda: self.proxy.cut_in(random_numbers.randrange(1, 400)),
            "stall": lambda: self.proxy.stall(UP, DOWN),
            "stall up": lambda: self.proxy.stall(UP),
            "stall down": lambda: self.proxy.stall(DOWN),
            "blackhole": lambda: self.proxy.blackhole(UP, DOWN),
            "blackhole up": lambda: self.proxy.blackhole(UP),
            "blackhole down": lambda: self.proxy.blackhole(DOWN),
        }

    def strike(self, name, fault):
        """One fault; returns when the node is back and publishes data."""
        fault()
        death = self.host.wait_kind("NDEATH", self.seen)
        birth = self.host.wait_kind("NBIRTH", death)
        self.seen = self.host.wait_kind("DDATA", birth)
        print(f"{name}: NDEATH of bdSeq {self.host.messages[death].value('bdSeq')}, then NBIRTH", flush=True)

    def test_faults(self):
        random_numbers = random.Random(SEED)
        faults = self.faults(random_numbers)
        names = list(faults)
        for i in range(FAULTS):
            # Each kind once, then by chance.
            name = names[i] if i < len(names) else random_numbers.choice(names)
            self.strike(name, faults[name])
        print(f"{FAULTS} faults, seed {SEED}", flush=True)
        self.edge.stop()
        last = self.host.wait_kind("NDEATH", self.seen)
        messages = self.host.messages[: last + 1]
        sessions = check_stream(self, messages)
        self.assertEqual(len(sessions), FAULTS + 1)
        # Whoever gives a link up sends NDEATH and DISCONNECT; if a reset overtakes the DISCONNECT (as where the server's
        # own bytes are stuck on their way), the server publishes the will behind it: the same NDEATH once more.
        deaths = [bd_seq for bd_seq, _ in groupby(m.value("bdSeq") for m in messages if m.kind == "NDEATH")]
        self.assertEqual(deaths, sessions, "the NDEATH of each session, with its bdSeq, before the next session")


if __name__ == "__main__":
    unittest.main()
