"""tests/CONFORMANCE.md is whole: each requirement of the specification has one line, and each line a test that exists.

A line of ours is `| tck-id-… | what we do | tests |`; how a test is named stands in named_tests.py, several are separated
by `; `. A line under "Not ours" has two columns: `| tck-id-… | why |`. tests/data/tck-ids.txt has all requirements of the
specification.
"""

import pathlib
import re
import sys

from named_tests import NamedTests

TESTS = pathlib.Path(sys.argv[1]) / "tests"
NAMED = NamedTests(sys.argv[1])
LINE = re.compile(r"^\|\s*(tck-id-[\w-]+)\s*\|(.*)\|\s*$")


def faults_of_line(is_ours, cells):
    if any(not cell for cell in cells) or len(cells) != (2 if is_ours else 1):
        return ["needs what we do and a test" if is_ours else "needs why it is not ours, and no test"]
    references = cells[1].split("; ") if is_ours else []
    return [fault for fault in map(NAMED.fault_of, references) if fault]


def main():
    wanted = (TESTS / "data/tck-ids.txt").read_text(encoding="utf-8").split()
    seen, broken, is_ours = {}, [], True
    for number, line in enumerate((TESTS / "CONFORMANCE.md").read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            is_ours = line != "## Not ours"
        found = LINE.match(line)
        if not found:
            if "| tck-id-" in line:
                broken.append(f"line {number}: not a line of the table: {line}")
            continue
        name, cells = found[1], [cell.strip() for cell in found[2].split("|")]
        if name in seen:
            broken.append(f"line {number}: {name} stands in line {seen[name]} already")
        seen[name] = number
        if name not in wanted:
            broken.append(f"line {number}: the specification has no {name}")
        broken += [f"line {number}: {name}: {fault}" for fault in faults_of_line(is_ours, cells)]
    broken += [f"{name} has no line" for name in wanted if name not in seen]
    for fault in broken:
        print(fault)
    print(f"{len(seen)} of {len(wanted)} requirements, {len(broken)} wrong")
    return 1 if broken or not wanted else 0


sys.exit(main())
