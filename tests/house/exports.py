"""What the libraries show to a linker: libspb.so exactly the functions of include/spb, the archives no foreign name."""

import pathlib
import subprocess
import sys

from declarations import functions

ROOT, NM, SHARED, *ARCHIVES = sys.argv[1:]


def defined(library, *options):
    listed = subprocess.run([NM, *options, "--defined-only", "--format=posix", library], check=True, text=True,
                            capture_output=True).stdout
    return {line.split()[0].split("@")[0] for line in listed.splitlines() if len(line.split()) > 1}


def main():
    broken, declared = [], set()
    for header in sorted((pathlib.Path(ROOT) / "include/spb").glob("*.h")):
        for name, is_public in functions(header):
            declared.add(name)
            if not is_public:
                broken.append(f"{header.name}: {name} is declared without SPB_API")
            if not name.startswith("spb_"):
                broken.append(f"{header.name}: {name} does not begin with spb_")

    exported = defined(SHARED, "-D")
    shared = pathlib.Path(SHARED).name
    broken += [f"{shared}: {name} is declared in include/spb, and not exported" for name in sorted(declared - exported)]
    broken += [f"{shared}: {name} is exported, and not declared in include/spb" for name in sorted(exported - declared)]
    broken += [f"{shared}: {name} is internal, and exported" for name in sorted(exported) if "__" in name]

    total = 0
    for archive in ARCHIVES:
        names = defined(archive, "-g")
        total += len(names)
        broken += [f"{pathlib.Path(archive).name}: {name} does not begin with spb_"
                   for name in sorted(names) if not name.startswith("spb_")]
        if not names:
            broken.append(f"{archive} defines nothing")

    for line in broken:
        print(line)
    print(f"{len(declared)} functions declared, {len(exported)} exported, {total} names in archives, {len(broken)} wrong")
    return 1 if broken or not declared else 0


sys.exit(main())
