"""Who takes part in a chaos run besides broker and proxy: the edge program, the host, and the edge's disk."""

import os
import pathlib
import resource
import signal
import subprocess
import threading
import time

PROGRAMS = pathlib.Path(os.environ.get("SPB_CHAOS_PROGRAMS", pathlib.Path(__file__).parents[2] / "build" / "tests"))
# What no run takes that goes well; sanitizers and loaded machines are slow.
PATIENCE_S = float(os.environ.get("SPB_TEST_PATIENCE_S", "60"))


class Program:
    """A process that is told what to do by lines, and tells by lines what happened. It ends when its stdin does."""

    def __init__(self, name, log):
        self.name = name
        self.log = open(log, "ab")
        self.process = None
        self.lines = []
        self.changed = threading.Condition()
        self.threads = []

    def start(self, *arguments):
        self.process = subprocess.Popen(
            [PROGRAMS / self.name, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.threads = [
            threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._keep, args=(self.process.stderr,), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _listen(self, pipe):
        for line in iter(pipe.readline, b""):
            with self.changed:
                self.lines.append(line.decode().rstrip("\n"))
                self.log.write(f"{time.time():.3f} > ".encode() + line)
                self.changed.notify_all()
        with self.changed:
            self.lines.append("(end)")
            self.changed.notify_all()
        pipe.close()

    def _keep(self, pipe):
        for text in iter(lambda: pipe.read(65536), b""):
            self.log.write(text)
            self.log.flush()
        pipe.close()

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")

    def count(self, start):
        with self.changed:
            return sum(line.startswith(start) for line in self.lines)

    def wait(self, condition, what, timeout=PATIENCE_S):
        """`condition` gets all lines so far; the end of the program ends the wait."""
        with self.changed:
            known = len(self.lines)
            done = self.changed.wait_for(lambda: condition(self.lines) or "(end)" in self.lines[known:], timeout)
            if not (done and condition(self.lines)):
                said = ", ".join(self.lines[-8:])
                raise AssertionError(f"waited for {what} of {self.name}, which said: {said}; see {self.log.name}")

    def wait_line(self, start, after=0, timeout=PATIENCE_S):
        """For more than `after` lines that begin like this."""
        self.wait(lambda lines: sum(line.startswith(start) for line in lines) > after, start, timeout)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        """Its end, which is due, with all that it said. The exit status."""
        if not self.process:
            return None
        self.process.stdin.close()
        status = self.process.wait(PATIENCE_S)
        for thread in self.threads:
            thread.join()
        self.process = None
        return status

    def close(self):
        self.kill()
        self.log.close()


class Edge(Program):
    def __init__(self, directory, arguments):
        super().__init__("chaos_edge", directory / "edge.log")
        self.arguments = arguments
        self.clock = "0"

    def start(self):
        super().start(*self.arguments, "--clock", self.clock)

    def state(self):
        with self.changed:
            states = [line for line in self.lines if line.startswith("state ") or line == "(end)"]
            return states[-1].removeprefix("state ") if states else None

    def wait_online(self):
        self.wait(lambda _: self.state() == "ONLINE", "state ONLINE")

    def wait_link(self):
        """Online, and not only by its own belief."""
        before = self.count("linked")
        self.tell("link")
        self.wait_line("linked", before)

    def set_clock(self, setting):
        """Milliseconds that it is ahead, or "unset"; survives the process, as it would in a machine."""
        self.clock = str(setting)
        before = self.count("clock set")
        self.tell("unset" if setting == "unset" else f"clock {setting}")
        self.wait_line("clock set", before)

    def limit_files(self, is_limited):
        """No write to any file succeeds any more."""
        size = 0 if is_limited else resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Host(Program):
    def __init__(self, directory, port, ledger, is_primary):
        super().__init__("chaos_host", directory / "host.log")
        self.arguments = ["--port", port, "--ledger", ledger] + (["--primary"] if is_primary else [])
        self.ready = "online" if is_primary else "subscribed"

    def start(self, *marks):
        before = self.count(self.ready)
        super().start(*self.arguments, *[word for text in marks for word in ("--mark", text)])
        self.wait_line(self.ready, before)

    def mark(self, text):
        self.tell(f"mark {text}")


class Disk:
    """The directory of the store: a small file system of its own if this process may mount one, else an ordinary one that
    cannot be filled."""

    def __init__(self, directory, mebibytes):
        self.path = directory / "disk"
        self.path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(self.path)]
        self.is_small = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
        self.filler = self.path / "filler"

    def fill(self):
        """Until there is not a byte of room."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    pass

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        if self.is_small:
            subprocess.run(["umount", "-l", str(self.path)], check=False)
