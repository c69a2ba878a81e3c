"""One node behind a narrow link, measured from both ends: when it is there, what is lost or comes twice, how late live data is.

  narrow.py cell RATE RTT_MS SCENE KEEP_ALIVE [LEVEL]    one cell, as a line of JSON
  narrow.py matrix [--jobs N] [WORDS…]                   all cells whose names hold all of the words: a line of each,
                                                         the table, and what is not as it should be; status 1 if so

RATE is in bits per second. Scenes: see SCENES. SPB_NARROW_NODE is the program narrow_node.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from harness import Broker, wait_until  # noqa: E402
from link import NarrowLink  # noqa: E402

NODE = os.environ.get("SPB_NARROW_NODE", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "tests" / "narrow_node"))
RATES = (9600, 64000, 256000, 1000000)
RTTS_MS = (50, 600)
KEEP_ALIVES_S = (5, 30)
SAMPLE_BYTES = 17  # of one number, in a message with others
# metrics, samples of the past, share of the link that live data takes, how long that is measured at most
SCENES = {
    "birth 1000": (1000, 0, 0, 0),
    "birth 10000": (10000, 0, 0, 0),
    "backlog": (100, 100000, 0.1, 150),
    "live": (100, 0, 0.1, 40),
    "overload": (100, 0, 1.5, 60),
}
PATIENCE_S = 700  # for a birth: the narrowest link carries a large one in ten minutes
METRIC_BYTES = 72  # of one in a birth
KEEP_ALIVES = 10  # a birth that the link carries in so many is not to be the end of a connection
MOST_LATER_S = 3  # live data with a replay, than without
LEAST_SHARE = 0.9  # of the link, for the replay with live data


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            size = 8 if key & 7 == 1 else 4
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def samples(payload):
    """Number, timestamp and whether it is historical, of each metric."""
    for field, metric in fields(payload):
        if field == 2:
            found = dict(fields(metric))
            yield found.get(11), found.get(3), bool(found.get(5))


class Host:
    """Who listens at the broker: counts what comes, and how late."""

    def __init__(self, broker):
        self.birth_at = None
        self.births = self.deaths = 0
        self.counts = {}  # of each number
        self.late_s = []  # of live samples: when they came, and how late
        self.history_ahead = None  # samples of the past that came before the first live one
        self.lock = threading.Lock()
        self.is_ready = threading.Event()
        broker.publish("ready", b"x", retain=True)
        self.process = subprocess.Popen(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "spBv1.0/#", "-t", "ready", "-F", "%U %t %x"],
            stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        if not self.is_ready.wait(60):
            raise AssertionError("mosquitto_sub did not subscribe")

    def _read(self):
        for line in self.process.stdout:
            at, topic, payload = line.rstrip("\n").split(" ")
            if topic == "ready":
                self.is_ready.set()
                continue
            with self.lock:
                self._hear(float(at), topic.split("/")[2], bytes.fromhex(payload))

    def _hear(self, at, kind, payload):
        if kind == "NBIRTH":
            self.births += 1
            self.birth_at = self.birth_at or time.monotonic()
        self.deaths += kind == "NDEATH"
        if kind != "NDATA":
            return
        for number, timestamp_ms, is_historical in samples(payload):
            self.counts[number] = self.counts.get(number, 0) + 1
            if not is_historical:
                if self.history_ahead is None:
                    self.history_ahead = len(self.counts) - 1
                self.late_s.append((at, at - timestamp_ms / 1000))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


class Cell:
    """What was measured stands in `result`."""

    def __init__(self, rate, rtt_ms, scene, keep_alive_s, level="outage", version="3", scale=1.0, broker=""):
        self.rate, self.rtt_ms, self.scene, self.keep_alive_s = rate, rtt_ms, scene, keep_alive_s
        metrics, backlog, share, self.seconds = SCENES[scene]
        self.metrics, self.backlog = metrics, int(backlog * scale)
        self.seconds *= scale
        self.live_per_s = max(1, int(rate / 8 * share / SAMPLE_BYTES)) if share else 0
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spb-narrow-"))
        self.broker = Broker(broker)
        self.host = Host(self.broker)
        self.link = NarrowLink(self.broker.port, rate, rtt_ms, is_up=False)
        self.log = self.directory / "log"
        with open(self.log, "w") as log:
            self.node = subprocess.Popen(
                [NODE, self.link.uri, level, "-" if level == "live" else str(self.directory / "store"), str(keep_alive_s),
                 str(metrics), str(self.backlog), str(self.live_per_s), version],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.result = {"rate": rate, "rtt_ms": rtt_ms, "scene": scene, "keep_alive_s": keep_alive_s}

    def tell(self, word="go"):
        self.node.stdin.write(word + "\n")
        self.node.stdin.flush()

    def run(self):
        assert self.node.stdout.readline() == "ready\n", self.log.read_text()
        opened_at = time.monotonic()
        self.link.is_up = True
        is_born = self._await(lambda: self.host.birth_at, PATIENCE_S)
        self.result["online_s"] = round(self.host.birth_at - opened_at, 1) if is_born else None
        self.tell()  # live data from now on
        if self.seconds:
            self._measure(time.monotonic())
        else:
            self._await(lambda: "= online" in self.log.read_text(), 5)
        self.tell()
        at_end = json.loads(self.node.stdout.readline())
        if self.seconds:
            self._await(lambda: len(self.host.counts) >= at_end["numbers"], self.seconds if self.backlog else 2 * self.seconds)
        self.tell()
        self._judge(json.loads(self.node.stdout.readline()))
        return self.result

    def _await(self, condition, timeout_s):
        try:
            wait_until(condition, "it", timeout_s)
        except AssertionError:
            return False
        return True

    def _measure(self, began_at):
        """Of the link's share, the first seconds of a connection do not count, in which it shows what it bears."""
        skip_s = min(10, self.seconds / 4)
        self._await(lambda: time.monotonic() > began_at + skip_s, skip_s + 5)
        carried, since = self.link.carried_up, time.monotonic()
        with self.host.lock:
            seen = len(self.host.late_s)
        wanted = self.backlog
        self._await(lambda: time.monotonic() > began_at + self.seconds or (wanted and self._backlog_left() == 0), self.seconds)
        spent = time.monotonic() - since
        if spent > 1:
            self.result["share"] = round((self.link.carried_up - carried) / (spent * self.rate / 8), 3)
        with self.host.lock:
            late = sorted(late for _, late in self.host.late_s[seen:])
        if late and self.scene != "overload":
            self.result["late_s"] = {"half": round(late[len(late) // 2], 2), "max": round(late[-1], 2)}

    def _backlog_left(self):
        with self.host.lock:
            return self.backlog - sum(1 for number in self.host.counts if number <= self.backlog)

    def _judge(self, stats):
        self.node.wait(60)
        self._await(lambda: False, 1.5 + self.rtt_ms / 1000)  # what is still on its way to the host
        with self.host.lock:
            arrived = len(self.host.counts)
            twice = sum(count - 1 for count in self.host.counts.values())
        self.said = log = self.log.read_text()
        still = stats["waiting"] + stats["unconfirmed"] + stats["in_journal"]
        self.result |= {
            "lost_links": stats["lost_links"], "births": self.host.births, "numbers": stats["numbers"], "arrived": arrived,
            "missing": max(0, stats["numbers"] - arrived - still - stats["dropped"]), "kept": still,
            "dropped": stats["dropped"], "twice": twice, "resent": stats["resent"], "history_ahead": self.host.history_ahead,
            "lines": [line.split(" ", 1)[1] for line in log.splitlines() if "connection lost" in line or "keep-alive" in line][:4]}

    def close(self):
        if self.node.poll() is None:
            self.node.kill()
        self.node.wait()
        self.node.stdin.close()
        self.node.stdout.close()
        self.link.close()
        self.host.close()
        self.broker.close()
        if os.environ.get("SPB_NARROW_LOGS"):
            name = f"{self.rate}-{self.rtt_ms}-{self.scene}-{self.keep_alive_s}".replace(" ", "")
            shutil.copy(self.log, pathlib.Path(os.environ["SPB_NARROW_LOGS"]) / name)
        shutil.rmtree(self.directory)


def run_cell(*words, **more):
    cell = Cell(*words, **more)
    try:
        return cell.run()
    finally:
        cell.close()


def cells(words):
    for scene in SCENES:
        for rate in RATES:
            for rtt_ms in RTTS_MS:
                for keep_alive_s in KEEP_ALIVES_S:
                    name = f"{rate} {rtt_ms}ms {scene} ka{keep_alive_s}"
                    if all(word in name for word in words):
                        yield rate, rtt_ms, scene, keep_alive_s


def in_words(rate):
    return f"{rate / 1000:g} kbit/s" if rate < 1000000 else f"{rate / 1000000:g} Mbit/s"


def table(results):
    head = ("link", "RTT", "scene", "keep-alive", "born after", "links lost", "missing", "twice", "live late, half / most", "share")
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for r in results:
        late = r.get("late_s")
        row = (in_words(r["rate"]), f"{r['rtt_ms']} ms", r["scene"], f"{r['keep_alive_s']} s",
               "never" if r["online_s"] is None else f"{r['online_s']} s", r["lost_links"], r["missing"], r["twice"],
               f"{late['half']} / {late['max']} s" if late else "", f"{100 * r['share']:.0f} %" if "share" in r else "")
        yield "| " + " | ".join(str(part) for part in row) + " |"


def faults(results):
    """What is not as it should be."""
    alone = {(r["rate"], r["rtt_ms"], r["keep_alive_s"]): r["late_s"]["max"] for r in results if r["scene"] == "live"}
    for r in results:
        name = f"{in_words(r['rate'])}, {r['rtt_ms']} ms, {r['scene']}, keep-alive {r['keep_alive_s']} s"
        birth_s = SCENES[r["scene"]][0] * METRIC_BYTES * 8 / r["rate"]
        if birth_s > KEEP_ALIVES * r["keep_alive_s"]:
            if r["lost_links"] and not any("longer than the keep-alive" in line for line in r["lines"]):
                yield f"{name}: links lost, and no line says why"
        elif r["lost_links"] or r["online_s"] is None:
            yield f"{name}: {r['lost_links']} links lost"
        if r["missing"] or (r["twice"] and not r["lost_links"]):
            yield f"{name}: {r['missing']} missing, {r['twice']} twice"
        if r["scene"] == "backlog" and r["share"] < LEAST_SHARE:
            yield f"{name}: {r['share']} of the link"
        before_s = alone.get((r["rate"], r["rtt_ms"], r["keep_alive_s"]))
        if r["scene"] == "backlog" and before_s is not None and r["late_s"]["max"] > before_s + MOST_LATER_S:
            yield f"{name}: live data is late by {r['late_s']['max']} s, and by {before_s} s without the replay"


def matrix(words):
    jobs = 12  # most of the time all of them wait
    if words and words[0] == "--jobs":
        jobs, words = int(words[1]), words[2:]
    results = []

    def run(cell):  # a process of its own: the proxies of many cells would share one interpreter
        done = subprocess.run([sys.executable, "-B", __file__, "cell", *map(str, cell)], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{cell}: {done.stderr[-2000:]}")
        print(done.stdout.strip(), flush=True)
        return json.loads(done.stdout)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(run, cells(words)))
    print("\n".join(table(results)))
    found = list(faults(results))
    print(f"{len(results)} cells, {len(found)} faults", *found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) > 5 and sys.argv[1] == "cell":
        print(json.dumps(run_cell(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), *sys.argv[6:7])))
    elif len(sys.argv) > 1 and sys.argv[1] == "matrix":
        sys.exit(matrix(sys.argv[2:]))
    else:
        sys.exit(__doc__)
