"""The README's "Install and link", to the letter: its commands, one by one, on a bare Debian that has only this directory.

test_readme.py [DEBIAN]      DEBIAN: a directory for it, which is then kept (scripts/bare-debian)

A program that is started there as ./NAME runs until Ctrl-C: it gets that as soon as it has printed something. The status is
77, and the last line says why, if there can be no bare Debian.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BARE_DEBIAN = ROOT / "scripts/bare-debian"
SECTION = "Install and link"


def commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {SECTION}\n(.*?)^## ", text, re.S | re.M)
    if not section:
        sys.exit(f'README.md has no section "{SECTION}"')
    blocks = re.findall(r"^```console\n(.*?)^```", section[1], re.S | re.M)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


# Inside the bare Debian, without a network: a server on this machine is none of its business. A process in the background of
# a script ignores Ctrl-C until it asks for it itself, so it is told again until it has ended.
UNTIL_CTRL_C = """
coproc { exec %s 2>&1; }
program=$!
read -r line <&"${COPROC[0]}"
echo "$line"
while kill -INT "$program" 2>/dev/null; do sleep 0.1; done
wait "$program"
"""


def run(debian, command):
    words = ["bash", "-c", command]
    if command.startswith("./"):
        words = ["unshare", "--net", "timeout", "60", "bash", "-c", UNTIL_CTRL_C % command.split("#")[0].strip()]
    done = subprocess.run([BARE_DEBIAN, "run", debian, *words], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def check(debian):
    made = subprocess.run([BARE_DEBIAN, "make", debian], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode != 0:
        print(f"{made.stdout}SKIPPED: no bare Debian: {(made.stdout.splitlines() or [''])[-1]}")
        return made.returncode
    given = commands()
    if len(given) < 8:
        sys.exit(f'README.md, "{SECTION}", shows fewer commands than it did: {given}')
    # What the lines for another processor made is a program for that.
    for command in [*given, "readelf -h build/arm64/spb | grep 'Machine: *AArch64'"]:
        status, said = run(debian, command)
        print(f"{'ok' if status == 0 else 'FAILED'}: {command}", flush=True)
        if status != 0:
            print(f"{said}ended with {status}")
            return 1
    return 0


def main(*kept):
    if kept:
        return check(kept[0])
    with tempfile.TemporaryDirectory(prefix="spb-install-") as scratch:
        debian = pathlib.Path(scratch) / "debian"
        try:
            return check(debian)
        finally:
            subprocess.run([BARE_DEBIAN, "remove", debian], check=False)


sys.exit(main(*sys.argv[1:]))
