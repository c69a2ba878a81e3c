"""How fast captures are decoded, beside tshark with its dissectors of Sparkplug and protobuf: the same file, one core.

    capture.py TOOL [--messages N]
"""

import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "capture"))
import make_pcap as make  # noqa: E402
import wireshark  # noqa: E402

METRICS = 100
RUNS = 5


def seconds(command, env=None):
    """The time of the processor: that which passes depends on what else a machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best(command, runs=RUNS, env=None):
    return min(seconds(command, env) for _ in range(runs))


def line(name, used, metrics, size, reference=None):
    ratio = f"{reference / used:7.1f} ×" if reference else ""
    print(f"  {name:28} {metrics / used:12,.0f} {size / used / 1e6:9.1f} {used:9.2f} {ratio}")


def main():
    parser = argparse.ArgumentParser(description="How fast captures are decoded.")
    parser.add_argument("tool")
    parser.add_argument("--messages", type=int, default=20000)
    wanted = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "bench.pcap"
        make.write_long(path, wanted.messages, METRICS)
        size, metrics = path.stat().st_size, wanted.messages * METRICS
        wireshark.install_schema(directory)
        print(f"capture: {wanted.messages:,} messages of {METRICS} metrics, {size / 1e6:.1f} MB, one core")
        print(f"  {'':28} {'metrics/s':>12} {'MB/s':>9} {'CPU s':>9}")
        theirs = best(wireshark.command(path, directory, "-V", "-O", "sparkplugb,protobuf"), 1, wireshark.environment(directory))
        line("tshark", theirs, metrics, size)
        for option in ("--json", "--csv", "--stats"):
            line(f"spb decode {option}", best([wanted.tool, "decode", option, str(path)]), metrics, size, theirs)


main()
