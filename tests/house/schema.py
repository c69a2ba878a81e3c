"""The schema is written once: no field of proto/sparkplug_b.proto is typed again, neither its name nor its number.

In the codec no string is the name of a field, and no tag or field number is a literal. Elsewhere in src/ no string is the
name of a value field. Texts in which such a word stands among others are prose, and the keys of the tool's JSON its own."""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
# "timestamp" in the JSON of STATE messages; and reasons that are told by the path in their text.
KNOWN = {"codec/host_state.c": {"timestamp"}, "check/payload.c": {"dataset_value"}}

STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
NUMBERS = [
    (re.compile(r"\bTAG\(\s*\d"), "a tag of a literal number"),
    (re.compile(r"(?:\.|->)(?:id|number)\s*[=!<>]=?\s*[1-9]"), "a field number is a literal"),
    (re.compile(r"\bbase \+ \d"), "a field number is a literal"),
    (re.compile(r"\[MESSAGE_\w+\]\[\d"), "a field number is a literal"),
]


def main():
    schema = COMMENT.sub("", (ROOT / "proto/sparkplug_b.proto").read_text(encoding="utf-8"))
    fields = re.findall(r"^\s*(?:optional |repeated )?[\w.]+ ([a-z]\w*) = (\d+);", schema, re.M)
    names = {name for name, _ in fields}
    values = {name for name in names if name.endswith("_value")}
    constants = re.compile(r"\b\w+_(" + "|".join(name.upper() for name in names) + r")\s*=\s*\d")
    wrong, read = [], 0
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        short = path.relative_to(ROOT / "src").as_posix()
        read += 1
        is_codec = short.startswith("codec/")
        for string in STRING.findall(text):
            if string in (names if is_codec else values) - KNOWN.get(short, set()):
                wrong.append(f'{short}: "{string}" is a field of the schema')
        if is_codec:
            wrong += [f"{short}: {found[0].strip()}: {what}" for pattern, what in NUMBERS for found in pattern.finditer(text)]
            wrong += [f"{short}: {found[0]}: the number of a field" for found in constants.finditer(text)]
    print("\n".join(wrong))
    print(f"{len(fields)} fields, {read} files read, {len(wrong)} wrong")
    return 1 if wrong or len(fields) < 60 or read < 100 else 0


sys.exit(main())
