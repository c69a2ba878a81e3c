"""Why a connection goes wrong, in the words of the log: each cause is made in earnest, and reads differently."""

import resource
import unittest

from harness import PATIENCE_S, Broker, Edge, Program, wait_until
from proxy import DOWN, UP, Proxy
from troubles import Forgets, Hole, Narrow

SERVER = "the server does not answer any more"
LARGE = "large messages vanish"
IDLE = "a NAT or firewall seems to forget idle connections"
SLOW = "the link is slow: births of"
THREAD = "no thread"
ALL = (SERVER, LARGE, IDLE, SLOW, THREAD)


class BrokerCase(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)


class CausesTest(BrokerCase):
    def edge(self, kind, *options, **more):
        self.proxy = kind(self.broker.port)
        self.addCleanup(self.proxy.close)
        edge = Edge(self.proxy, *options, **more)
        self.addCleanup(edge.close)
        return edge

    def assert_said(self, edge, *words):
        said = [cause for cause in ALL if cause in edge.output()]
        self.assertEqual(said, list(words), edge.output())

    def test_a_server_that_is_dead(self):
        edge = self.edge(Proxy, "--keep-alive", 4)
        edge.wait_output("spb: born:")
        self.proxy.blackhole(UP, DOWN)
        edge.wait_output("next attempt in")
        self.assert_said(edge, SERVER)

    def test_a_path_that_drops_large_packets(self):
        edge = self.edge(Hole, "--keep-alive", 4, "--reconnect", 1)
        edge.wait_output(LARGE)
        self.assertIn("net.ipv4.tcp_mtu_probing", edge.output())
        self.assertNotIn("spb: born:", edge.output())
        self.assert_said(edge, LARGE)

    def test_a_nat_that_forgets_idle_connections(self):
        edge = self.edge(Forgets, "--keep-alive", 4, "--reconnect", 1, interval_ms=60000)
        edge.wait_output(IDLE)
        self.assert_said(edge, SERVER, IDLE)  # the first time it might be the server
        self.assertIn("(2 times in a row)", edge.output())

    def test_a_link_that_is_slow(self):
        edge = self.edge(Narrow, interval_ms=60000)
        edge.wait_output("spb: born:")
        edge.wait_output(SLOW)
        self.assert_said(edge, SLOW)


class ThreadsTest(BrokerCase):
    def test_too_little_memory_for_threads(self):
        """Which of the threads is lacking depends on the machine; that one is, is said in each case."""
        said = set()
        for mebibytes in range(16, 160, 4):
            limit = mebibytes << 20
            edge = Program("edge", "--broker", self.broker.uri, "--verbose", stdout=None,
                           preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
            self.addCleanup(edge.close)
            wait_until(lambda edge=edge: edge.process.poll() is not None or "born:" in edge.output() or
                       "next attempt in" in edge.output(), f"an end with {mebibytes} MiB", PATIENCE_S)
            output = edge.output()
            edge.kill()
            if "born:" in output:
                break
            if "error while loading" not in output and "out of memory" not in output:  # that there is not even for the rest
                self.assertIn(THREAD, output, f"{mebibytes} MiB")
                said.update(line for line in output.split("\n") if THREAD in line)
        self.assertGreaterEqual(len(said), 2, said)


if __name__ == "__main__":
    unittest.main()
