"""tests/CONFORMANCE.md is whole: each requirement of the specification has one line, and each line a test that exists.

A line of ours is `| tck-id-… | what we do | tests |`; a test is named `unit/session: start_test_function`,
`integration/life: test_method`, or `sim/seeds: rule`; several are separated by `; `. A line under "Not ours" has two
columns: `| tck-id-… | why |`. tests/data/tck-ids.txt has all requirements of the specification.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
TESTS = ROOT / "tests"
LINE = re.compile(r"^\|\s*(tck-id-[\w-]+)\s*\|(.*)\|\s*$")


def text_of(paths):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths))


def in_unit_test(name, function):
    """It is written, added to its suite, and the suite is built and run."""
    source = TESTS / f"unit/test_{name}.c"
    if not source.is_file():
        return False
    text = source.read_text(encoding="utf-8")
    is_added = re.search(rf"tcase_add_\w*test\(\w+,\s*{function}\b", text)
    return bool(re.search(rf"^START_TEST\({function}\)", text, re.M) and is_added and is_built(name))


def is_built(name):
    rules = text_of((TESTS / "unit").glob("*.cmake"))
    if re.search(rf"^\s*spb_unit_test\({re.escape(name)}\s", rules, re.M):
        return True
    # foreach(part a b) … spb_unit_test(prefix_${part} …)
    for variable, items, body in re.findall(r"foreach\((\w+)([^)]*)\)(.*?)endforeach\(\)", rules, re.S):
        for pattern in re.findall(r"spb_unit_test\((\S+)", body):
            if name in [pattern.replace("${%s}" % variable, item) for item in items.split()]:
                return True
    return False


def in_integration_test(name, method):
    source = TESTS / f"integration/test_{name}.py"
    rules = (TESTS / "integration/tests.cmake").read_text(encoding="utf-8")
    is_run = any(name in names.split() for names in re.findall(r"foreach\(test ([^)]*)\)", rules))
    return source.is_file() and is_run and bool(re.search(rf"^    def {method}\(self\)", source.read_text("utf-8"), re.M))


def in_simulation(name, rule):
    return name == "seeds" and f'sim_fail(s, "{rule}"' in text_of((TESTS / "sim").glob("*.c"))


FINDERS = {"unit": in_unit_test, "integration": in_integration_test, "sim": in_simulation}


def fault_of(reference):
    found = re.fullmatch(r"(\w+)/(\w+): (\w[\w ]*)", reference)
    if not found or found[1] not in FINDERS:
        return f"{reference!r} is no reference"
    return None if FINDERS[found[1]](found[2], found[3]) else f"there is no test {reference}"


def faults_of_line(is_ours, cells):
    if any(not cell for cell in cells) or len(cells) != (2 if is_ours else 1):
        return ["needs what we do and a test" if is_ours else "needs why it is not ours, and no test"]
    references = cells[1].split("; ") if is_ours else []
    return [fault for fault in map(fault_of, references) if fault]


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
