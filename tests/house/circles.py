"""Who calls whose functions: reads the symbols of the library's objects, and says which files call each other in a circle.

A circle of files inside one room may have so many at most; between two rooms there is none, and calls go only where
includes.py lets a room look, unless the function is public."""

import pathlib
import subprocess
import sys

ROOT, NM, OBJECTS = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
MOST_FILES = 4
# Rooms whose circles are known to be larger, with their size; it may only shrink.
KNOWN = {"capture": 5, "check": 13}

sys.path.insert(0, str(ROOT / "tests/house"))
from includes import MAY_SEE  # noqa: E402


def name_of(path):
    """room/file.c, from build/src/CMakeFiles/layer_room.dir/room/file.c.o."""
    return "/".join(pathlib.Path(path).parts[-2:]).removesuffix(".o")


def read_symbols():
    """What each object defines, and what it wants of others."""
    out = subprocess.run([NM, "-P", "-g", "-A", *OBJECTS], check=True, capture_output=True, text=True).stdout
    symbols = {name_of(path): (set(), set()) for path in OBJECTS}
    for line in out.splitlines():
        path, name, kind = line.split()[:3]
        if name.startswith("spb_"):
            symbols[name_of(path.rstrip(":"))][kind == "U"].add(name)
    return symbols


def circles(edges):
    """Strongly connected components with more than one file (Tarjan, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for other in following:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(sorted(edges[other]))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                    if len(group) > 1:
                        found.append(sorted(group))
    return found


def main():
    symbols = read_symbols()
    owner = {symbol: name for name, (defined, _) in symbols.items() for symbol in defined}
    own = {name: {owner[s] for s in wanted if s in owner and "__" in s} - {name} for name, (_, wanted) in symbols.items()}
    edges = {name: {owner[s] for s in wanted if s in owner} - {name} for name, (_, wanted) in symbols.items()}
    bad = []
    for name, others in sorted(own.items()): # what is public may be called by all
        room = name.split("/")[0]
        for other in sorted(others):
            seen = other.split("/")[0]
            if seen != room and seen not in MAY_SEE[room]:
                bad.append(f"{name} calls {other}, but {room}/ may not look into {seen}/")
    for group in circles(edges):
        room = group[0].split("/")[0]
        if len(group) > KNOWN.get(room, MOST_FILES):
            bad.append(f"{len(group)} files call each other in a circle: {' '.join(group)}")
    print("\n".join(bad) or f"{len(edges)} files: no circle of more than {MOST_FILES}, but {sorted(KNOWN)}")
    sys.exit(1 if bad else 0)


main()
