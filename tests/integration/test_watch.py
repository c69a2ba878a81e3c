"""`spb watch` and `spb check --broker` on a real mosquitto: the table in a pseudo-terminal, lines on a pipe."""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from harness import HERE, PATIENCE_S, Broker, Edge, Program, Subscriber, free_port, tool, wait_until

SEQUENCE = re.compile(r"\033\[([?0-9;]*)([A-Za-z])")


class Terminal:
    """A pseudo-terminal with a program on it, and the screen that it draws, as far as spb watch needs one."""

    def __init__(self, *command, rows=24, columns=100):
        self.rows, self.columns = rows, columns
        self.ours, theirs = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(theirs)
        self.program = Program(*command, stdin=theirs, stdout=theirs, start_new_session=True,
                               env={**os.environ, "TERM": "xterm"})
        self.theirs = theirs
        self.lines, self.row, self.pending = [""] * rows, 0, ""
        self.is_other_screen = False
        self.text = ""  # all that was drawn

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def _draw(self, text):
        self.lines += [""] * (self.rows - len(self.lines))
        self.pending += text
        while self.pending:
            if self.pending[0] == "\033":
                found = SEQUENCE.match(self.pending)
                if not found:
                    return  # the rest is to come
                if found[2] == "H":
                    self.row, self.fresh = 0, True
                elif found[0] == "\033[J":
                    self.lines[self.row + 1:] = []
                elif found[1] == "?1049":
                    self.is_other_screen = found[2] == "h"
                self.pending = self.pending[found.end():]
                if found[2] == "H":
                    self.lines[0] = ""
            elif self.pending[0] in "\r\n":
                if self.pending[0] == "\n":
                    self.row += 1
                    self.lines[self.row:self.row + 1] = [""]
                self.pending = self.pending[1:]
            else:
                self.lines[self.row] += self.pending[0]
                self.pending = self.pending[1:]

    def read(self, timeout):
        ready, _, _ = select.select([self.ours], [], [], timeout)
        if ready:
            try:
                text = os.read(self.ours, 65536).decode(errors="replace")
            except OSError:
                return False
            self.text += text
            self._draw(text)
        return bool(ready)

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition(self.lines):
            if time.monotonic() > end:
                raise AssertionError(f"waited for {what}; on the screen:\n" + "\n".join([*self.lines, self.program.output()]))
            self.read(0.5)

    def wait_for(self, *words):
        """A line that has all of these."""
        self.wait(lambda lines: any(all(word in line for word in words) for line in lines), words)

    def close(self):
        self.program.close()
        os.close(self.ours)
        os.close(self.theirs)


