"""A narrow link to a broker: a TCP proxy with a rate, a delay and a short queue.

All connections share the one link, each way of its own, as they do on a modem. What the proxy holds, and what its side of
the kernel holds for it, is little, and a segment has the size that it has on Ethernet: so a node's own kernel keeps what the
link has not carried, and acknowledges no more than it did, as it would on the real thing.
"""

import heapq
import selectors
import socket
import struct
import threading
import time

UP, DOWN = 0, 1  # to the broker, and back
CHUNK = 512
QUEUE_S = 0.25  # of the link, that waits in the modem; and at least one piece
KERNEL_BYTES = (1024, 16384)  # on its side, by the rate
SEGMENT_BYTES = 1448


class Pipe:
    """One way of the link. What is given to it arrives after all before it."""

    def __init__(self, bits_per_s, delay_s):
        self.bytes_per_s, self.delay_s = bits_per_s / 8, delay_s
        self.free_at = 0.0
        self.carried = 0

    def room_at(self, now):
        """When it takes more."""
        return self.free_at - QUEUE_S

    def arrival(self, count, now):
        self.free_at = max(now, self.free_at) + count / self.bytes_per_s
        self.carried += count
        return self.free_at + self.delay_s


class Connection:
    def __init__(self, near, far):
        self.ends = (near, far)  # of UP they are source and sink
        self.is_closed = False

    def close(self, is_reset=False):
        self.is_closed = True
        for end in self.ends:
            if is_reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class NarrowLink:
    """`is_up` may be cleared at first: then who connects is refused."""

    def __init__(self, target_port, bits_per_s, rtt_ms, is_up=True):
        self.target = ("127.0.0.1", target_port)
        self.pipes = (Pipe(bits_per_s, rtt_ms / 2000), Pipe(bits_per_s, rtt_ms / 2000))
        self.is_up = is_up
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, max(KERNEL_BYTES[0], min(bits_per_s // 32, KERNEL_BYTES[1])))
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.uri = f"mqtt://127.0.0.1:{self.port}"
        self.accepted = 0
        self.arriving = []  # (time, order, connection, way, bytes; none: the end of the way)
        self.order = 0
        self.sources = {}  # a socket that is read: connection, way
        self.waiting = [[], []]  # of each way, sockets that are read when it has room
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def carried_up(self):
        return self.pipes[UP].carried

    def _accept(self):
        near, _ = self.listener.accept()
        if not self.is_up:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.close()
            return
        far = socket.create_connection(self.target)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.accepted += 1
        connection = Connection(near, far)
        for way in (UP, DOWN):
            self.sources[connection.ends[way]] = (connection, way)
            self.waiting[way].append(connection.ends[way])

    def _later(self, at, connection, way, data):
        self.order += 1
        heapq.heappush(self.arriving, (at, self.order, connection, way, data))

    def _read(self, source, now):
        """Takes one piece, and leaves the source alone until the link has room again."""
        connection, way = self.sources[source]
        self.selector.unregister(source)
        try:
            data = source.recv(CHUNK)
        except OSError:
            data = b""
        if data:
            self._later(self.pipes[way].arrival(len(data), now), connection, way, data)
            self.waiting[way].append(source)
        else:
            del self.sources[source]
            self._later(max(now, self.pipes[way].free_at) + self.pipes[way].delay_s, connection, way, b"")

    def _end(self, connection):
        for source in connection.ends:
            if self.sources.pop(source, None):
                for waiting in self.waiting:
                    if source in waiting:
                        waiting.remove(source)
                if source in self.selector.get_map():
                    self.selector.unregister(source)
        connection.close(is_reset=True)

    def _arrive(self, connection, way, data):
        if connection.is_closed:
            return
        try:
            if data:
                connection.ends[1 - way].sendall(data)
            else:
                self._end(connection)
        except OSError:
            self._end(connection)

    def _run(self):
        while self.running:
            now = time.monotonic()
            while self.arriving and self.arriving[0][0] <= now:
                self._arrive(*heapq.heappop(self.arriving)[2:])
            wake_at = self.arriving[0][0] if self.arriving else now + 0.2
            for way in (UP, DOWN):
                if self.waiting[way] and self.pipes[way].room_at(now) <= now:
                    for source in self.waiting[way]:
                        self.selector.register(source, selectors.EVENT_READ)
                    self.waiting[way] = []
                elif self.waiting[way]:
                    wake_at = min(wake_at, self.pipes[way].room_at(now))
            for key, _ in self.selector.select(max(0.0, min(wake_at - time.monotonic(), 0.2))):
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.sources:
                    self._read(key.fileobj, time.monotonic())

    def close(self):
        self.running = False
        self.thread.join()
        for source in list(self.sources):
            if source in self.sources:
                self._end(self.sources[source][0])
        self.selector.close()
        self.listener.close()
