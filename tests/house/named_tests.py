"""Tests that a document names must exist, be built, and be run. A name is

`unit/session: start_test_function`, `integration/life: test_method`, `sim/seeds: rule`, or `chaos/run`.
"""

import pathlib
import re


def text_of(paths):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths))


class NamedTests:
    def __init__(self, root):
        self.tests = pathlib.Path(root) / "tests"
        self.finders = {"unit": self.in_unit_test, "integration": self.in_integration_test, "sim": self.in_simulation}

    def fault_of(self, reference):
        """What is wrong with the name of a test; None if it is one."""
        found = re.fullmatch(r"(\w+)/(\w+): (\w[\w ]*)", reference)
        if found and found[1] in self.finders:
            return None if self.finders[found[1]](found[2], found[3]) else f"there is no test {reference}"
        found = re.fullmatch(r"chaos/(\w+)", reference)
        if found:
            return None if self.is_chaos_run(found[1]) else f"there is no test {reference}"
        return f"{reference!r} is no reference"

    def in_unit_test(self, name, function):
        """It is written, added to its suite, and the suite is built and run."""
        source = self.tests / f"unit/test_{name}.c"
        if not source.is_file():
            return False
        text = source.read_text(encoding="utf-8")
        is_added = re.search(rf"tcase_add_\w*test\(\w+,\s*{function}\b", text)
        return bool(re.search(rf"^START_TEST\({function}\)", text, re.M) and is_added and self.is_built(name))

    def is_built(self, name):
        rules = text_of((self.tests / "unit").glob("*.cmake"))
        if re.search(rf"^\s*spb_unit_test\({re.escape(name)}\s", rules, re.M):
            return True
        # foreach(part a b) … spb_unit_test(prefix_${part} …)
        for variable, items, body in re.findall(r"foreach\((\w+)([^)]*)\)(.*?)endforeach\(\)", rules, re.S):
            for pattern in re.findall(r"spb_unit_test\((\S+)", body):
                if name in [pattern.replace("${%s}" % variable, item) for item in items.split()]:
                    return True
        return False

    def in_integration_test(self, name, method):
        source = self.tests / f"integration/test_{name}.py"
        rules = (self.tests / "integration/tests.cmake").read_text(encoding="utf-8")
        is_run = re.search(rf"^\s*spb_integration_test\({name}\s", rules, re.M) or any(
            name in names.split() for names in re.findall(r"foreach\(test ([^)]*)\)", rules))
        return source.is_file() and bool(is_run) and bool(re.search(rf"^    def {method}\(self\)", source.read_text("utf-8"), re.M))

    def in_simulation(self, name, rule):
        return name == "seeds" and f'sim_fail(s, "{rule}"' in text_of((self.tests / "sim").glob("*.c"))

    def is_chaos_run(self, name):
        rules = text_of((self.tests / "chaos").glob("*.cmake"))
        return bool(re.search(rf"^\s*spb_chaos_test\({name}\s", rules, re.M))
