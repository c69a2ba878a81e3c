"""What is built has what the compiler and the linker offer against attackers: looked up in the files with readelf."""

import re
import subprocess
import sys

READELF, SHARED, ARCHIVE, TOOL, OPTIMISED, *FEATURES = sys.argv[1:]
faults = []


def readelf(option, path):
    return subprocess.run([READELF, "--wide", option, path], check=True, text=True, stdout=subprocess.PIPE).stdout


def expect(condition, path, what):
    if not condition:
        faults.append(f"{path}: {what}")


def check_linked(path):
    """A shared library or a program."""
    headers, dynamic, symbols = (readelf(option, path) for option in ("--program-headers", "--dynamic", "--dyn-syms"))
    if "RELRO" in FEATURES:
        expect("GNU_RELRO" in headers, path, "what is relocated stays writable: no GNU_RELRO")
    if "NOW" in FEATURES:
        expect(re.search(r"\(FLAGS(_1)?\).*NOW", dynamic), path, "functions are bound lazily: no BIND_NOW")
    if "NOEXECSTACK" in FEATURES:
        stack = re.search(r"GNU_STACK(?:\s+0x\w+){5}\s+(\S+)", headers)
        expect(stack and "E" not in stack[1], path, "the stack is executable")
    if "STACK_PROTECTOR" in FEATURES:
        expect("__stack_chk_fail" in symbols, path, "no function checks its stack")
    if OPTIMISED == "ON":
        checked = set(re.findall(r"\b__(\w+)_chk\b", symbols))
        expect(checked, path, "_FORTIFY_SOURCE has put no check into any call of libc")


def check_objects(path):
    """Every object has to be fit for it: one that is not takes it from the whole library."""
    wanted = {"CF_PROTECTION": r"x86 feature: IBT, SHSTK", "BRANCH_PROTECTION": r"AArch64 feature: BTI, PAC"}
    for feature in set(wanted) & set(FEATURES):
        objects = re.split(r"^File: ", readelf("--notes", path), flags=re.M)[1:]
        expect(objects, path, "readelf shows no object")
        for notes in objects:
            expect(re.search(wanted[feature], notes), notes.splitlines()[0], f"no '{wanted[feature]}'")


check_linked(SHARED)
check_linked(TOOL)
if "PIE" in FEATURES:
    expect(re.search(r"\(FLAGS_1\).*\bPIE\b", readelf("--dynamic", TOOL)), TOOL, "its address is fixed: no PIE")
check_objects(ARCHIVE)
if len(FEATURES) < 4:
    faults.append(f"this compiler has next to nothing: {' '.join(FEATURES)}")
sys.exit("\n".join(faults) or 0)
