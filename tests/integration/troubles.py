"""Ways to a broker that go wrong without a word, as real ones do. Each proxy is one kind of trouble.

  Hole     a path that drops large packets, and tells nobody: once there is one in a stream, nothing behind it arrives
  Forgets  a NAT that forgets a connection on which nothing goes for a while: then it drops what comes, both ways
  Narrow   so many bytes a second to the broker, and hardly any buffer in between
"""

import socket
import time

from liar import Stream
from proxy import UP, Link, Proxy


class HoleLink(Link):
    LARGEST = 1200

    def __init__(self, *ends):
        super().__init__(*ends)
        self.stream = Stream()
        self.is_stuck = False

    def seen(self, direction, data):
        if direction != UP:
            return data
        self.stream.data += data
        passed = b""
        before = self.stream.data
        for _, body in self.stream.packets():
            self.is_stuck = self.is_stuck or len(body) > self.LARGEST
            if not self.is_stuck:
                passed += before[: len(before) - len(self.stream.data)]
            before = self.stream.data
        return passed


class ForgetfulLink(Link):
    REMEMBERS_S = 1.0

    def __init__(self, *ends):
        super().__init__(*ends)
        self.last = time.monotonic()
        self.is_forgotten = False

    def seen(self, _direction, data):
        now = time.monotonic()
        self.is_forgotten = self.is_forgotten or now - self.last > self.REMEMBERS_S
        self.last = now
        return b"" if self.is_forgotten else data


class NarrowLink(Link):
    BYTES_PER_S = 500

    def __init__(self, *ends):
        super().__init__(*ends)
        self.free_at = time.monotonic()

    def seen(self, direction, data):
        """A byte takes its time, in the thread of the proxy: nothing else goes on meanwhile, as on one line."""
        if direction == UP:
            time.sleep(len(data) / self.BYTES_PER_S)
        return data


class Hole(Proxy):
    LINK = HoleLink


class Forgets(Proxy):
    LINK = ForgetfulLink


class Narrow(Proxy):
    LINK = NarrowLink
