"""The README tells the truth: its program compiles and links, and the tool prints what is shown below its commands."""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, CC, LIBRARY, TOOL = sys.argv[1:]


def block(text, pattern):
    found = re.search(pattern, text, re.S | re.M)
    if not found:
        sys.exit(f"README.md has no block that matches {pattern}")
    return found[1]


def check_program(source):
    with tempfile.TemporaryDirectory() as scratch:
        command = [CC, "-Wall", "-Wextra", "-Werror", "-x", "c", "-", f"-I{ROOT}/include", "-x", "none", LIBRARY,
                   "-o", f"{scratch}/program"]
        done = subprocess.run(command, input=source, text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"the program of README.md does not build:\n{done.stderr}")


def check_output(command, shown):
    """A line of dots stands for any lines."""
    command = re.sub(r"\bbuild/spb\b", TOOL, command)
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, text=True, capture_output=True)
    if done.stderr or done.returncode > 1:  # 1: spb check has found something
        sys.exit(f"README.md: `{command}` ended with {done.returncode}: {done.stderr}")
    printed = iter(done.stdout.splitlines())
    for line in shown:
        if line != "…" and line not in printed:  # consumes what is passed over, so the order counts
            sys.exit(f"README.md shows what `{command}` does not print there:\n{line}")


def commands(text):
    """Those that run the tool of the build, with the lines shown below each."""
    for shown in re.findall(r"^```console\n(.*?)^```", text, re.S | re.M):
        for part in re.split(r"^\$ ", shown, flags=re.M)[1:]:
            command, *lines = part.splitlines()
            if command.startswith("build/spb "):
                yield command, lines


def main():
    text = (pathlib.Path(ROOT) / "README.md").read_text(encoding="utf-8")
    check_program(block(text, r"^```c\n(.*?)^```"))
    checked = 0
    for command, lines in commands(text):
        check_output(command, lines)
        checked += 1
    if checked < 8:
        sys.exit("README.md shows less of the tool than it did")


main()
