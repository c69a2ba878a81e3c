"""Commands of a test of the house: each must succeed, and what it says is kept."""

import re
import subprocess
import sys


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def expect(condition, text):
    if not condition:
        sys.exit(text)


def needed(program):
    """The shared libraries that the program itself asks for."""
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program))
