"""What tests of an edge node with a store begin with: a mosquitto, a proxy in front of it, and somebody else's decoder that
has seen every message."""

import json
import pathlib
import re
import shutil
import tempfile
import unittest

from harness import Broker, Edge, Subscriber, tool, wait_until
from proxy import Proxy
from rules import check_stream

KEEP_ALIVE_S = 2
DATA = {"NDATA", "DDATA"}
BIRTHS = {"NBIRTH", "DBIRTH"}


def names_of(messages):
    """{alias: (device, name)} as births tell it. One alias for two metrics, or two for one, is an error."""
    names, aliases = {}, {}
    for message in messages:
        for metric in message.decoded["metrics"] if message.kind in BIRTHS else []:
            if "alias" in metric:
                of = (message.device, metric["name"])
                if names.setdefault(metric["alias"], of) != of or aliases.setdefault(of, metric["alias"]) != metric["alias"]:
                    raise AssertionError(f"alias {metric['alias']} is that of {names[metric['alias']]}, and of {of}")
    return names


def samples_of(messages, names):
    """Each metric in each data message: (device, name), timestamp, is it historical, the metric itself."""
    for message in messages:
        for metric in message.decoded["metrics"] if message.kind in DATA else []:
            of = names[metric["alias"]]
            assert of[0] == message.device, f"{of} in a message of {message.device}"
            yield of, metric["timestamp"], bool(metric.get("isHistorical")), metric


class Counters:
    """The last lines of `spb edge --verbose`."""

    def __init__(self, output):
        line = [line for line in output.splitlines() if line.startswith("spb: samples: ")][-1]
        for name in ("accepted", "confirmed", "stored", "replayed", "in the store"):
            setattr(self, name.replace(" ", "_"), int(re.search(rf"{name} (\d+)", line)[1]))
        self.dropped = {why: int(count) for count, why in re.findall(r"(\d+) \(([^)]*)\)", line)}


def store_says(path, *options):
    """The objects that `spb store --json` prints."""
    return [json.loads(line) for line in tool("store", "--json", *options, path).stdout.splitlines()]


class StoreCase(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spb-store-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.store = self.directory / "edge.spb"
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.proxy = Proxy(self.broker.port)
        self.addCleanup(self.proxy.close)
        self.host = self.subscribe()

    def subscribe(self):
        host = Subscriber(self.broker)
        self.addCleanup(host.close)
        return host

    def edge(self, *options, delivery="outage", with_store=True):
        store = ["--store", self.store] if with_store else []
        timing = ["--keep-alive", KEEP_ALIVE_S, "--reconnect", 1]
        edge = Edge(self.proxy, *timing, "--delivery", delivery, *store, *options, interval_ms=100)
        self.addCleanup(edge.close)
        return edge

    def stop(self, edge):
        edge.stop()
        return Counters(edge.output())

    def await_state(self, edge, state, count):
        wait_until(lambda: edge.output().count(f"spb: {state}") >= count, f"{state} of the edge node")

    QUIET = 10  # messages of live data in a row, with nothing of the replay between them: that is over

    def await_live_data_after_replay(self, host, start):
        """Live data is not held up by the replay: so it comes first, or between."""

        def is_old(message):
            return any(metric.get("isHistorical") for metric in message.decoded["metrics"])

        at = host.wait(lambda m: m.kind in DATA and is_old(m), "old data", start)
        quiet = 0
        while quiet < self.QUIET:
            at = host.wait(lambda m: m.kind in DATA, "data", at + 1)
            quiet = 0 if is_old(host.messages[at]) else quiet + 1
        return at

    def await_uptime(self, start):
        """The next value of what counts the seconds, live."""

        def has_uptime(message):
            metric = message.metric("System/Uptime") if message.kind == "NDATA" else None
            return metric is not None and not metric.get("isHistorical")

        return self.host.wait(has_uptime, "System/Uptime", start)

    def check_all_arrived(self, counters, messages):
        """Every accepted sample once at least, flagged as it must be, with its own time."""
        names = names_of(messages)
        seen, births = {}, 0
        for message in messages:
            if message.kind == "NBIRTH":
                births = message.decoded["timestamp"]
            for of, timestamp, is_old, _ in samples_of([message], names):
                seen.setdefault((of, timestamp), []).append(is_old)
                if timestamp < births:
                    self.assertTrue(is_old, f"{of} at {timestamp} is older than the birth at {births}")
        self.assertEqual(len(seen), counters.accepted, "each accepted sample arrived")
        live = [flags.count(False) for flags in seen.values()]
        self.assertLessEqual(max(live), 1, "nothing came live twice")
        self.check_uptimes(messages, names)
        return seen

    def check_uptimes(self, messages, names):
        """System/Uptime counts seconds, so it grows with the timestamps, whatever the order in which they came."""
        uptimes = {t: metric["value"] for of, t, _, metric in samples_of(messages, names) if of[1] == "System/Uptime"}
        counted = [uptimes[timestamp] for timestamp in sorted(uptimes)]
        self.assertGreater(len(counted), 1)
        self.assertEqual(counted, sorted(set(counted)))

    def check_old_ones_are_in_order(self, messages):
        last = {}
        for of, timestamp, is_old, _ in samples_of(messages, names_of(messages)):
            if is_old:
                self.assertGreaterEqual(timestamp, last.get(of, 0), of)
                last[of] = timestamp

    def outage_by(self, fault, **options):
        edge = self.edge(**options)
        start = self.host.wait_kind("DDATA")
        # Refused for a while, so that much is taken while nobody follows.
        self.proxy.refuse(True)
        fault()
        death = self.host.wait_kind("NDEATH", start)
        self.await_state(edge, "WAITING", 2)
        self.proxy.refuse(False)
        birth = self.host.wait_kind("NBIRTH", death)
        self.await_live_data_after_replay(self.host, birth)
        counters = self.stop(edge)
        end = self.host.wait_kind("NDEATH", birth)
        messages = self.host.messages[: end + 1]
        check_stream(self, messages)
        self.check_all_arrived(counters, messages)
        self.check_old_ones_are_in_order(messages[birth:])
        self.assertEqual(counters.dropped, {}, edge.output())
        self.assertEqual(counters.in_the_store, 0)
        self.assertGreater(counters.replayed, 0)
