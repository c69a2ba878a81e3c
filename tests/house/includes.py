"""Includes point only downwards: reads every #include of the tree and says which one breaks the layering."""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])

# The rooms of src/, and what each may include of the others, besides itself. store and transport are seen by their
# public interface alone.
MAY_SEE = {
    "base": set(),
    "codec": {"base"},
    "outbox": {"base", "codec"},
    "core": {"base", "codec", "outbox"},
    "store": {"base"},
    "transport": {"base"},
    "node": {"base", "codec", "outbox", "core"},
    "capture": set(),  # of the tool, not of the library
    "check": set(),  # of the tool, too, and pure
    "cli": {"base", "capture", "check"},
    "examples": set(),
}

# The public headers by the layer whose words they are, lowest first; a header may include those of its own layer and below.
PUBLIC = [
    {"export.h", "status.h", "value.h", "version.h"},
    {"payload.h", "protobuf.h", "topic.h"},
    {"store.h", "transport.h"},
    {"metric.h", "session.h"},
    {"node.h", "spb.h"},
]
MAY_SEE_PUBLIC = {
    "base": PUBLIC[0],
    "codec": PUBLIC[0] | PUBLIC[1],
    "outbox": PUBLIC[0] | PUBLIC[1] | PUBLIC[2] | PUBLIC[3],
    "core": PUBLIC[0] | PUBLIC[1] | PUBLIC[2] | PUBLIC[3],
    "store": PUBLIC[0] | {"store.h"},
    "transport": PUBLIC[0] | {"transport.h"},
    "node": set.union(*PUBLIC),
    "capture": PUBLIC[0] | PUBLIC[1],
    "check": PUBLIC[0] | PUBLIC[1],
    "cli": set.union(*PUBLIC),
    "examples": set.union(*PUBLIC),
}

# Headers of other projects, and of threads and locks, with the rooms that may use them. paho calls back on threads of its
# own, so transport has a lock too, as have the commands of the tool that use a transport without a node.
FOREIGN = [
    (r"protobuf-c/.*|.*\.pb-c\.h", {"codec"}),
    (r"jansson\.h", {"codec", "cli"}),
    (r"zlib\.h", {"codec", "store"}),
    (r"sqlite3\.h", {"store"}),
    (r"pcap/.*|pcap\.h", {"capture"}),
    (r"MQTT\w*\.h|openssl/.*", {"transport"}),
    (r"linux/tcp\.h", {"transport"}),  # how many bytes came in, which <netinet/tcp.h> does not tell
    (r"pthread\.h|threads\.h|semaphore\.h", {"node", "transport", "cli"}),
]

# All that is pure, and the public headers, make do with ISO C, less what touches the world.
PURE = {"base", "codec", "outbox", "core", "check"}
ISO_C = """assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib stdnoreturn string tgmath time uchar wchar wctype""".split()
IMPURE = {"time.h", "signal.h", "locale.h", "setjmp.h", "stdatomic.h"}
PUBLIC_SYSTEM = {"stdbool.h", "stddef.h", "stdint.h", "stdarg.h"}
# What the rooms that touch the world share: the only files of base that do, and who may see them.
WORLDLY = {
    "base/monotonic": ({"node", "transport", "cli"}, {"time.h"}),
    "base/thread": ({"node", "transport"}, {"pthread.h", "signal.h"}),
}
# Of POSIX and Linux, for the other rooms.
POSIX = r"(sys|arpa|net|netinet)/\w+\.h|(dirent|fcntl|getopt|glob|poll|strings|termios|unistd|netdb|sched)\.h"


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', line)
        if found:
            yield number, found[1] or found[2], found[2] is not None
        elif re.match(r"\s*#\s*include\b", line):
            yield number, line.strip(), True


def foreign_rooms(header):
    for pattern, rooms in FOREIGN:
        if re.fullmatch(pattern, header):
            return rooms
    return None


def why_not_in_room(room, header, is_quoted, own=""):
    """What is wrong with this include in a room of src/ or in examples/; None if it is fine. `own`: the including file,
    without its ending."""
    first, _, rest = header.partition("/")
    if own in WORLDLY and header in WORLDLY[own][1]:
        return None
    seers, _ = WORLDLY.get(header.removesuffix(".h"), (None, None))
    if seers is not None and own != header.removesuffix(".h"):
        return None if room in seers else f"belongs only in {' and '.join(sorted(seers))}"
    rooms = foreign_rooms(header)
    if rooms is not None:
        return None if room in rooms else f"belongs only in {' and '.join(sorted(rooms))}"
    if first == "spb":
        if is_quoted:
            return "public headers are included with <>"
        return None if rest in MAY_SEE_PUBLIC[room] else f"lies above {room}, or is no public header"
    if is_quoted:
        if first == room or first in MAY_SEE[room]:
            return None
        return f"{room} may see {', '.join(sorted(MAY_SEE[room] | {room}))} and public headers, nothing else"
    if header.removesuffix(".h") in ISO_C:
        return f"{room} is pure" if room in PURE and header in IMPURE else None
    if re.fullmatch(POSIX, header):
        return f"{room} is pure" if room in PURE else None
    return "is not known here: a library belongs to one room (tests/house/includes.py)"


def why_not_in_public(name, header, is_quoted):
    if header == "spb/protobuf.h":
        return "is for those who have protobuf-c code, and no part of another header"
    if header.startswith("spb/") and not is_quoted:
        own = next((i for i, layer in enumerate(PUBLIC) if name in layer), None)
        if own is None:
            return f"{name} has no layer yet (tests/house/includes.py)"
        return None if any(header[4:] in layer for layer in PUBLIC[: own + 1]) else f"lies above {name}"
    return None if header in PUBLIC_SYSTEM and not is_quoted else "public headers include <spb/…> and types of C, nothing else"


def main():
    seen, broken = 0, []
    for path in sorted(p for top in ("include", "src", "examples") for p in (ROOT / top).rglob("*.[ch]")):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "src" and parts[1] not in MAY_SEE:
            broken.append(f"{'/'.join(parts)}: the room {parts[1]} is not known here (tests/house/includes.py)")
            continue
        for number, header, is_quoted in includes(path):
            seen += 1
            if parts[0] == "include":
                why = why_not_in_public(parts[-1], header, is_quoted)
            else:
                why = why_not_in_room(parts[1] if parts[0] == "src" else "examples", header, is_quoted,
                                      "/".join(parts[1:]).rpartition(".")[0])
            if why:
                broken.append(f"{'/'.join(parts)}:{number}: {header} {why}")
    for line in broken:
        print(line)
    print(f"{seen} includes read, {len(broken)} wrong")
    return 1 if broken or seen == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
