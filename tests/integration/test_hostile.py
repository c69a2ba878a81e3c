"""The demo edge node and servers that send what no honest one does: it lives, stays small, and comes back.

SPB_HOSTILE=short (the default) plays a selection, =long all scenarios, =N seconds of random bytes; SPB_HOSTILE_SEED sets
where those begin. The environment of a sanitizer build raises the limit for memory (SPB_HOSTILE_MAX_MB).
"""

import itertools
import os
import pathlib
import signal
import threading
import time
import unittest

from harness import PATIENCE_S, Edge, wait_until
from hostile import all_scenarios, random_scenario
from hostile_server import Hostile

MODE = os.environ.get("SPB_HOSTILE", "short")
SEED = int(os.environ.get("SPB_HOSTILE_SEED", "1"))
# What a scenario may add at its peak. A sanitizer keeps what is freed.
MAX_MB = float(os.environ.get("SPB_HOSTILE_MAX_MB", "32"))
SIDES = int(os.environ.get("SPB_HOSTILE_SIDES", "6"))  # nodes for each version, at the same time
# What a node says when a flood took so long that its own watchdog was first, as on a slow machine.
GAVE_UP = "does not answer any more"
# How a node ends that is stopped behind the last scenario: it was cut off by it, or it waits in vain for answers, as what it got
# last is the beginning of a packet.
ENDS = ("the connection was lost before the goodbye", "the server did not take the goodbye in time")


class Trial(threading.Thread):
    """One node and its server; scenarios are taken from a common list until it is empty."""

    def __init__(self, version, scenarios):
        super().__init__()
        self.version, self.scenarios = version, scenarios
        self.server = Hostile(version)
        self.edge = Edge(self.server, "--reconnect", 1, "--mqtt", "5" if version == 5 else "3.1.1", "--delivery", "outage",
                         interval_ms=100)
        self.faults, self.count, self.peak = [], 0, (0.0, "")

    def memory_mb(self, field):
        status = pathlib.Path(f"/proc/{self.edge.process.pid}/status").read_text()
        return int(status.split(field + ":")[1].split()[0]) / 1024

    def play(self, scenario):
        pathlib.Path(f"/proc/{self.edge.process.pid}/clear_refs").write_text("5")  # the peak begins anew
        before_mb, said_before = self.memory_mb("VmRSS"), len(self.edge.output())
        if not self.server.play(scenario, 2 * PATIENCE_S):
            return "the node did not come back"
        if scenario.says:
            said = lambda: self.edge.output()[said_before:]
            wait_until(lambda: scenario.says in said() or GAVE_UP in said(), f"{scenario.says!r} in the log")
            if not self.server.wait_for_data(2 * PATIENCE_S):
                return "the node did not come back"
        grown_mb = self.memory_mb("VmHWM") - before_mb
        self.peak = max(self.peak, (grown_mb, scenario.name))
        return f"{grown_mb:.0f} MB more" if grown_mb > max(scenario.max_mb or 0, MAX_MB) else None

    def run(self):
        for scenario in self.scenarios:
            try:
                fault = self.play(scenario)
            except (AssertionError, OSError, IndexError) as error:
                fault = str(error)
            self.count += 1
            if self.edge.process.poll() is not None:
                fault = f"the node ended with {self.edge.process.returncode}"
            if fault:
                self.faults.append(f"MQTT {self.version}, {scenario.name}: {fault}\n{self.edge.output()[-2000:]}")
                return

    def finish(self):
        if self.edge.process.poll() is None:
            try:
                self.edge.stop()
            except AssertionError as error:
                has_ended = any(words in self.edge.output() for words in ENDS) and self.edge.process.poll() is not None
                if not has_ended:
                    self.faults.append(str(error)[-4000:])
        output = self.edge.output()
        if "Sanitizer" in output or "runtime error" in output:
            self.faults.append(output[-8000:])
        self.edge.close()
        self.server.close()


def random_scenarios(version, seconds):
    end = time.monotonic() + seconds
    for seed in itertools.count(SEED):
        if time.monotonic() > end:
            return
        yield random_scenario(seed, version)


class Common:
    """An iterator for several threads."""

    def __init__(self, items):
        self.items, self.lock = iter(items), threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return next(self.items)


def scenarios_of(version):
    if MODE.isdigit():
        return random_scenarios(version, int(MODE))
    return (s for s in all_scenarios() if version in s.versions and (s.is_short or MODE == "long"))


class HostileTest(unittest.TestCase):
    def test_a_node_survives_them(self):
        trials = []
        for version in (4, 5):
            scenarios = Common(scenarios_of(version))
            trials += [Trial(version, scenarios) for _ in range(SIDES)]
        for trial in trials:
            trial.start()
        for trial in trials:
            trial.join()
            trial.finish()
        peaks = sorted((trial.peak for trial in trials), reverse=True)
        print(f"{sum(trial.count for trial in trials)} scenarios; the most memory: "
              + ", ".join(f"{mb:.1f} MB by {name}" for mb, name in peaks[:3]), flush=True)
        faults = [fault for trial in trials for fault in trial.faults]
        self.assertFalse(faults, "\n".join(faults))


if __name__ == "__main__":
    unittest.main()
