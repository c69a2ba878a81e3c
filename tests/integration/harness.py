"""What the integration tests stand on: a private mosquitto, a subscriber, an independent decoder, and the demo node.

Everything listens on 127.0.0.1 at a free port, waits for events instead of sleeping, and is ended by its own process id.
"""

import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOL = os.environ.get("SPB_TOOL", str(HERE.parent.parent / "build" / "spb"))
# Programs of other projects; what they stand on, tests/peers/install fetches.
PEERS = HERE.parent / "peers"
# Sanitizers and loaded machines are slow; this bounds a wait that will fail, it never delays one that succeeds.
PATIENCE_S = float(os.environ.get("SPB_TEST_PATIENCE_S", "30"))
unittest.TestCase.maxDiff = None  # all that a program said


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, timeout=PATIENCE_S):
    """For the few things that give no event (a port that opens, a process that ends)."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(0.01)


class Broker:
    """A mosquitto of our own. `restart` comes back at the same port."""

    def __init__(self, config=""):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spb-broker-"))
        self.port = free_port()
        self.log = self.directory / "mosquitto.log"
        self.config = self.directory / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            f"max_queued_messages 0\nlog_dest file {self.log}\nlog_type all\nlog_timestamp_format %s\n"
            # Started as root, mosquitto would drop to another user, who may not write its log here.
            f"user {'root' if os.geteuid() == 0 else 'mosquitto'}\n{config}\n"
        )
        self.process = None
        self.start()

    @property
    def uri(self):
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self):
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-c", str(self.config)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.accepts, "mosquitto to accept connections")

    def accepts(self):
        if self.process.poll() is not None:
            raise AssertionError(f"mosquitto ended with {self.process.returncode}: {self.log.read_text()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.directory)

    def publish(self, topic, payload, qos=0, retain=False):
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-q", str(qos), "-s"]
        subprocess.run(command + (["-r"] if retain else []), input=payload, check=True, timeout=PATIENCE_S)


class Decoder:
    """The npm package sparkplug-payload, in a process of its own."""

    def __init__(self):
        if not (PEERS / "node_modules" / "sparkplug-payload").exists():
            raise AssertionError("this test needs tests/peers/install, and ${with_peers} in tests.cmake")
        self.process = subprocess.Popen(
            ["node", str(PEERS / "decode.js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def decode(self, topic, payload):
        self.process.stdin.write(f"{topic}\t{payload.hex()}\n")
        self.process.stdin.flush()
        decoded = json.loads(self.process.stdout.readline())
        if "error" in decoded:
            raise AssertionError(f"{topic}: {decoded['error']}")
        return decoded

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Message:
    def __init__(self, line):
        self.time, qos, retain, self.topic, payload = line.rstrip("\n").split("\t")
        self.qos, self.retain = int(qos), retain == "1"
        self.payload = bytes.fromhex(payload)
        self.decoded = None
        parts = self.topic.split("/")
        self.kind = parts[2] if len(parts) > 3 else parts[1]
        self.device = parts[4] if len(parts) > 4 else None

    @property
    def seq(self):
        return self.decoded["seq"] if self.decoded["hasSeq"] else None

    def metric(self, name):
        found = [metric for metric in self.decoded["metrics"] if metric.get("name") == name]
        return found[0] if found else None

    def value(self, name):
        metric = self.metric(name)
        return metric["value"] if metric else None

    def __repr__(self):
        return f"{self.topic} qos={self.qos} {self.decoded if self.decoded else self.payload.hex()}"


class Subscriber:
    """mosquitto_sub with a list of what came in, decoded by the independent decoder."""

    READY = "spb-test/ready"

    def __init__(self, broker, topic="spBv1.0/#"):
        self.messages = []
        self.ready = False
        self.arrived = threading.Condition()
        self.decoder = Decoder()
        # A retained message tells when the subscription is in force: filters are handled in order.
        broker.publish(self.READY, b"x", retain=True)
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "2", "-t", topic, "-t", self.READY]
            + ["-F", "%U\t%q\t%r\t%t\t%x"],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        with self.arrived:
            if not self.arrived.wait_for(lambda: self.ready, PATIENCE_S):
                raise AssertionError("mosquitto_sub did not subscribe")

    def _read(self):
        for line in self.process.stdout:
            message = Message(line)
            # What hosts send may be garbage on purpose.
            if message.topic != self.READY and message.kind not in ("STATE", "NCMD", "DCMD"):
                message.decoded = self.decoder.decode(message.topic, message.payload)
            with self.arrived:
                if message.topic == self.READY:
                    self.ready = True
                else:
                    self.messages.append(message)
                self.arrived.notify_all()

    def wait(self, predicate, what, start=0, timeout=PATIENCE_S):
        """The index of the first message from `start` on that fulfils the predicate."""

        def found():
            return next((i for i in range(start, len(self.messages)) if predicate(self.messages[i])), None)

        with self.arrived:
            if not self.arrived.wait_for(lambda: found() is not None, timeout):
                seen = "\n".join(repr(message)[:300] for message in self.messages[start:])
                raise AssertionError(f"waited {timeout} s for {what}; seen from {start} on:\n{seen}")
            return found()

    def wait_kind(self, kind, start=0, timeout=PATIENCE_S):
        return self.wait(lambda message: message.kind == kind, kind, start, timeout)

    def close(self):
        # mosquitto_sub takes a lock in its handler of SIGTERM, which it may hold already: then it waits for ever.
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()
        self.decoder.close()


def tool(*words, status=0, timeout=PATIENCE_S, **more):
    """A run of `spb` from its beginning to its end, which must have this exit status."""
    done = subprocess.run([TOOL, *map(str, words)], capture_output=True, timeout=timeout, **{"text": True, **more})
    if done.returncode != status:
        said = "".join(part if isinstance(part, str) else part.decode(errors="replace") for part in (done.stdout, done.stderr))
        raise AssertionError(f"spb {words[0]} ended with {done.returncode} instead of {status}:\n{said}")
    return done


class Program:
    """A run of `spb` that goes on. What it says on stderr is kept, and told when it ends otherwise than it should."""

    def __init__(self, *words, stdout=subprocess.PIPE, **more):
        self.name = f"spb {words[0]}"
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([TOOL, *map(str, words)], stdout=stdout or self.errors, stderr=self.errors,
                                        bufsize=0, **{"stdin": subprocess.DEVNULL, **more})

    def output(self):
        """What stands on stderr so far. The program writes on: its place in the file must not move."""
        return os.pread(self.errors.fileno(), os.fstat(self.errors.fileno()).st_size, 0).decode(errors="replace")

    def wait_output(self, words):
        wait_until(lambda: words in self.output() or self.process.poll() is not None, f"{words!r} of {self.name}")
        if words not in self.output():
            raise AssertionError(f"{self.name} ended with {self.process.wait()} and without {words!r}:\n{self.output()}")

    def line(self):
        """The next line of stdout, without its end."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            why = f"ended with {self.process.wait(PATIENCE_S)}" if ready else f"said nothing for {PATIENCE_S} s"
            raise AssertionError(f"{self.name} {why}:\n{self.output()}")
        return line.decode().rstrip("\n")

    def line_with(self, words):
        end = time.monotonic() + PATIENCE_S
        line = self.line()
        while words not in line:
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} said no {words!r} within {PATIENCE_S} s, at last: {line}\n{self.output()}")
            line = self.line()
        return line

    def expect_end(self, status=0, timeout=PATIENCE_S):
        """It ends, by itself, with this exit status."""
        try:
            ended = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s:\n{self.output()}") from None
        if ended != status:
            raise AssertionError(f"{self.name} ended with {ended} instead of {status}:\n{self.output()}")

    def stop(self, signal_number=signal.SIGTERM, status=0):
        self.process.send_signal(signal_number)
        self.expect_end(status)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        elif self.process.returncode not in (0, 1, 2, 3, -signal.SIGKILL):  # whatever the test waited for in vain
            print(f"{self.name} ended with {self.process.returncode}:\n{self.output()}", file=sys.stderr, flush=True)
        if self.process.stdout:
            self.process.stdout.close()
        self.errors.close()


class Edge(Program):
    """`spb edge`, the program under test."""

    def __init__(self, broker, *options, node="Edge1", group="Plant1", interval_ms=200):
        self.group, self.node = group, node
        super().__init__("edge", "--broker", broker.uri, "--group", group, "--node", node, "--interval", interval_ms, "--verbose",
                         *options, stdout=None)

    def topic(self, kind, device=None):
        return "/".join(["spBv1.0", self.group, kind, self.node] + ([device] if device else []))
