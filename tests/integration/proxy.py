"""A TCP proxy that can break a link in the ways real networks do: stall, blackhole, reset, cut in the middle of a packet.

It stands between a node and its broker. Faults are set from the test's thread and take effect at once.
"""

import select
import socket
import struct
import threading

UP = "up"  # from the node to the broker
DOWN = "down"  # from the broker to the node


class _Link:
    """One accepted connection and its other half at the broker."""

    def __init__(self, near, far):
        self.ends = {UP: (near, far), DOWN: (far, near)}
        self.sockets = (near, far)

    def reset(self):
        for end in self.sockets:
            # Linger of zero: close() sends RST instead of FIN, and what was not sent is gone.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    def close(self):
        for end in self.sockets:
            end.close()


class Proxy:
    def __init__(self, target_port):
        self.target = ("127.0.0.1", target_port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.links = []
        self.stalled = set()  # directions in which bytes are taken from nobody: buffers fill
        self.blackholed = set()  # directions in which bytes are taken and thrown away: the sender sees nothing
        self.refusing = False
        self.cut_after = None  # bytes that may still go up before all links are reset
        self.accepted = 0
        self.lock = threading.Lock()
        self.wake, self.waker = socket.socketpair()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def uri(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def _change(self, change):
        with self.lock:
            change()
        self.waker.send(b"x")

    def stall(self, *directions):
        self._change(lambda: self.stalled.update(directions or (UP, DOWN)))

    def blackhole(self, *directions):
        self._change(lambda: self.blackholed.update(directions or (UP, DOWN)))

    def refuse(self, refusing=True):
        def change():
            self.refusing = refusing

        self._change(change)

    def cut_in(self, count):
        def change():
            self.cut_after = count

        self._change(change)

    def reset(self):
        """RST on every link."""
        self._change(self._drop)

    def heal(self):
        """No fault any more for links to come; those that were broken are dropped without a word to the broker's side
        having been lost: what a repaired network does to connections that no side believes in."""

        def change():
            self.stalled.clear()
            self.blackholed.clear()
            self.refusing, self.cut_after = False, None

        self._change(change)

    def _drop(self):
        for link in self.links:
            link.reset()
        self.links.clear()

    def _accept(self):
        near, _ = self.listener.accept()
        if self.refusing:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.close()
            return
        try:
            far = socket.create_connection(self.target)
        except OSError:
            near.close()
            return
        self.accepted += 1
        self.links.append(_Link(near, far))

    def _pump(self, link, direction):
        source, sink = link.ends[direction]
        try:
            data = source.recv(65536)
            if direction in self.blackholed:
                if not data:
                    self.links.remove(link)
                    link.close()
                return
            if direction == UP and self.cut_after is not None:
                data = data[: self.cut_after]
                self.cut_after -= len(data)
            if not data and self.cut_after != 0:
                raise ConnectionError
            sink.sendall(data)
            if self.cut_after == 0 and direction == UP:
                self.cut_after = None
                self._drop()
        except OSError:
            if link in self.links:
                self.links.remove(link)
            link.close()

    def _run(self):
        while self.running:
            with self.lock:
                sources = {link.ends[d][0]: (link, d) for link in self.links for d in (UP, DOWN) if d not in self.stalled}
            readable, _, _ = select.select([self.listener, self.wake, *sources], [], [])
            with self.lock:
                for ready in readable:
                    if ready is self.wake:
                        self.wake.recv(1024)
                    elif ready is self.listener:
                        self._accept()
                    else:
                        link, direction = sources[ready]
                        if link in self.links and direction not in self.stalled:
                            self._pump(link, direction)

    def close(self):
        self.running = False
        self.waker.send(b"x")
        self.thread.join()
        for link in self.links:
            link.close()
        for end in (self.listener, self.wake, self.waker):
            end.close()
