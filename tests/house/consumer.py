"""Installs the build, moves it away, and builds programs against it: with find_package and pkg-config, shared and static."""

import os
import pathlib
import sys
import tempfile

from commands import expect, needed, run

ROOT, BUILD, CMAKE, CC, PKG_CONFIG, HAS_TOOL = sys.argv[1:]
CONSUMER = pathlib.Path(ROOT) / "tests/house/consumer"
NODE_SOURCE = pathlib.Path(ROOT) / "examples/minimal_node.c"


def check_program(program, version, is_shared, lib):
    of_ours = [name for name in needed(program) if name.startswith("libspb")]
    wanted = ["libspb.so." + ".".join(version.split(".")[:2])] if is_shared else []
    expect(of_ours == wanted, f"{program.name} needs {of_ours} at run time, and not {wanted}")
    if program.name.startswith("payload"):
        said = run(program, env={**os.environ, "LD_LIBRARY_PATH": str(lib)}).strip()
        expect(said == f"{version} seq 7 Double 21.5", f"{program.name} said: {said}")


def main():
    with tempfile.TemporaryDirectory(prefix="spb-consumer-") as scratch:
        scratch = pathlib.Path(scratch)
        run(CMAKE, "--install", BUILD, "--prefix", scratch / "installed")
        prefix = (scratch / "installed").rename(scratch / "moved")
        (lib,) = {path.parent for path in prefix.rglob("libspb.so")}
        env = {**os.environ, "PKG_CONFIG_PATH": str(lib / "pkgconfig")}
        version = run(PKG_CONFIG, "--modversion", "spb", env=env).strip()

        public = {path.name for path in (pathlib.Path(ROOT) / "include/spb").glob("*.h")}
        installed = {path.name for path in (prefix / "include/spb").iterdir()}
        expect(installed == public, f"headers installed: {sorted(installed ^ public)} differ")
        if HAS_TOOL == "ON":
            said = run(prefix / "bin/spb", "--version")
            expect(version in said, f"the installed tool says: {said}")
            for path in ("share/man/man1/spb.1", "share/bash-completion/completions/spb"):
                expect((prefix / path).is_file(), f"{path} is not installed")

        run(CMAKE, "-S", CONSUMER, "-B", scratch / "cmake", f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_C_COMPILER={CC}", f"-DNODE_SOURCE={NODE_SOURCE}")
        run(CMAKE, "--build", scratch / "cmake")
        built = 0
        for way in ("spb", "spb_static", "spb_core"):
            for program in sorted((scratch / "cmake").glob(f"*_{way}")):
                check_program(program, version, way == "spb", lib)
                built += 1

        flags = run(PKG_CONFIG, "--cflags", "spb", env=env).split()
        shared = run(PKG_CONFIG, "--libs", "spb", env=env).split()
        static = run(PKG_CONFIG, "--static", "--libs", "spb", env=env).replace("-lspb ", "-l:libspb.a ").split()
        for source, name in ((CONSUMER / "payload.c", "payload"), (NODE_SOURCE, "node")):
            for way, libs in (("shared", shared), ("static", static)):
                program = scratch / f"{name}_pc_{way}"
                run(CC, "-std=c11", source, "-o", program, *flags, *libs)
                check_program(program, version, way == "shared", lib)
                built += 1
        print(f"{built} programs built against the installed library")
        return 0 if built == 9 else 1


sys.exit(main())
