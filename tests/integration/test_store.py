"""Store-and-forward of the demo edge node on a real mosquitto: outages, and what an independent decoder has seen of each
sample afterwards. `spb edge` tells how many samples it accepted; every one of them must have arrived."""

import collections
import json
import signal
import sqlite3
import time
import unittest

from harness import Broker, free_port, tool
from proxy import DOWN, UP, Proxy
from rules import check_stream
from store_case import StoreCase, names_of, samples_of, store_says


class StoreTest(StoreCase):
    # ---- the link ----

    def test_nothing_is_missing_after_a_blackhole(self):
        self.outage_by(lambda: self.proxy.blackhole(UP, DOWN))

    def test_nothing_is_missing_after_a_reset(self):
        self.outage_by(self.proxy.reset)

    def test_nothing_is_missing_after_a_message_was_cut(self):
        self.outage_by(lambda: self.proxy.cut_in(150))

    def test_a_journal_in_memory_does_as_well(self):
        self.outage_by(lambda: self.proxy.blackhole(UP), with_store=False)

    def test_durable_does_as_well(self):
        self.outage_by(lambda: self.proxy.blackhole(DOWN), delivery="durable")

    def test_in_strict_order_live_data_waits_for_all_history(self):
        edge = self.edge("--strict-order", "--replay-rate", 100)
        start = self.host.wait_kind("DDATA")
        self.proxy.refuse(True)
        self.proxy.reset()
        death = self.host.wait_kind("NDEATH", start)
        self.await_state(edge, "WAITING", 10)
        self.proxy.refuse(False)
        live = self.await_live_data_after_replay(self.host, death)
        self.stop(edge)
        messages = self.host.messages[: live + 1]
        flags = [is_old for _, _, is_old, _ in samples_of(messages[death:], names_of(messages))]
        self.assertGreater(flags.count(True), 100, "at 100 a second, there was time for live data")
        self.assertNotIn(True, flags[flags.index(False):], "history behind live data")

    # ---- a server that takes no large messages, and does not say so ----

    def outage_at_a_broker_of_small_messages(self, *options):
        self.broker = Broker("max_packet_size 6000")
        self.addCleanup(self.broker.close)
        self.proxy = Proxy(self.broker.port)
        self.addCleanup(self.proxy.close)
        self.host = self.subscribe()
        edge = self.edge(*options)
        start = self.host.wait_kind("DDATA")
        self.await_state(edge, "born:", 1)  # the births have arrived, and are not lost with the connection
        self.proxy.refuse(True)
        self.proxy.reset()
        death = self.host.wait_kind("NDEATH", start)
        self.await_state(edge, "WAITING", 20)  # much more than such a message holds: 372 samples once fitted into one
        self.proxy.refuse(False)
        live = self.await_live_data_after_replay(self.host, death)
        counters = self.stop(edge)
        return edge, counters, self.host.messages[: self.host.wait_kind("NDEATH", live) + 1]

    def test_a_named_limit_is_kept(self):
        edge, counters, messages = self.outage_at_a_broker_of_small_messages("--max-message", 6000)
        self.check_all_arrived(counters, messages)
        self.assertEqual(counters.in_the_store, 0)
        old = [m for m in messages if any(x.get("isHistorical") for x in m.decoded["metrics"])]
        self.assertGreater(sum(len(m.payload) for m in old), 6000)
        self.assertEqual(edge.output().count("spb: born:"), 2, "no further connection was lost")

    def test_a_limit_that_is_not_named_loses_nothing(self):
        """Messages of the replay begin small: this much history does not come up to it."""
        _, counters, messages = self.outage_at_a_broker_of_small_messages()
        self.check_all_arrived(counters, messages)
        self.assertEqual(counters.in_the_store, 0)

    def test_live_counts_what_it_drops(self):
        edge = self.edge(delivery="live")
        start = self.host.wait_kind("DDATA")
        self.proxy.refuse(True)
        self.proxy.blackhole(UP, DOWN)
        self.await_state(edge, "WAITING", 2)
        self.proxy.refuse(False)
        birth = self.host.wait_kind("NBIRTH", self.host.wait_kind("NDEATH", start))
        self.host.wait_kind("DDATA", birth)
        counters = self.stop(edge)
        messages = self.host.messages[: self.host.wait_kind("NDEATH", birth) + 1]
        seen = {(of, timestamp): is_old for of, timestamp, is_old, _ in samples_of(messages, names_of(messages))}
        self.assertNotIn(True, seen.values(), "nothing is replayed")
        self.assertGreater(counters.dropped["replaced while offline"], 0)
        missing = counters.accepted - len(seen)
        # The newest value of a metric is in the births; and what was lost on the way is counted, as if none of it arrived.
        self.assertLessEqual(missing - sum(counters.dropped.values()), len(names_of(messages)), edge.output())

    # ---- the primary host ----

    def say_state(self, online):
        state = json.dumps({"online": online, "timestamp": int(time.time() * 1000)})
        self.broker.publish("spBv1.0/STATE/Host1", state.encode(), qos=1, retain=True)

    def host_loss(self, delivery):
        """The primary host goes and comes back. Gives the counters, and what somebody else has seen of it all."""
        self.say_state(True)
        edge = self.edge("--primary-host", "Host1", delivery=delivery)
        start = self.await_uptime(self.host.wait_kind("DBIRTH"))
        self.say_state(False)
        death = self.host.wait_kind("NDEATH", start)
        self.await_state(edge, "WAIT_HOST", 2)
        self.say_state(True)
        birth = self.host.wait_kind("NBIRTH", death)
        if delivery == "live":
            self.host.wait_kind("DDATA", birth)
        else:
            self.await_live_data_after_replay(self.host, birth)
        self.await_uptime(birth)
        counters = self.stop(edge)
        end = self.host.wait_kind("NDEATH", birth)
        messages = [m for m in self.host.messages[: end + 1] if m.kind != "STATE"]
        check_stream(self, messages)
        return counters, messages, birth

    def check_host_loss(self, delivery):
        counters, messages, _ = self.host_loss(delivery)
        seen = self.check_all_arrived(counters, messages)
        self.assertEqual(counters.dropped, {})
        # What the broker had, and the host may not have seen any more, comes again: historical, besides live.
        self.assertTrue([sample for sample, flags in seen.items() if sorted(flags) == [False, True]])

    def test_a_restart_sends_nothing_again_while_the_primary_host_stays(self):
        self.say_state(True)
        start = 0
        for _ in range(4):
            edge = self.edge("--primary-host", "Host1", delivery="durable")
            birth = self.host.wait_kind("NBIRTH", start)
            self.host.wait_kind("DDATA", self.await_uptime(birth))
            counters = self.stop(edge)
            start = self.host.wait_kind("NDEATH", birth) + 1
            self.assertEqual(counters.in_the_store, 0, edge.output())
        messages = [m for m in self.host.messages[:start] if m.kind != "STATE"]
        seen = collections.Counter((of, timestamp) for of, timestamp, _, _ in samples_of(messages, names_of(messages)))
        self.assertGreater(len(seen), 0)
        self.assertEqual({sample for sample, count in seen.items() if count > 1}, set())
        summary = store_says(self.store)[0]
        self.assertEqual(summary["kept_samples"], summary["samples"])  # for the case that the host turns out to be dead
        self.assertGreater(summary["kept_samples"], 0)

    def test_a_restart_sends_it_again_when_the_primary_host_was_away(self):
        self.say_state(True)
        edge = self.edge("--primary-host", "Host1", delivery="durable")
        self.await_uptime(self.host.wait_kind("NBIRTH"))
        self.stop(edge)
        kept = store_says(self.store)[0]["kept_samples"]
        self.say_state(True)  # it was started again
        edge = self.edge("--primary-host", "Host1", delivery="durable")
        birth = self.host.wait_kind("NBIRTH", self.host.wait_kind("NDEATH"))
        self.await_live_data_after_replay(self.host, birth)
        self.await_uptime(birth)
        counters = self.stop(edge)
        self.assertGreater(kept, 0)
        self.assertGreaterEqual(counters.replayed, kept)

    def test_nothing_is_missing_after_the_primary_host_was_away(self):
        self.check_host_loss("outage")

    def test_durable_misses_nothing_of_the_primary_host_either(self):
        self.check_host_loss("durable")

    def test_live_counts_what_the_primary_host_missed(self):
        counters, messages, _ = self.host_loss("live")
        self.assertGreater(counters.dropped["replaced while offline"], 0)
        names = names_of(messages)
        self.assertNotIn(True, [is_old for _, _, is_old, _ in samples_of(messages, names)])

    # ---- the broker ----

    def test_nothing_is_missing_after_the_broker_was_killed(self):
        edge = self.edge()
        self.host.wait_kind("DDATA")
        # What the broker has read must have reached its subscriber, or it dies with the broker.
        edge.process.send_signal(signal.SIGSTOP)
        self.broker.publish("spBv1.0/Plant1/NCMD/End", b"x")
        end = self.host.wait(lambda m: m.topic.endswith("/End"), "what the broker has read")
        before = self.host.messages[:end]
        self.broker.kill()
        edge.process.send_signal(signal.SIGCONT)
        self.await_state(edge, "WAITING", 2)
        edge.process.send_signal(signal.SIGSTOP)
        self.broker.start()
        host = self.subscribe()
        edge.process.send_signal(signal.SIGCONT)
        self.await_live_data_after_replay(host, 0)
        counters = self.stop(edge)
        after = host.messages[: host.wait_kind("NDEATH") + 1]
        self.assertEqual([message.kind for message in after[:2]], ["NBIRTH", "DBIRTH"], "nothing before the births")
        check_stream(self, after)
        self.check_all_arrived(counters, [m for m in before if m.kind not in ("NCMD", "STATE")] + after)
        self.assertEqual(counters.dropped, {}, edge.output())

    # ---- the process ----

    def kill_while_offline(self, delivery):
        """What is in the store of an edge node that is killed with much that nobody has read."""
        edge = self.edge(delivery=delivery)
        start = self.host.wait_kind("DDATA")
        self.proxy.refuse(True)
        self.proxy.blackhole(UP, DOWN)
        self.await_state(edge, "WAITING", 3)
        edge.kill()
        end = self.host.wait_kind("NDEATH", start)
        self.proxy.refuse(False)
        summary = store_says(self.store, "--check")
        self.assertEqual((summary[0]["wrong"], summary[0]["owner"]), (0, "Plant1/Edge1"), summary)
        blocks = store_says(self.store, "--samples")
        stored = {
            ((block.get("device"), metric["name"]), metric["timestamp"]): metric["value"]
            for block in blocks
            for metric in block["metrics"]
        }
        self.assertEqual(len(stored), summary[0]["samples"])
        self.assertGreater(len(stored), 0)
        return end, summary[0], stored

    def check_life_after_kill(self, delivery):
        end, summary, stored = self.kill_while_offline(delivery)
        edge = self.edge(delivery=delivery)
        birth = self.host.wait_kind("NBIRTH", end)
        self.assertEqual(self.host.messages[birth].value("bdSeq"), (summary["bdseq"] + 1) % 256, "bdSeq counts on")
        self.await_live_data_after_replay(self.host, birth)
        counters = self.stop(edge)
        messages = self.host.messages[: self.host.wait_kind("NDEATH", birth) + 1]
        check_stream(self, messages)
        names = names_of(messages)  # of both lives: it fails if an alias has changed
        arrived = {
            (of, timestamp): metric for of, timestamp, is_old, metric in samples_of(messages[birth:], names) if is_old
        }
        for (of, timestamp), value in stored.items():
            self.assertIn((of, timestamp), arrived, "what was committed before the kill has arrived")
        self.assertGreaterEqual(counters.replayed, len(stored))
        self.check_old_ones_are_in_order(messages[birth:])

    def test_what_was_committed_survives_a_kill_in_durable(self):
        self.check_life_after_kill("durable")

    def test_what_was_stored_in_an_outage_survives_a_kill(self):
        self.check_life_after_kill("outage")

    def test_a_damaged_store_is_set_aside(self):
        end, summary, stored = self.kill_while_offline("outage")
        database = sqlite3.connect(self.store)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page_bytes = database.execute("PRAGMA page_size").fetchone()[0]
        page = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'segment'").fetchone()[0]
        database.close()
        with open(self.store, "r+b") as file:
            file.seek((page - 1) * page_bytes)
            file.write(b"\xff" * page_bytes)
        edge = self.edge()
        birth = self.host.wait_kind("NBIRTH", end)
        self.await_live_data_after_replay(self.host, birth)
        counters = self.stop(edge)
        self.assertEqual(self.host.messages[birth].value("bdSeq"), (summary["bdseq"] + 1) % 256)
        self.assertIn("spb: warning: ", edge.output())
        aside = sorted(path.name for path in self.directory.glob("edge.spb.corrupt-*"))  # its -wal is the second
        self.assertTrue(aside)
        self.assertIn(aside[0], edge.output(), "the log says where the damaged file is")
        self.assertGreaterEqual(counters.replayed, len(stored), "the blocks were sound, so all of them could be read")

    def test_identity_survives_a_restart(self):
        births, start = [], 0
        for _ in range(3):
            edge = self.edge()
            birth = self.host.wait_kind("NBIRTH", start)
            births.append(birth)
            self.host.wait_kind("DDATA", birth)
            self.stop(edge)
            start = self.host.wait_kind("NDEATH", birth) + 1
        self.assertEqual([self.host.messages[birth].value("bdSeq") for birth in births], [0, 1, 2])
        messages = self.host.messages[:start]
        check_stream(self, messages)
        names_of(messages)  # the same aliases in all of them
        first = names_of(messages[births[0] : births[1]])
        self.assertGreater(len(first), 10)
        self.assertTrue(set(first) & set(names_of(messages[births[2] :])))

    def test_another_process_cannot_have_the_store(self):
        edge = self.edge()
        self.host.wait_kind("DDATA")
        for command in (["edge", "--store", self.store, "--broker", f"mqtt://127.0.0.1:{free_port()}"], ["store", self.store]):
            self.assertIn(str(self.store), tool(*command, status=1).stderr)
        self.stop(edge)


if __name__ == "__main__":
    unittest.main()
