#!/usr/bin/env python3
"""An edge node under faults on a real mosquitto: nothing that it accepted may be lost, and this proves it.

The edge program numbers every sample and keeps an account of what it owes; a host that shares no code with the library
writes what it hears into a ledger; the verdict compares the two. A seed draws the faults and how long each lasts; what
the threads of the system make of it is not drawn, so a seed comes near to a run again, and does not repeat it exactly.
"""

import argparse
import collections
import ctypes
import os
import pathlib
import random
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from actors import PROGRAMS, Disk, Edge, Host  # noqa: E402
from faults import SCENES, Faults  # noqa: E402
from harness import Broker  # noqa: E402
from proxy import Proxy  # noqa: E402

# What may come again is what is in flight: the window, and a live message that goes beyond it.
LIVE_MESSAGE = 64 << 10
HOST_WINDOW = 8 << 20
# What was confirmed in the settle time may come again as well; the library keeps no more of it than this.
SETTLING = 8 << 20
METRICS = 12  # of the node, and of each device


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--level", choices=["live", "outage", "durable"], default="outage")
    parser.add_argument("--scene", choices=SCENES, default="link", help="which faults strike")
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--kills", type=int, help="how many of them kill the process; at level durable a quarter")
    parser.add_argument("--seed", type=int, help="default: one is drawn")
    parser.add_argument("--samples", type=int, default=0, help="at least so many")
    parser.add_argument("--rate", type=int, default=5000, help="samples/s")
    parser.add_argument("--message", type=int, default=10000, metavar="SAMPLES", help="at most so many in one; 1: a flood")
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--keep-alive", type=int, default=1, metavar="S")
    parser.add_argument("--replay", type=int, default=100000, metavar="SAMPLES/S", help="pace of the replay; 0: unpaced")
    parser.add_argument("--unconfirmed", type=int, default=256 << 10, metavar="BYTES")
    parser.add_argument("--settle", type=int, default=500, metavar="MS", help="how long a server's answer is not believed")
    parser.add_argument("--primary", action="store_true", help="with a primary host; scenes host and all have one")
    parser.add_argument("--unset-clock", action="store_true", help="the machine boots in 1970; scene clock does")
    parser.add_argument("--store", type=int, default=24, metavar="MIB", help="what the journal may take of the disk")
    parser.add_argument("--memory", action="store_true", help="the journal is in memory")
    parser.add_argument("--debug", action="store_true", help="the edge logs each message")
    parser.add_argument("--seconds", type=int, help="runs of all levels and scenes, one after the other, for so long")
    parser.add_argument("--keep", action="store_true", help="leave all files; those of a run that fails stay in any case")
    return parser.parse_args(arguments)


def complete(options):
    options.primary |= options.scene in ("host", "all")
    options.unset_clock |= options.scene == "clock"
    if options.kills is None:
        options.kills = options.faults // 4 if options.level == "durable" else 0
    if options.seed is None:
        options.seed = secrets.randbelow(1 << 31)
    return options


def own_mounts():
    """In a mount namespace of this process, so that no mount outlives it."""
    if os.geteuid() == 0:
        ctypes.CDLL(None, use_errno=True).unshare(0x00020000)
        subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False)


