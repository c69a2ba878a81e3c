"""Each public header compiles alone, twice, and with its initialisers used: as C11 and as C++17, pedantically."""

import pathlib
import re
import subprocess
import sys

ROOT, CC, CXX = sys.argv[1:]
FLAGS = ["-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror", "-pedantic-errors", "-fsyntax-only"]
INCLUDE = pathlib.Path(ROOT) / "include"


def compiles(command, source):
    done = subprocess.run([*command, *FLAGS, f"-I{INCLUDE}", "-"], input=source, text=True, capture_output=True)
    return "" if done.returncode == 0 else done.stderr


def main():
    headers = sorted(INCLUDE.glob("spb/*.h"))
    broken = 0
    for header in headers:
        alone = f"#include <spb/{header.name}>\n" * 2 + "extern int something;\n"
        # SPB_NODE_OPTIONS_INIT initialises an spb_node_options.
        macros = re.findall(r"#define (SPB_(\w+)_INIT)\b", header.read_text(encoding="utf-8"))
        uses = alone + "".join(f"spb_{noun.lower()} use_{noun} = {macro};\n" for macro, noun in macros)
        for command, source in [
            ([CC, "-x", "c", "-std=c11"], uses),
            ([CXX, "-x", "c++", "-std=c++17"], alone),
            ([CXX, "-x", "c++", "-std=c++20"], uses),  # the first C++ that has designated initialisers
        ]:
            said = compiles(command, source)
            if said:
                broken += 1
                print(f"spb/{header.name} with {' '.join(command)}:\n{said}")
    print(f"{len(headers)} headers, {broken} failures")
    return 1 if broken or not headers else 0


sys.exit(main())
