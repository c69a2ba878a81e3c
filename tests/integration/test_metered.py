"""What fences cost on the wire: they go in the packets of messages. How often they do: see unit/fence."""

import socket
import struct
import unittest

from harness import Broker, Edge, wait_until
from liar import PUBLISH, UNSUBSCRIBE, Stream
from proxy import UP, Link, Proxy


def data_segments_in(end):
    """tcpi_data_segs_in of the struct tcp_info."""
    return struct.unpack_from("I", end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160), 152)[0]


class CountingLink(Link):
    """Which kinds of MQTT packets came in which TCP segment: what is read at once, if that was one segment."""

    def __init__(self, *ends):
        super().__init__(*ends)
        self.stream = Stream()
        self.segments = 0
        self.kinds = []

    def seen(self, direction, data):
        if direction == UP:
            count = data_segments_in(self.near) - self.segments
            self.segments += count
            self.stream.data += data
            self.kinds.append((count, [first >> 4 for first, _ in self.stream.packets()]))
        return data


class CountingProxy(Proxy):
    LINK = CountingLink


class MeteredTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.proxy = CountingProxy(self.broker.port)
        self.addCleanup(self.proxy.close)

    def edge(self, *options, **more):
        edge = Edge(self.proxy, "--delivery", "outage", *options, **more)
        self.addCleanup(edge.close)
        edge.wait_output("spb: born:")
        return edge

    def kinds(self):
        with self.proxy.lock:
            return list(self.proxy.links[0].kinds)

    def test_a_fence_goes_in_the_packet_of_a_message(self):
        self.edge("--fence-within", 2000)
        wait_until(lambda: sum(count == 1 and kinds == [UNSUBSCRIBE, PUBLISH] for count, kinds in self.kinds()) >= 3,
                   "three packets with a fence and a message")


if __name__ == "__main__":
    unittest.main()