class Watch(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)

    def edge(self, *options, **more):
        edge = Edge(self.broker, *options, **more)
        self.addCleanup(edge.close)
        return edge

    def terminal(self, *options, **more):
        """A watcher on a terminal, that has subscribed."""
        terminal = Terminal("watch", "--broker", self.broker.uri, *options, **more)
        self.addCleanup(terminal.close)
        terminal.wait_for(f"{self.broker.uri}  online")
        return terminal

    def lines(self, *options):
        """A watcher on a pipe, that has subscribed."""
        watcher = Program("watch", "--broker", self.broker.uri, *options)
        self.addCleanup(watcher.close)
        watcher.wait_output(f"spb: watching {self.broker.uri}\n")
        return watcher

    def test_a_table_that_updates_in_place(self):
        terminal = self.terminal(rows=60)
        terminal.wait_for("0 of 0 nodes online", "0 metrics")
        self.assertTrue(terminal.is_other_screen)
        edge = self.edge()
        terminal.wait_for("1 of 1 nodes online")
        terminal.wait_for("Plant1/Edge1/PLC-1", "Temperature", "°C", "0s")
        first = next(line for line in terminal.lines if " Temperature " in line)
        terminal.wait(lambda lines: any(" Temperature " in line and line != first for line in lines), "another temperature")
        self.assertLessEqual(max(map(len, terminal.lines)), 100)
        self.assertLessEqual(len(terminal.lines), 60)

        edge.kill()
        terminal.wait_for("Plant1/Edge1/PLC-1", "Temperature", "offline")
        terminal.wait_for("0 of 1 nodes online")
        terminal.press("q")
        terminal.program.expect_end()
        while terminal.read(0.2):
            pass
        self.assertFalse(terminal.is_other_screen)
        self.assertEqual(termios.tcgetattr(terminal.theirs), terminal.before)
        self.assertEqual(terminal.program.output(), "")

    def test_keys_filter_sort_and_scroll(self):
        terminal = self.terminal(rows=8)
        self.edge()
        terminal.wait_for("1 of 1 nodes online")
        terminal.wait_for("Plant1/Edge1 ")
        terminal.press("/setp")
        terminal.wait_for("only setp_")
        terminal.wait(lambda lines: [line for line in lines if "Plant1/" in line and "Setpoint" not in line] == [], "Setpoint")
        terminal.wait_for("Setpoint", "180")
        terminal.press("\r")
        terminal.wait(lambda lines: "only setp" in lines[0] and "_" not in lines[0], "the end of editing")
        terminal.press("\033")
        terminal.wait(lambda lines: "only" not in lines[0], "no filter")
        terminal.press("s")
        terminal.wait_for("by age")
        terminal.press("ss")
        terminal.wait_for("by name")
        first = terminal.lines[2]
        terminal.press("\033[6~")
        terminal.wait(lambda lines: lines[2].split()[:2] != first.split()[:2], "the next page")
        terminal.press("\033[H")
        terminal.wait(lambda lines: lines[2].split()[:2] == first.split()[:2], "the first page")
        terminal.resize(5, 60)
        terminal.program.process.send_signal(signal.SIGWINCH)
        terminal.wait(lambda lines: len(lines) == 5 and max(map(len, lines)) <= 60, "a smaller table")
        terminal.press("\003")
        terminal.program.expect_end()

    def test_a_server_that_comes_back(self):
        terminal = self.terminal()
        self.edge("--reconnect", 1)
        terminal.wait_for("1 of 1 nodes online")
        self.broker.kill()
        terminal.wait_for("OFFLINE")
        self.broker.start()
        terminal.wait(lambda lines: "  online  " in lines[0], "the server")
        terminal.wait_for("1 of 1 nodes online")

    def test_lines_on_a_pipe(self):
        watcher = self.lines("--device", "PLC-1", "--metric", "Temp*")
        edge = self.edge()
        for source in ("Plant1/Edge1", "Plant1/Edge1/PLC-1"):
            life = watcher.line().split("\t")
            self.assertEqual(life[1:], [source, "", "online", ""])
        self.assertRegex(life[0], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        for _ in range(3):
            value = watcher.line().split("\t")
            self.assertEqual(value[1:3], ["Plant1/Edge1/PLC-1", "Temperature"])
            self.assertRegex(value[3], r"^[\d.]+ °C$")
        edge.kill()
        ends = set()
        while len(ends) < 2:
            line = watcher.line().split("\t")
            if line[3] == "offline":
                ends.add(line[1])
        self.assertEqual(ends, {"Plant1/Edge1", "Plant1/Edge1/PLC-1"})
        watcher.stop()

    def test_messages_that_cannot_be_read_do_not_flood_standard_error(self):
        watcher, count, start = self.lines("--plain"), 1000, time.monotonic()
        subprocess.run(["mosquitto_pub", "-p", str(self.broker.port), "-t", "spBv1.0/Plant1/NDATA/Edge1", "-l"],
                       input=b"\xff\n" * count, check=True, timeout=PATIENCE_S)
        told, left_out = "spb: spBv1.0/Plant1/NDATA/Edge1: ", r"unreadable in the same second: (\d+) more messages"
        counted = lambda: watcher.output().count(told) + sum(map(int, re.findall(left_out, watcher.output())))
        wait_until(lambda: counted() == count, "a line for each message, or their number")
        seconds = int(time.monotonic() - start) + 2
        self.assertLessEqual(watcher.output().count(told), 10 * seconds)
        watcher.stop()

    def test_nodes_without_a_known_birth_are_asked_once(self):
        host = Subscriber(self.broker)
        self.addCleanup(host.close)
        self.edge()
        host.wait_kind("NDATA", host.wait_kind("DDATA"))
        silent = self.lines("--metric", "Setpoint", "--duration", "1")
        silent.expect_end()
        self.assertEqual(silent.process.stdout.read(), b"")  # the node was born before, and is not asked
        start = len(host.messages)
        watcher = self.lines("--metric", "Setpoint", "--rebirth")
        line = watcher.line_with("\tSetpoint\t").split("\t")
        self.assertEqual(line[1:4], ["Plant1/Edge1/PLC-1", "Setpoint", "180 °C"])
        host.wait_kind("DBIRTH", start)
        host.wait_kind("NDATA", len(host.messages))
        asked = [message for message in host.messages if message.kind == "NCMD"]
        self.assertEqual([(one.topic, one.qos, one.retain) for one in asked], [("spBv1.0/Plant1/NCMD/Edge1", 0, False)])

    def test_it_only_reads(self):
        host = Subscriber(self.broker, "#")
        self.addCleanup(host.close)
        watcher = self.lines()
        watcher.stop()
        self.broker.publish("other/topics/NCMD/done", b"1")
        host.wait(lambda message: message.topic.endswith("done"), "the last message")
        self.assertEqual([message.topic for message in host.messages], ["other/topics/NCMD/done"])

    def test_tls(self):
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run(["sh", str(HERE.parent / "support" / "certificates.sh"), scratch], check=True, timeout=60)
            os.chmod(scratch, 0o755)
            for file in pathlib.Path(scratch).iterdir():
                file.chmod(0o644)
            port = free_port()
            self.broker = Broker(f"listener {port} 127.0.0.1\ncertfile {scratch}/server.pem\nkeyfile {scratch}/server.key")
            self.addCleanup(self.broker.close)
            words = ["watch", "--broker", f"mqtts://127.0.0.1:{port}", "--metric", "Setpoint", "--duration", "20"]
            self.assertIn("certificate", tool(*words, status=1).stderr)
            watcher = Program(*words, "--cafile", f"{scratch}/ca.pem")
            self.addCleanup(watcher.close)
            watcher.wait_output("watching")
            self.edge()
            self.assertIn("180 °C", watcher.line_with("Setpoint"))
            watcher.stop()

    def test_a_server_that_is_not_there(self):
        self.broker.kill()
        done = tool("watch", "--broker", self.broker.uri, status=1)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, "^spb: .*[Cc]onnect")

    def test_a_reader_that_goes_away_ends_it(self):
        watcher = self.lines()
        watcher.process.stdout.close()
        self.edge()
        watcher.expect_end()

    def test_usage_errors(self):
        for words, wanted in ((["--broker", "nowhere"], "nowhere"), (["--duration", "x"], "not a number from 1"),
                              (["--mqtt", "4"], "there is 3.1.1 and 5"), (["file"], "unexpected argument file")):
            done = tool("watch", *words, status=2)
            self.assertEqual(done.stdout, "")
            self.assertIn(wanted, done.stderr)


if __name__ == "__main__":
    unittest.main()
