"""A TCP proxy that breaks links the way real networks do: stall, blackhole, reset, cut in the middle of a packet.

It stands between a node and its broker. A fault strikes the links that are open at that moment and stays with them;
links that are opened later are sound, unless new links are refused or swallowed, too.
"""

import select
import socket
import struct
import threading

UP = "up"  # from the node to the broker
DOWN = "down"  # from the broker to the node


def reset(end):
    """close() sends RST instead of FIN, and what was not sent is gone."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


class Link:
    """One accepted connection and its other half at the broker."""

    def __init__(self, near, far, on_bytes=None):
        self.near, self.far = near, far
        self.on_bytes = on_bytes  # (link, direction, bytes): what goes through
        self.stalled = set()  # directions in which nothing is read: the sender's buffers fill
        self.blackholed = set()  # directions in which all is read and thrown away: the sender sees nothing
        self.cut_after = None  # bytes that may still go up before the link is reset
        self.pending = {UP: b"", DOWN: b""}  # read, and not taken by the other side yet
        near.setblocking(False)
        far.setblocking(False)

    def ends(self, direction):
        """Source and sink."""
        return (self.near, self.far) if direction == UP else (self.far, self.near)

    def pump(self, direction):
        """Moves what there is; False when the link has ended."""
        source, sink = self.ends(direction)
        try:
            data = self.pending[direction]
            if not data:
                data = source.recv(65536)
                if not data:
                    # What a dead direction hides is hidden from the other side: it must find out by itself.
                    return self.blackholed and self.stop_reading(direction)
                data = self.seen(direction, data)
                if not data:
                    return True
            if direction in self.blackholed:
                self.pending[direction] = b""
                return True
            if direction == UP and self.cut_after is not None:
                data = data[: self.cut_after]
            sent = sink.send(data)
            if self.on_bytes:
                self.on_bytes(self, direction, data[:sent])
            self.pending[direction] = data[sent:]
            if direction == UP and self.cut_after is not None:
                self.cut_after -= sent
                if self.cut_after == 0:
                    self.reset()
                    return False
            return True
        except BlockingIOError:
            self.pending[direction] = data
            return True
        except OSError:
            return self.blackholed and self.stop_reading(direction)

    def seen(self, _direction, data):
        """What becomes of it on its way."""
        return data

    def stop_reading(self, direction):
        self.stalled.add(direction)
        return len(self.stalled) < 2

    def reset(self):
        reset(self.near)
        reset(self.far)

    def close(self):
        self.near.close()
        self.far.close()


class Proxy:
    LINK = Link

    def __init__(self, target_port, on_bytes=None):
        self.on_bytes = on_bytes
        self.target = ("127.0.0.1", target_port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = f"mqtt://127.0.0.1:{self.port}"
        self.links = []
        self.refusing = False
        self.swallowing = False
        self.accepted = 0
        self.lock = threading.Lock()
        self.wake, self.waker = socket.socketpair()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # Faults. Each strikes at once.

    def stall(self, *directions):
        self._strike(lambda link: link.stalled.update(directions))

    def blackhole(self, *directions):
        self._strike(lambda link: link.blackholed.update(directions))

    def cut_in(self, count):
        """RST when `count` more bytes have gone up."""

        def cut(link):
            link.cut_after = count

        self._strike(cut)

    def reset(self):
        with self.lock:
            for link in self.links:
                link.reset()
            self.links.clear()
        self.waker.send(b"x")

    def refuse(self, refusing):
        """New links are reset as soon as they are accepted."""
        self.refusing = refusing

    def swallow(self, swallowing):
        """New links are blackholed in both directions."""
        self.swallowing = swallowing

    def resume(self):
        """What was stalled flows again."""
        self._strike(lambda link: link.stalled.clear())

    def _strike(self, fault):
        with self.lock:
            for link in self.links:
                fault(link)
        self.waker.send(b"x")

    def _accept(self):
        near, _ = self.listener.accept()
        if self.refusing:
            reset(near)
            return
        try:
            far = socket.create_connection(self.target)
        except OSError:
            reset(near)
            return
        self.accepted += 1
        self.links.append(self.LINK(near, far, self.on_bytes))
        if self.swallowing:
            self.links[-1].blackholed.update((UP, DOWN))

    def _waiting(self):
        """The ends to be read, and those to be written, each with its link and direction."""
        sources, sinks = {}, {}
        for link in self.links:
            for direction in (UP, DOWN):
                if direction not in link.stalled:
                    source, sink = link.ends(direction)
                    if link.pending[direction] and direction not in link.blackholed:
                        sinks[sink] = (link, direction)
                    else:
                        sources[source] = (link, direction)
        return sources, sinks

    def _run(self):
        while self.running:
            with self.lock:
                sources, sinks = self._waiting()
            try:
                readable, writable, _ = select.select([self.listener, self.wake, *sources], [*sinks], [])
            except (OSError, ValueError):
                continue  # a link was reset meanwhile
            with self.lock:
                for ready in readable:
                    if ready is self.wake:
                        self.wake.recv(1024)
                    elif ready is self.listener:
                        self._accept()
                    else:
                        self._serve(*sources[ready])
                for ready in writable:
                    self._serve(*sinks[ready])

    def _serve(self, link, direction):
        if link in self.links and direction not in link.stalled and not link.pump(direction):
            self.links.remove(link)
            link.close()

    def close(self):
        self.running = False
        self.waker.send(b"x")
        self.thread.join()
        for link in self.links:
            link.close()
        for end in (self.listener, self.wake, self.waker):
            end.close()
