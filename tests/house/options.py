"""The options of a node are those of its session: one name is one type and one default, and the node hands each on.

include/spb/node.h and include/spb/session.h say both twice, and src/node/parts.c copies one to the other. What only the
session has is what the node finds out by itself.
"""

import pathlib
import re
import sys

from declarations import COMMENT

ROOT = pathlib.Path(sys.argv[1])
FOUND_BY_NODE = {"has_journal", "journal", "boot", "has_bdseq", "bdseq", "random_seed"}


def read(path):
    return COMMENT.sub(" ", (ROOT / path).read_text(encoding="utf-8"))


def fields(text, struct):
    """{name: type} of a struct without structs or unions inside."""
    body = re.search(r"typedef struct %s \{(.*?)\} %s;" % (struct, struct), text, re.S)[1]
    members = (re.fullmatch(r"(.*?)(\w+)", " ".join(member.split())) for member in body.split(";") if member.strip())
    return {member[2]: member[1].strip() for member in members}


def defaults(text, macro):
    """{name: value} of an initializer."""
    body = re.search(r"#define %s((?:.*\\\n)*.*)" % macro, text)[1].replace("\\\n", " ")
    return {name: " ".join(value.split()) for name, value in re.findall(r"\.(\w+)\s*=\s*([^,}]*)", body)}


def main():
    headers = {"node": read("include/spb/node.h"), "session": read("include/spb/session.h")}
    node, session = (fields(headers[of], f"spb_{of}_options") for of in headers)
    of_node, of_session = (defaults(headers[of], f"SPB_{of.upper()}_OPTIONS_INIT") for of in headers)
    copied = set(re.findall(r"\.(\w+) = options->\1\b", read("src/node/parts.c")))
    shared = set(session) - FOUND_BY_NODE
    broken = [f"{name}: spb_node_options lacks it" for name in shared - set(node)]
    broken += [f"{name}: {session[name]} of a session, {node[name]} of a node" for name in shared & set(node)
               if session[name] != node[name]]
    broken += [f"{name}: by default {of_session.get(name, '0')} of a session, {of_node.get(name, '0')} of a node"
               for name in shared if of_session.get(name) != of_node.get(name)]
    broken += [f"{name}: src/node/parts.c does not hand it on" for name in shared - copied]
    for line in sorted(broken):
        print(line)
    print(f"{len(shared)} options that a node and a session share, {len(broken)} wrong")
    return 1 if broken or not shared or not of_session else 0


sys.exit(main())
