"""--help, man pages and completion: each command has them, they fit, and they name the same options, which exist."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

unittest.TestCase.maxDiff = None  # all that a program said
TOOL = os.environ["SPB_TOOL"]
HELP = pathlib.Path(os.environ["SPB_HELP"])  # where the build puts pages and completion


def spb(*words):
    return subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def commands():
    text = spb("--help").stdout.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in text.splitlines() if line.split()[0] != "help"]


def all_options(command):
    """Those of --help, and of --help-mqtt if it has that."""
    options = options_of(spb(command, "--help").stdout)
    return options + (options_of(spb(command, "--help-mqtt").stdout) if "--help-mqtt" in options else [])


def options_of(text):
    """In the order of the text, from the items that begin with an option."""
    words = []
    for line in text.splitlines():
        if re.match(r"  -", line):
            words += [word for word in re.split(r"[ ,]+", re.split(r"   *", line[2:])[0]) if word.startswith("-")]
    return words


def options_of_page(page):
    items = re.findall(r"^\.TP\n\.B (.*)$", page.read_text(), re.M)
    return [word for item in items for word in re.split(r"[ ,]+", item.replace("\\-", "-")) if word.startswith("-")]


def complete(*words):
    """What bash offers for the last of the words."""
    script = (f"source {HELP}/spb.bash; COMP_WORDS=(spb \"$@\"); COMP_CWORD=$#; compopt() {{ :; }}; _spb; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=60)
    if done.stderr:
        raise AssertionError(done.stderr)
    return [word for word in done.stdout.splitlines() if word]


class Help(unittest.TestCase):
    def test_there_are_commands(self):
        self.assertIn("decode", commands())

    def test_help_fits_a_screen(self):
        for command in ([], *([name] for name in commands())):
            for words in ([*command, "--help"], ["help", *command]):
                done = spb(*words)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith("Usage: spb " + " ".join(command)))
                self.assertLessEqual(len(done.stdout.splitlines()), 24, command)
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, command)

    def test_options_of_the_help_exist(self):
        for command in commands():
            for option in all_options(command):
                # The first may be its value, the second is then unknown.
                done = spb(command, option, "--no-such-option", "--no-such-option")
                self.assertIn(done.returncode, (0, 2), (command, option, done.stderr))
                self.assertNotRegex(done.stderr, rf"(no|unknown) option {option}\b", (command, option))
            self.assertRegex(spb(command, "--no-such-option").stderr, r"(no|unknown) option --no-such-option")


class Pages(unittest.TestCase):
    def test_each_command_has_a_page_with_its_options(self):
        for command in commands():
            page = HELP / f"spb-{command}.1"
            self.assertEqual(options_of_page(page), all_options(command), command)
        self.assertEqual(options_of_page(HELP / "spb.1"), options_of(spb("--help").stdout))

    def test_pages_have_their_sections(self):
        for command in ("spb", *(f"spb-{name}" for name in commands())):
            text = (HELP / f"{command}.1").read_text()
            sections = re.findall(r"^\.SH (.*)$", text, re.M)
            self.assertEqual(sections[:3], ["NAME", "SYNOPSIS", "DESCRIPTION"])
            self.assertIn("OPTIONS", sections)
            self.assertIn("EXIT STATUS", sections)
            self.assertEqual(len(sections), len(set(sections)), sections)
            self.assertRegex(text, r"\.SH NAME\n" + command.replace("-", r"\\-") + r" \\- \w")
            self.assertNotRegex(text, r"(?m)^[.'](?!\\\"|[A-Z])")  # a request that is none


class Completion(unittest.TestCase):
    def test_commands_are_offered(self):
        self.assertEqual(sorted(set(complete("")) - {"--help", "-h", "--version"}), sorted([*commands(), "help"]))
        self.assertEqual(complete("dec"), ["decode"])
        self.assertEqual(complete("help", "dec"), ["decode"])

    def test_options_are_those_of_the_help(self):
        for command in commands():
            self.assertEqual(complete(command, "-"), all_options(command), command)

    def test_values_and_files_are_offered(self):
        self.assertEqual(complete("decode", "--color", ""), ["auto", "always", "never"])
        self.assertEqual(complete("edge", "--mqtt", ""), ["3.1.1", "5"])
        self.assertEqual(complete("watch", "--mqtt", ""), ["3.1.1", "5"])
        self.assertEqual(complete("decode", "--kind", "NB"), ["NBIRTH"])
        self.assertEqual(complete("edge", "--group", ""), [])
        with tempfile.TemporaryDirectory() as scratch:
            (pathlib.Path(scratch) / "with space.tsv").touch()
            for words in (["decode"], ["edge", "--cafile"]):
                self.assertEqual(complete(*words, f"{scratch}/w"), [f"{scratch}/with space.tsv"])


unittest.main()
