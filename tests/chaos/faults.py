"""The faults: each strikes, lasts for a drawn time, and is over."""

import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
from proxy import DOWN, UP  # noqa: E402

LINK = ["reset", "cut", "outage", "blackhole", "blackhole_up", "blackhole_down", "stall", "stall_up", "stall_down"]
BROKER = ["broker_kill", "broker_freeze"]
TROUBLE = ["rebirth", "device"]
SCENES = {
    "link": LINK + BROKER + TROUBLE,
    "host": ["host_kill", "host_freeze", "host_kill_unheard", "reset", "broker_kill", "blackhole"],
    "disk": ["disk_full", "disk_fails", "disk_full_outage", "outage", "broker_kill"],
    "clock": ["clock", "outage", "broker_kill", "reset"],
    "broker": ["broker_kill"],
}
SCENES["all"] = list(dict.fromkeys(kind for scene in SCENES.values() for kind in scene))


class Faults:
    def __init__(self, run, numbers):
        self.run, self.numbers = run, numbers
        self.keep_alive_s = run.options.keep_alive

    def kinds(self):
        kinds = list(SCENES[self.run.options.scene])
        if "disk_full" in kinds and self.run.options.kills > 0:
            kinds.append("disk_full_kill")
        if not self.run.disk.is_small:
            kinds = [kind for kind in kinds if not kind.startswith("disk_full")]
        return kinds

    def plan(self):
        """Every kind at least once, if there are enough; and the kills of the process."""
        options, kinds = self.run.options, self.kinds()
        plan = ["edge_kill"] * options.kills
        while len(plan) < options.faults:
            self.numbers.shuffle(kinds)
            plan += kinds[: options.faults - len(plan)]
        self.numbers.shuffle(plan)
        return plan

    def strike(self, kind):
        getattr(self, kind)()

    # Time passes: by design a fault lasts, and nothing is waited for.

    def last(self, least_s, most_s):
        time.sleep(self.numbers.uniform(least_s, most_s))

    def around_the_keep_alive(self):
        self.last(0.1, 2.2 * self.keep_alive_s)

    def interval(self):
        """Between two faults: at times the next one strikes while the node still tries to come back, or replays."""
        choice = self.numbers.random()
        if choice < 0.3:
            self.last(0, 1)
        elif choice < 0.7:
            self.run.edge.wait_online()
            self.last(0, 0.5)
        else:
            self.run.edge.wait_online()
            self.last(0.5, 1.5)

    # The link

    def reset(self):
        self.run.proxy.reset()

    def cut(self):
        self.run.proxy.cut_in(self.numbers.randrange(1, 5000))

    def outage(self):
        self.run.proxy.refuse(True)
        self.run.proxy.reset()
        self.last(0, 3)
        self.run.proxy.refuse(False)

    def blackhole(self, *directions):
        """At times new links get nowhere either, for a while."""
        self.run.proxy.swallow(self.numbers.random() < 0.5)
        self.run.proxy.blackhole(*(directions or (UP, DOWN)))
        self.around_the_keep_alive()
        self.run.proxy.swallow(False)

    def blackhole_up(self):
        self.blackhole(UP)

    def blackhole_down(self):
        self.blackhole(DOWN)

    def stall(self, *directions):
        """At times it was only slow."""
        self.run.proxy.stall(*(directions or (UP, DOWN)))
        self.around_the_keep_alive()
        if self.numbers.random() < 0.7:
            self.run.proxy.resume()

    def stall_up(self):
        self.stall(UP)

    def stall_down(self):
        self.stall(DOWN)

    # The broker. A host that is not the primary one says nothing to the node, so the node gets through after it.

    def broker_kill(self):
        run = self.run
        ready = run.host.count(run.host.ready)
        run.proxy.refuse(not run.options.primary)
        run.broker.kill()
        run.host.mark("broker killed")
        self.last(0, 2)
        run.broker.start()
        run.host.wait_line(run.host.ready, ready)
        run.proxy.refuse(False)

    def broker_freeze(self):
        self.run.broker.process.send_signal(signal.SIGSTOP)
        self.around_the_keep_alive()
        self.run.broker.process.send_signal(signal.SIGCONT)

    # What is no fault, and disturbs

    def rebirth(self):
        self.run.host.tell("rebirth")

    def device(self):
        device = self.numbers.randint(1, self.run.options.devices)
        self.run.edge.tell(f"device {device} off")
        self.last(0, 1.5)
        self.run.edge.tell(f"device {device} on")

    # The primary host. What a node cannot know of is left out: that host and broker die while it hears neither.

    def host_kill(self):
        self.run.edge.wait_link()
        self.kill_host()

    def kill_host(self):
        self.run.host.kill()
        self.last(0, 2)
        self.run.host.start("host killed")
        self.run.edge.wait_online()

    def host_freeze(self):
        """It hears nothing for a while before it dies: less than the window that the node keeps for it."""
        self.run.edge.wait_link()
        self.run.host.process.send_signal(signal.SIGSTOP)
        self.last(0, self.keep_alive_s)
        self.kill_host()

    def host_kill_unheard(self):
        """The link is dead while the host dies and comes back: the node learns of it with the next connection."""
        self.run.edge.wait_link()
        self.run.proxy.stall(UP, DOWN)
        self.kill_host()

    # The process, its disk and its clock

    def edge_kill(self):
        self.run.edge.kill()
        self.last(0, 1)
        self.run.edge.start()

    def disk_full(self):
        self.run.disk.fill()
        self.last(0.2, 1.5)
        self.run.disk.empty()

    def disk_full_outage(self):
        self.run.disk.fill()
        self.outage()
        self.run.edge.wait_online()
        self.run.disk.empty()

    def disk_full_kill(self):
        """A journal that has its room needs no more of it to be opened again."""
        self.run.disk.fill()
        self.edge_kill()
        self.run.edge.wait_online()
        self.run.disk.empty()

    def disk_fails(self):
        self.run.edge.limit_files(True)
        if self.numbers.random() < 0.5:
            self.reset()
        self.last(0.2, 1.5)
        self.run.edge.limit_files(False)

    def clock(self):
        """One that is not set is set right; later ones step."""
        if self.run.edge.clock == "unset":
            self.run.edge.set_clock(0)
            return
        ahead_ms = self.numbers.choice([0, self.numbers.randint(-3600000, 3600000), self.numbers.randint(-2000, 2000)])
        self.run.edge.set_clock(ahead_ms)
