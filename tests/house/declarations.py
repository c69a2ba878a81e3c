"""The functions that the public headers declare."""

import re

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*", re.M | re.S)


def statements(text):
    """The statements outside of all braces, but for those of extern "C"."""
    text = DIRECTIVE.sub("", COMMENT.sub(" ", text)).replace('extern "C" {', "")
    depth, start, out = 0, 0, []
    for place, letter in enumerate(text):
        depth = max(0, depth + (letter == "{") - (letter == "}"))
        if letter == ";" and depth == 0:
            out.append(" ".join(text[start:place].split()))
            start = place + 1
    return out


def functions(header):
    """(name, whether marked SPB_API) of each function that the header declares."""
    for statement in statements(header.read_text(encoding="utf-8")):
        found = re.search(r"\b(\w+)\s*\((?!\s*\*)", re.sub(r"\{.*\}", "", statement))
        if found and not re.search(r"\btypedef\b", statement):
            yield found[1], statement.lstrip("} ").startswith("SPB_API ")
