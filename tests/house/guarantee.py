"""The README's table of what is guaranteed is shown to be true: each cell names a test, and each test exists.

The table stands under the heading "Store-and-forward"; its first column says what fails, each other column is a delivery
level. A cell names its tests as code, in the manner of named_tests.py, or is `—` where nothing can be said.
"""

import pathlib
import re
import sys

from named_tests import NamedTests

ROOT = pathlib.Path(sys.argv[1])
LEVELS = ["`LIVE`", "`OUTAGE`", "`DURABLE`"]


def rows():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## Store-and-forward\n(.*?)^## ", text, re.S | re.M)
    lines = [line for line in section[1].splitlines() if line.startswith("|")] if section else []
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def faults_of_cell(named, cell):
    references = [code for code in re.findall(r"`([^`]*)`", cell) if re.match(r"\w+/\w+", code)]
    if cell != "—" and not references:
        return ["no test is named"]
    return [fault for fault in map(named.fault_of, references) if fault]


def main():
    table, named, broken = rows(), NamedTests(ROOT), []
    if len(table) < 3 or [cell.split(",")[0] for cell in table[0][1:]] != LEVELS:
        sys.exit("README.md has no table of LIVE, OUTAGE and DURABLE under Store-and-forward")
    for row in table[2:]:
        if len(row) != 1 + len(LEVELS):
            broken.append(f"{row[0]}: {len(row) - 1} cells")
        for level, cell in zip(LEVELS, row[1:]):
            broken += [f"{row[0]}, {level}: {fault}" for fault in faults_of_cell(named, cell)]
    for fault in broken:
        print(fault)
    print(f"{len(table) - 2} kinds of faults, {len(broken)} wrong")
    return 1 if broken else 0


sys.exit(main())
