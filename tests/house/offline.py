"""No build fetches anything: none of its commands is one of those that do."""

import re
import subprocess
import sys

BUILD, NINJA = sys.argv[1:]
FETCHERS = r"\b(npm|npx|yarn|pip3?|curl|wget|git (clone|fetch|pull)|ExternalProject|apt-get)\b"

if not NINJA.endswith(("ninja", "ninja-build", "samu")):
    print("SKIPPED, nothing was tested: only ninja lists its commands")
    sys.exit(77)
commands = subprocess.run([NINJA, "-C", BUILD, "-t", "commands"], check=True, text=True, stdout=subprocess.PIPE).stdout
if commands.count("\n") < 100:
    sys.exit(f"ninja lists {commands.count(chr(10))} commands, which is not all")
# Behind the name of a program or a script; what a path contains says nothing.
found = [line for line in commands.splitlines() if re.search(rf"(^|&& |/){FETCHERS}(\s|$)", line)]
if found:
    sys.exit("the build fetches something:\n" + "\n".join(found))
