"""One name means one thing: what more than one file can see is defined once, in include/ and src/ together.

Such names are the types of a header, which no other file may define either, and the functions that are not static. The
types and static functions of two sources are none of each other's business.
"""

import collections
import pathlib
import re
import sys

from declarations import COMMENT, DIRECTIVE

ROOT = pathlib.Path(sys.argv[1])
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
TYPE = re.compile(r"\b(?:struct|enum|union)\s+(\w+)\s*\{")
# Of a function, or of another name for a type; that of a struct by its own tag defines nothing.
TYPEDEF = re.compile(r"\btypedef\s+(?:struct|enum|union)\s+(\w+)\s+\1\s*;|\btypedef\b([^;{}]*);")


def blank(found):
    """As many lines of nothing, so that places keep their number."""
    return "\n" * found[0].count("\n")


def outside_of_braces(text):
    """The text, with every `{…}` that is not inside another one as `{}` and the lines that it took."""
    depth, out = 0, []
    for letter in text:
        if letter == "{":
            depth += 1
            out.append("{" if depth == 1 else "")
        elif letter == "}":
            out.append("}" if depth == 1 else "")
            depth = max(0, depth - 1)
        else:
            out.append(letter if depth == 0 or letter == "\n" else "")
    return "".join(out)


def definitions(text, is_header):
    """(name, line, whether other files see it) of each type and each function that is not static."""
    text = STRING.sub('""', COMMENT.sub(blank, text))
    text = DIRECTIVE.sub(blank, text).replace('extern "C" {', "").replace('extern "" {', "")
    for found in TYPE.finditer(text):
        yield found[1], text.count("\n", 0, found.start(1)) + 1, is_header
    flat = outside_of_braces(text)
    for found in TYPEDEF.finditer(flat):
        name = found[2] and re.search(r"\(\s*\*\s*(\w+)\s*\)|(\w+)\s*$", re.sub(r"\[[^]]*\]", "", found[2]).rstrip())
        if found[2] and name:
            yield name[1] or name[2], flat.count("\n", 0, found.start(2)) + 1, is_header
    # A function: from the end of what stands before it to its braces.
    for found in re.finditer(r"(?:^|[;}])([^;{}=(]*?)\b(\w+)\s*\([^;{}]*\)\s*\{", flat):
        if not re.search(r"\bstatic\b", found[1]):
            yield found[2], flat.count("\n", 0, found.start(2)) + 1, True


def main():
    places = collections.defaultdict(set)
    for path in sorted(path for top in ("include", "src") for path in (ROOT / top).rglob("*.[ch]")):
        for name, line, is_shared in definitions(path.read_text(encoding="utf-8"), path.suffix == ".h"):
            places[name].add((f"{path.relative_to(ROOT)}:{line}", is_shared))
    broken = {name: where for name, where in places.items() if len(where) > 1 and any(shared for _, shared in where)}
    for name, where in sorted(broken.items()):
        print(f"{name} is defined in {' and '.join(sorted(place for place, _ in where))}")
    print(f"{len(places)} names, {len(broken)} of them twice")
    return 1 if broken or not places else 0


sys.exit(main())
