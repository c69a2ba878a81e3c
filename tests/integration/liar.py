"""A small MQTT 3.1.1 server that lies about fences: it answers an UNSUBSCRIBE before it has dealt with what came earlier.

`lie` says what becomes of the messages that wait at that moment:
  "drop"   they are forwarded when the publisher has kept its link for a while, and forgotten when it goes; but the first
           message of each link is forwarded at once
  "late"   they are forwarded when the publisher has gone, and LATE_S have passed
  "mute"   UNSUBSCRIBE is not answered at all, nor is more than one SUBSCRIBE of a link
  "limit"  no lie: the server forwards in order, but only the first LIMIT messages of a link (as with a quota)
"""

import contextlib
import select
import socket
import struct
import threading
import time

CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 10, 12, 14
PATIENCE_S = 2.0  # the "while" of "drop": much longer than a client takes to close, shorter than it waits for messages
LATE_S = 0.2
LIMIT = 40


def packet(first, body):
    length, rest = b"", len(body)
    while True:
        length += bytes([rest % 128 | (0x80 if rest > 127 else 0)])
        rest //= 128
        if rest == 0:
            return bytes([first]) + length + body


class Stream:
    def __init__(self):
        self.data = b""

    def packets(self):
        """Those that are complete."""
        while len(self.data) >= 2:
            length, at = 0, 1
            while True:
                if at >= len(self.data):
                    return
                length |= (self.data[at] & 0x7F) << 7 * (at - 1)
                at += 1
                if self.data[at - 1] < 0x80:
                    break
            if len(self.data) < at + length:
                return
            first, body = self.data[0], self.data[at : at + length]
            self.data = self.data[at + length :]
            yield first, body


class Client(Stream):
    def __init__(self, end):
        super().__init__()
        self.end = end
        self.filters = []
        self.waiting = []  # packets that are not forwarded yet
        self.forwarded = 0
        self.release_at = None  # when they are, if the link lives so long


class Liar:
    def __init__(self, lie):
        self.lie = lie
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"mqtt://127.0.0.1:{self.listener.getsockname()[1]}"
        self.clients = {}
        self.later = []  # (when, packets) of publishers that have gone
        self.wake, self.waker = socket.socketpair()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _forward(self, publish):
        topic_length = struct.unpack(">H", publish[1][:2])[0]
        topic = publish[1][2 : 2 + topic_length]
        for client in self.clients.values():
            if topic in client.filters:
                with contextlib.suppress(OSError):  # it may have gone, which its own end will tell
                    client.end.sendall(packet(*publish))

    def _publish(self, client, publish):
        if self.lie == "late" or self.lie == "drop" and client.forwarded > 0:
            client.waiting.append(publish)
        elif self.lie != "limit" or client.forwarded < LIMIT:
            client.forwarded += 1
            self._forward(publish)

    def _unsubscribe(self, client, body):
        if self.lie != "mute":
            client.end.sendall(packet(0xB0, body[:2]))
        client.release_at = time.monotonic() + PATIENCE_S

    def _serve(self, client, first, body):
        kind = first >> 4
        if kind == CONNECT:
            client.end.sendall(packet(0x20, b"\0\0"))
        elif kind == SUBSCRIBE and not (self.lie == "mute" and client.filters):
            length = struct.unpack(">H", body[2:4])[0]
            client.filters.append(body[4 : 4 + length])
            client.end.sendall(packet(0x90, body[:2] + b"\0"))
        elif kind == PINGREQ:
            client.end.sendall(packet(0xD0, b""))
        elif kind == UNSUBSCRIBE:
            self._unsubscribe(client, body)
        elif kind == PUBLISH and b"#" in body[2:4]:
            return False  # a client that wants its will published
        elif kind == PUBLISH:
            self._publish(client, (first, body))
        return kind != DISCONNECT

    def _read(self, client):
        """False when the client has gone. Lies come first: the answer to a fence overtakes what came before it."""
        try:
            data = client.end.recv(65536)
            client.data += data
            return bool(data) and all(self._serve(client, first, body) for first, body in client.packets())
        except OSError:
            return False  # it has closed its end while it was answered

    def _release(self, client):
        client.release_at = None
        waiting, client.waiting = client.waiting, []
        for publish in waiting:
            self._forward(publish)

    def _drop(self, client):
        del self.clients[client.end]
        client.end.close()
        if self.lie == "late":
            self.later.append((time.monotonic() + LATE_S, client.waiting))

    def _timers(self):
        """What is due is done; how long until the next."""
        now = time.monotonic()
        for client in list(self.clients.values()):
            if client.release_at is not None and client.release_at <= now:
                self._release(client)
        due = [waiting for when, waiting in self.later if when <= now]
        self.later = [item for item in self.later if item[0] > now]
        for waiting in due:
            for publish in waiting:
                self._forward(publish)
        times = [client.release_at for client in self.clients.values() if client.release_at is not None]
        times += [when for when, _ in self.later]
        return max(0, min(times) - time.monotonic()) if times else None

    def _run(self):
        while self.running:
            timeout = self._timers()
            ready, _, _ = select.select([self.listener, self.wake, *self.clients], [], [], timeout)
            for end in ready:
                if end is self.listener:
                    near, _ = self.listener.accept()
                    self.clients[near] = Client(near)
                elif end is not self.wake and not self._read(self.clients[end]):
                    self._drop(self.clients[end])

    def close(self):
        self.running = False
        self.waker.send(b"x")
        self.thread.join()
        for end in (*self.clients, self.listener, self.wake, self.waker):
            end.close()