class Run:
    def __init__(self, options, directory):
        self.options, self.directory = options, directory
        self.account, self.ledger = directory / "account", directory / "ledger"
        self.closing = []
        self.disk = self.owned(Disk(directory, options.store + 8))
        self.broker = self.owned(Broker())
        self.proxy = self.owned(Proxy(self.broker.port))
        self.host = self.owned(Host(directory, self.broker.port, self.ledger, options.primary))
        self.edge = self.owned(Edge(directory, self.edge_arguments()))

    def owned(self, thing):
        self.closing.append(thing)
        return thing

    def close(self):
        if self.broker.process.poll() is None:
            self.broker.process.send_signal(signal.SIGCONT)
        for thing in reversed(self.closing):
            thing.close()

    def edge_arguments(self):
        options = self.options
        arguments = {
            "server": self.proxy.uri,
            "store-bytes": options.store << 20,
            "level": options.level,
            "account": self.account,
            "samples": options.samples,
            "rate": options.rate,
            "message": options.message,
            "devices": options.devices,
            "metrics": METRICS,
            "keep-alive": options.keep_alive,
            "unconfirmed": options.unconfirmed,
            "settle": options.settle,
            "replay": options.replay,
            "flush": 100 if options.level == "durable" else 1000,
        }
        if not options.memory:
            arguments["store"] = self.disk.path / "edge.spb"
        if options.primary:
            arguments["primary"] = "Host"
        words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
        return words + (["--debug"] if options.debug else [])

    def start(self):
        self.host.start()
        if self.options.unset_clock:
            self.edge.clock = "unset"
        if self.options.scene == "disk" and self.disk.is_small:
            self.start_without_room()
        self.edge.start()
        self.edge.wait_online()

    def start_without_room(self):
        """A journal that cannot have its room is an error that names it, before anything is accepted."""
        self.disk.fill()
        self.edge.start()
        self.edge.wait_line("failed spb_node_new")
        self.edge.end()
        self.disk.empty()

    def disturb(self):
        faults = Faults(self, random.Random(self.options.seed))
        plan = faults.plan()
        # A clock that was not set is set in the middle of the faults.
        setting = len(plan) // 2 if self.options.unset_clock else None
        for number, kind in enumerate(plan):
            if number == setting:
                self.edge.set_clock(0)
            before = time.monotonic()
            self.host.mark(f"fault {number} {kind}")
            faults.strike(kind)
            print(f"{number + 1:4} {kind} ({time.monotonic() - before:.1f} s)", flush=True)
            faults.interval()
        return collections.Counter(plan)

    def finish(self):
        """All that is owed gets the time to arrive; nothing of it may still be under way."""
        self.edge.wait_online()
        self.edge.tell("finish")
        rest = self.options.samples / self.options.rate
        self.edge.wait_line("produced", timeout=rest + 60)
        self.edge.tell("drain")
        self.edge.wait_line("drained", timeout=120)
        deaths = self.host.count("NDEATH")
        self.edge.tell("stop")
        self.edge.wait_line("stopped SPB_OK")
        said = self.edge.lines[-1]
        status = self.edge.end()
        self.host.wait_line("NDEATH", deaths)
        if status != 0 or self.host.end() != 0:
            raise AssertionError(f"the edge ended with {status}; see {self.edge.log.name}")
        return said

    def verdict(self):
        options = self.options
        command = [PROGRAMS / "chaos_verdict", "--account", self.account, "--ledger", self.ledger]
        settling = SETTLING if options.settle else 0
        command += ["--resent", str(options.unconfirmed + LIVE_MESSAGE + settling), "--overflow"]
        command += ["--host", str(HOST_WINDOW)] if options.primary else []
        # Confirmations are written within a second, and the fences that brought them took up to one before.
        command += ["--flushed", "--killed", str(2 * options.rate * 64)] if options.kills else []
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)


def judge(options, result):
    """At level live a loss is what has to be found; what nobody counted is wrong at each level."""
    broken = {line.split()[1].rstrip(":") for line in result.stdout.splitlines() if line.startswith("BROKEN")}
    if options.level == "live":
        return broken == {"lost"} and result.returncode == 1
    return not broken and result.returncode == 0


def run_in(options, directory):
    run = Run(options, directory)
    try:
        started = time.monotonic()
        run.start()
        kinds = run.disturb()
        said = run.finish()
        result = run.verdict()
        print(result.stdout, end="")
        print(f"edge {said}; {time.monotonic() - started:.0f} s")
        print("faults:", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
        return judge(options, result)
    finally:
        run.close()


def run_once(options, command):
    """True when all is well."""
    complete(options)
    again = shlex.join(command if "--seed" in command else [*command, "--seed", str(options.seed)])
    print(f"seed {options.seed}; again: {again}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="spb-chaos-"))
    is_fine = False
    try:
        is_fine = run_in(options, directory)
    except AssertionError as failure:
        print(f"FAILED: {failure}")
    if is_fine and not options.keep:
        shutil.rmtree(directory)
    else:
        print(f"{'' if is_fine else 'FAILED; '}seed {options.seed}; again: {again}; what was seen is in {directory}")
    return is_fine


def run_for(seconds):
    """Each level with each scene in turn; goes on after a run that failed. How many failed."""
    end, runs, failed = time.monotonic() + seconds, 0, 0
    kinds = [(level, scene) for scene in SCENES for level in ("outage", "durable")]
    while time.monotonic() < end:
        level, scene = kinds[runs % len(kinds)]
        command = [sys.argv[0], "--level", level, "--scene", scene, "--faults", "16"]
        failed += not run_once(parse(command[1:]), command)
        runs += 1
    print(f"{runs} runs, {failed} failed")
    return failed


def main():
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    own_mounts()
    if options.seconds:
        return 1 if run_for(options.seconds) else 0
    return 0 if run_once(options, sys.argv) else 1


if __name__ == "__main__":
    sys.exit(main())
