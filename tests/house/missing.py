"""Who lacks packages is told which, and how to get them: by a machine whose pkg-config does not know some."""

import pathlib
import re
import subprocess
import sys
import tempfile

from commands import expect

ROOT, CMAKE, CC, PKG_CONFIG = sys.argv[1:]


def configure(scratch, lacks, *options):
    """What cmake says where pkg-config knows none of these modules, as one line."""
    pkg_config = scratch / "pkg-config"
    pattern = "|".join(f"*{module}*" for module in lacks)
    pkg_config.write_text(f'#!/bin/sh\ncase "$*" in {pattern}) exit 1 ;; esac\nexec {PKG_CONFIG} "$@"\n', encoding="utf-8")
    pkg_config.chmod(0o755)
    command = [CMAKE, "-G", "Ninja", "-S", ROOT, "-B", scratch / "build", f"-DCMAKE_C_COMPILER={CC}",
               f"-DPKG_CONFIG_EXECUTABLE={pkg_config}", *options]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return done.returncode, re.sub(r"\s+", " ", done.stdout)


def main():
    with tempfile.TemporaryDirectory(prefix="spb-missing-") as scratch:
        scratch = pathlib.Path(scratch)
        status, said = configure(scratch, ["jansson", "libpcap"])
        expect(status != 0 and "Not found: jansson, libpcap." in said and "scripts/install-deps" in said,
               f"without two libraries cmake ends with {status}:\n{said}")
        # The default, on a machine that has only what the libraries and the tool need.
        for_tests = ["check", "libmosquitto"]
        status, said = configure(scratch, for_tests)
        expect(status != 0 and f"Not found: {', '.join(for_tests)}. Only the tests" in said and "-DSPB_BUILD_TESTS=OFF" in said
               and "scripts/install-deps" in said, f"without what the tests need cmake ends with {status}:\n{said}")
        status, said = configure(scratch, for_tests, "-DSPB_BUILD_TESTS=OFF")
        expect(status == 0, f"without tests cmake ends with {status}:\n{said}")


main()
