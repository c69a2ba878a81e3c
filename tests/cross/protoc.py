"""Our payloads through protoc: it decodes each to text, knows every field, and encodes the text to the same bytes.

protoc.py WRITE_PAYLOADS PROTO"""
import os
import re
import subprocess
import sys
import tempfile

COUNT = 60


def protoc(action, proto, given):
    command = ["protoc", f"--{action}=org.eclipse.tahu.protobuf.Payload", "-I", os.path.dirname(proto), proto]
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True).stdout


def main(writer, proto):
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([writer, directory, str(COUNT)], check=True)
        for seed in range(COUNT):
            with open(os.path.join(directory, str(seed)), "rb") as file:
                wire = file.read()
            text = protoc("decode", proto, wire)
            # A field that protoc does not know is printed by its number.
            if re.search(rb"^\s*\d+[ :]", text, re.MULTILINE):
                print(f"seed {seed}: protoc does not know a field:\n{text.decode()}")
                failed += 1
            if protoc("encode", proto, text) != wire:
                print(f"seed {seed}: protoc encodes to other bytes:\n{text.decode()}")
                failed += 1
    print(f"{COUNT} payloads, {failed} differences")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
