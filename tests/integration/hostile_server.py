"""A server that plays one scenario of hostile.py on a connection, and behaves on all others."""

import select
import socket
import struct
import threading
import time

from hostile import connack, suback, unsuback
from liar import CONNECT, DISCONNECT, PINGREQ, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, Client

DATA_WANTED = 3
QUIET_S = 1.0  # so long a scenario may leave the node without an answer before the server hangs up


class Hostile:
    """Plays the scenario that is set on the next connection, and behaves on all that follow."""

    def __init__(self, version):
        self.version = version
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"mqtt://127.0.0.1:{self.listener.getsockname()[1]}"
        self.scenario = None
        self.is_played = False
        self.data_count = 0  # messages with data since the scenario was played
        self.changed = threading.Condition()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def play(self, scenario, timeout):
        """True when the scenario has been played, and the node has sent data after it."""
        with self.changed:
            self.scenario, self.is_played, self.data_count = scenario, False, 0
        return self.wait_for_data(timeout)

    def wait_for_data(self, timeout):
        """More than what may have been under way."""
        with self.changed:
            wanted = self.data_count + DATA_WANTED
            return self.changed.wait_for(lambda: self.is_played and self.data_count >= wanted, timeout)

    def _note(self, is_played, data_count):
        with self.changed:
            self.is_played, self.data_count = is_played, data_count
            self.changed.notify_all()

    def _send(self, end, chunks, deadline_s=60):
        """What the node sends meanwhile is left in the socket, unless it fills it."""
        until = time.monotonic() + deadline_s
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                _, ready, _ = select.select([], [end], [], max(0, until - time.monotonic()))
                if not ready:
                    raise OSError("the node does not read")
                view = view[end.send(view):]
                self._drain(end)

    def _drain(self, end):
        """Acknowledgements of a flood must not stop it."""
        try:
            self.pending += end.recv(1 << 20, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass

    def _play(self, end, number):
        scenario, self.scenario = self.scenario, None
        try:
            self._send(end, scenario.play(number, self.version))
        finally:
            self._note(True, 0)

    def _answer(self, end, first, body):
        """False when the node says goodbye."""
        kind, stage = first >> 4, self.scenario.stage if self.scenario else None
        number = struct.unpack(">H", body[:2])[0] if len(body) >= 2 else None
        if kind == CONNECT:
            if stage == "connack":
                self._play(end, None)
            else:
                self._send(end, [connack(self.version)])
        elif kind == SUBSCRIBE and stage == "suback":
            self._play(end, number)
        elif kind == SUBSCRIBE:
            self._send(end, [suback(self.version, number, [1])])
        elif kind == UNSUBSCRIBE and stage == "unsuback":
            self._play(end, number)
        elif kind == UNSUBSCRIBE:
            self._send(end, [unsuback(self.version, number)])
        elif kind == PINGREQ:
            self._send(end, [b"\xd0\x00"])
        elif kind == PUBLISH and b"/DDATA/" in body[:100]:
            if stage == "online":
                self._play(end, None)
            else:
                self._note(self.is_played, self.data_count + 1)
        return kind != DISCONNECT

    def _serve(self, end):
        client, self.pending = Client(end), b""
        first_scenario = self.scenario
        played_before, quiet_since = self.is_played, time.monotonic()
        while self.running:
            scenario = self.scenario
            if scenario and scenario is not first_scenario and scenario.stage in ("connack", "suback"):
                return  # its stage comes on a new connection alone
            data, self.pending = self.pending, b""
            if not data:
                ready, _, _ = select.select([end], [], [], 0.1)
                data = end.recv(1 << 20) if ready else None
            if data == b"":
                return
            if data:
                client.data += data
                for first, body in client.packets():
                    quiet_since = time.monotonic()
                    if not self._answer(end, first, body):
                        return
            elif self.is_played and not played_before and self.data_count == 0 and time.monotonic() - quiet_since > QUIET_S:
                return

    def _run(self):
        while self.running:
            ready, _, _ = select.select([self.listener], [], [], 0.1)
            if ready:
                end, _ = self.listener.accept()
                with end:
                    try:
                        self._serve(end)
                    except OSError:
                        pass

    def close(self):
        self.running = False
        self.thread.join()
        self.listener.close()
