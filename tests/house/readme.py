"""The README tells the truth: its program compiles and links, and its decoder output is what the tool prints."""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT, CC, LIBRARY, TOOL = sys.argv[1:]
CAPTURE = "tests/data/js-edge.tsv"


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


def check_output(shown):
    done = subprocess.run([TOOL, "decode", CAPTURE], cwd=ROOT, text=True, capture_output=True, check=True)
    printed = iter(done.stdout.splitlines())
    for line in shown.splitlines():
        if line != "…" and line not in printed:  # consumes what is passed over, so the order counts
            sys.exit(f"README.md shows what spb decode does not print there:\n{line}")


def main():
    text = (pathlib.Path(ROOT) / "README.md").read_text(encoding="utf-8")
    check_program(block(text, r"^```c\n(.*?)^```"))
    check_output(block(text, r"^\$ build/spb decode " + CAPTURE + r"\n(.*?)^\$ "))


main()
