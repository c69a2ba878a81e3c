"""libspb as a part of another project, by add_subdirectory and FetchContent; the tool as one file; what is installed."""

import os
import pathlib
import re
import shutil
import sys
import tempfile

from commands import expect, needed, run

ROOT, CMAKE, CC, PKG_CONFIG, *MORE = sys.argv[1:]
ROOT = pathlib.Path(ROOT)
PARENT = ROOT / "tests/house/subproject"


def is_shared(program):
    return any(name.startswith("libspb.so") for name in needed(program))


def without_pcap(scratch):
    """A pkg-config of a machine that has no libpcap."""
    path = scratch / "pkg-config"
    path.write_text(f'#!/bin/sh\ncase "$*" in *pcap*) exit 1 ;; esac\nexec {PKG_CONFIG} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def build(directory, *options):
    run(CMAKE, "-G", "Ninja", "-S", PARENT, "-B", directory, f"-DSPB_SOURCE={ROOT}", f"-DCMAKE_C_COMPILER={CC}", *MORE,
        *options)
    run(CMAKE, "--build", directory)
    run(directory / "asserts")
    for name in ("payload", "payload_core"):
        expect("seq 7 Double 21.5" in run(directory / name), f"{name} does not decode what it encoded")
    expect(not is_shared(directory / "payload_core"), "spb::spb_core is no archive")


def install(directory, prefix):
    """Of each file its place below prefix, with LIB for the directory of libraries."""
    run(CMAKE, "--install", directory, "--prefix", prefix)
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    return {re.sub(r"^lib(64|32|/[^/]+-linux-[^/]+)?/", "LIB/", name) for name in files}


def version():
    text = (ROOT / "include/spb/version.h").read_text(encoding="utf-8")
    return re.search(r'define SPB_VERSION "(.*)"', text)[1]


def library_files(has_shared):
    major_minor = version().rsplit(".", 1)[0]
    files = {f"include/spb/{path.name}" for path in (ROOT / "include/spb").glob("*.h")}
    files |= {f"LIB/{name}" for name in ("libspb.a", "libspb_core.a", "pkgconfig/spb.pc")}
    parts = ["Config", "ConfigVersion", "Dependencies", "StaticTargets", "StaticTargets-noconfig"]
    if has_shared:
        files |= {f"LIB/libspb.so{end}" for end in ("", f".{major_minor}", f".{version()}")}
        parts += ["Targets", "Targets-noconfig"]
    files |= {f"LIB/cmake/spb/spb{part}.cmake" for part in parts}
    files |= {f"share/doc/spb/examples/{path.name}" for path in (ROOT / "examples").glob("*.c")}
    return files | {"share/doc/spb/LICENSE", "share/spb/sparkplug_b.proto", "bin/payload"}


def tool_files():
    commands = {path.stem for path in (ROOT / "src/cli/help").glob("*.txt")} - {"mqtt"}
    pages = {f"share/man/man1/{'spb' if name == 'spb' else 'spb-' + name}.1" for name in commands}
    return pages | {"bin/spb", "share/bash-completion/completions/spb"}


def expect_files(found, wanted):
    expect(found == wanted, f"installed and not wanted: {sorted(found - wanted)}; missing: {sorted(wanted - found)}")


def check_defaults(scratch):
    """Shared, no tool, nothing installed but what is the parent's; and the machine has no libpcap."""
    directory = scratch / "shared"
    build(directory, "-DWAY=add_subdirectory", f"-DPKG_CONFIG_EXECUTABLE={without_pcap(scratch)}")
    expect(is_shared(directory / "payload"), "spb::spb is not the shared library")
    expect(not (directory / "spb/spb").exists(), "the tool was built, and nobody wanted it")
    expect_files(install(directory, scratch / "shared-installed"), {"bin/payload"})


def check_tool(scratch):
    """The same project, when it wants the tool, as one file, and all installed."""
    directory = scratch / "shared"
    build(directory, "-DSPB_BUILD_CLI=ON", "-DSPB_STATIC_CLI=ON", "-DSPB_INSTALL=ON", f"-DPKG_CONFIG_EXECUTABLE={PKG_CONFIG}")
    prefix = scratch / "tool-installed"
    expect_files(install(directory, prefix), library_files(has_shared=True) | tool_files())
    tool = scratch / "gateway" / "spb"
    tool.parent.mkdir()
    shutil.copy(prefix / "bin/spb", tool)
    shutil.rmtree(prefix)
    shutil.rmtree(directory)
    expect(not is_shared(tool), "the tool still needs libspb.so")
    expect("RUNPATH" not in run("readelf", "-d", tool), "the tool looks for libraries where it was built")
    bare = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    expect(version() in run(tool, "--version", env=bare), "the copied tool does not tell its version")
    decoded = run(tool, "decode", ROOT / "tests/data/js-edge.tsv", env=bare)
    expect("Properties/Firmware" in decoded, f"the copied tool decodes:\n{decoded}")


def check_static(scratch):
    """BUILD_SHARED_LIBS=OFF: spb::spb is the archive, here and for those who use what is installed."""
    directory, prefix = scratch / "static", scratch / "static-installed"
    build(directory, "-DWAY=FetchContent", "-DBUILD_SHARED_LIBS=OFF", "-DSPB_INSTALL=ON")
    expect(not is_shared(directory / "payload"), "spb::spb is the shared library, though BUILD_SHARED_LIBS is OFF")
    expect_files(install(directory, prefix), library_files(has_shared=False))

    consumer = scratch / "consumer"
    run(CMAKE, "-G", "Ninja", "-S", ROOT / "tests/house/consumer", "-B", consumer, f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_C_COMPILER={CC}", f"-DNODE_SOURCE={ROOT / 'examples/minimal_node.c'}")
    run(CMAKE, "--build", consumer)
    expect("21.5" in run(consumer / "payload_spb"), "find_package gives an archive that does not work")

    (config,) = prefix.rglob("spb.pc")
    env = {**os.environ, "PKG_CONFIG_PATH": str(config.parent)}
    flags = run(PKG_CONFIG, "--cflags", "--libs", "spb", env=env).split()
    run(CC, "-std=c11", ROOT / "tests/house/consumer/payload.c", "-o", scratch / "payload", *flags)
    expect("21.5" in run(scratch / "payload"), "pkg-config gives an archive that does not work")


def main():
    with tempfile.TemporaryDirectory(prefix="spb-subproject-") as scratch:
        check_defaults(pathlib.Path(scratch))
        check_tool(pathlib.Path(scratch))
        check_static(pathlib.Path(scratch))


main()
