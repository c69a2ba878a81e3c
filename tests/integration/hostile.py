"""What a hostile server may send: bytes that no honest one does. hostile_server.py sends them.

A scenario is played at one stage of a connection, and all else is answered as it should be:
  connack   instead of the CONNACK
  suback    instead of the first SUBACK
  unsuback  instead of the first UNSUBACK
  online    when the node has sent data
What it plays is a function of the packet identifier (None where there is none) and the version of MQTT that gives the
chunks to be sent. `says` are words that the node must then write to its log.
"""

import dataclasses
import random
import struct
import typing

from liar import packet

TOPIC = b"spBv1.0/Plant1/NCMD/Edge1"


@dataclasses.dataclass
class Scenario:
    name: str
    versions: tuple
    stage: str
    play: typing.Callable
    says: str = None
    is_short: bool = False
    max_mb: float = None  # what it may add to the node's memory at its peak, where that is more than usual


# ---- packets ----


def varint(number):
    out = b""
    while True:
        out += bytes([number % 128 | (0x80 if number > 127 else 0)])
        number //= 128
        if number == 0:
            return out


def text(data):
    return struct.pack(">H", len(data)) + data


def identifier(number):
    return struct.pack(">H", number)


def connack(version, code=0, properties=b"\0", flags=0):
    return packet(0x20, bytes([flags, code]) + (properties if version == 5 else b""))


def suback(version, number, codes, properties=b"\0"):
    return packet(0x90, identifier(number) + (properties if version == 5 else b"") + bytes(codes))


def unsuback(version, number, codes=b"\x11", properties=b"\0"):
    return packet(0xB0, identifier(number) + (properties + bytes(codes) if version == 5 else b""))


def publish(version, topic=TOPIC, payload=b"x", first=0x30, number=1, properties=b"\0"):
    has_identifier = first & 0x06
    body = text(topic) + (identifier(number) if has_identifier else b"") + (properties if version == 5 else b"")
    return packet(first, body + payload)


# ---- what is wrong with properties (MQTT 5) ----

PROPERTIES = {
    "no length": b"",
    "a length beyond the packet": b"\x7f",
    "a length of 268435455": b"\xff\xff\xff\x7f",
    "a length of five bytes": b"\xff\xff\xff\xff\x7f",
    "an unknown property": b"\x02\x7e\x00",
    "property 0": b"\x02\x00\x00",
    "property 255": b"\x02\xff\x00",
    "a string beyond the packet": b"\x06\x1f\xff\xffabc",
    "a string without a length": b"\x02\x1f\x00",
    "half a user property": b"\x06\x26\x00\x03abc",
    "a user property whose value is too long": b"\x0a\x26\x00\x01a\xff\xffbcd",
    "a number that is cut off": b"\x03\x27\x00\x00",
    "a byte that is missing": b"\x01\x01",
    "a topic alias": b"\x03\x23\xff\xff",
    "a topic alias of 0": b"\x03\x23\x00\x00",
    "a subscription identifier of five bytes": b"\x06\x0b\xff\xff\xff\xff\x7f",
    "a thousand user properties": varint(7000) + b"\x26\x00\x01a\x00\x01b" * 1000,
    "a string that is not UTF-8": b"\x06\x1f\x00\x03\xff\xfe\x00",
    "a reason with control bytes": b"\x0e\x1f\x00\x0b\x1b[2J\r\nspb: x",
    "the same property twice": b"\x0a\x27\x00\x00\x10\x00\x27\x00\x00\x20\x00",
    "a maximum packet size of 0": b"\x05\x27\x00\x00\x00\x00",
    "a receive maximum of 0": b"\x03\x21\x00\x00",
    "a keep alive of 0": b"\x03\x13\x00\x00",
}


# ---- floods: they end when the node hangs up ----


def many(chunk, bytes_in_all):
    for _ in range(bytes_in_all // len(chunk) + 1):
        yield chunk


def qos_2_flood(version, count=65000, payload=b"x" * 4000):
    return (publish(version, first=0x34, number=1 + i, payload=payload) for i in range(count))


def large_publish(version, size, announced=None):
    body = text(TOPIC) + (b"\0" if version == 5 else b"")
    yield b"\x30" + varint(announced or len(body) + size) + body
    yield from many(b"\0" * 65536, size)


# ---- all of them ----

BOTH, OLD, NEW = (4, 5), (4,), (5,)
LIMIT = "more than max_packet_bytes"
QOS_2 = "QoS 2"
NO_FIT = "has not one code"


def connacks():
    def fixed(name, data, versions=BOTH, **more):
        return Scenario("CONNACK " + name, versions, "connack", lambda _, version: [data(version)], **more)

    for code in (1, 2, 3, 4, 5, 6, 0x7F, 0x80, 0x81, 0x84, 0x87, 0x9C, 0x9D, 0xFF):
        yield fixed(f"with code {code}", lambda version, code=code: connack(version, code), is_short=code == 5)
    yield fixed("without a body", lambda _: b"\x20\x00", is_short=True)
    yield fixed("of one byte", lambda _: b"\x20\x01\x00")
    yield fixed("with more than it holds", lambda version: packet(0x20, bytes(60)), OLD)
    yield fixed("of 128 kB", lambda _: packet(0x20, bytes(131072)), OLD)
    yield fixed("with all flags", lambda version: connack(version, flags=0xFF))
    yield fixed("with flags in its header", lambda _: b"\x2f\x02\x00\x00", OLD)
    yield fixed("twice", lambda version: 2 * connack(version), is_short=True)
    yield fixed("of a length that never ends", lambda _: b"\x20\xff\xff\xff\xff\xff", is_short=True)
    yield fixed("of a length that is cut off", lambda _: b"\x20\xff")
    yield fixed("that is cut off", lambda _: b"\x20\x02\x00")
    yield fixed("replaced by HTTP", lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n")
    yield fixed("replaced by zeros", lambda _: bytes(1000))
    yield fixed("replaced by ones", lambda _: b"\xff" * 1000)
    for name, properties in PROPERTIES.items():
        yield fixed("with " + name, lambda version, p=properties: connack(version, properties=p), NEW)
    for kind in range(16):
        data = bytes([kind << 4, 2, 0, 0])
        if kind != 2:
            yield fixed(f"replaced by a packet of type {kind}", lambda _, data=data: data)
    yield Scenario("PUBLISH instead of CONNACK, 300 MB", BOTH, "connack",
                   lambda _, version: many(publish(version, payload=b"x" * 60000), 300_000_000), None, True)
    yield Scenario("QoS 2 instead of CONNACK", BOTH, "connack", lambda _, version: qos_2_flood(version), QOS_2)
    yield Scenario("QoS 1 instead of CONNACK, 100 MB", BOTH, "connack",
                   lambda _, version: many(publish(version, first=0x32, payload=b"x" * 1000), 100_000_000))


def subacks():
    for count in (0, 2, 3, 4, 100, 60000):
        yield Scenario(f"SUBACK with {count} codes", BOTH, "suback",
                       lambda number, version, count=count: [suback(version, number, bytes(count))],
                       NO_FIT if count > 1 else None, count < 4)
    # The worst of all packets for its size: paho keeps each code in a list element of its own.
    yield Scenario("SUBACK of 300 kB", BOTH, "suback", lambda number, version: [suback(version, number, bytes(300_000))],
                   NO_FIT, max_mb=150)
    for code in (3, 4, 0x11, 0x7F, 0x80, 0x81, 0x87, 0xFF):
        yield Scenario(f"SUBACK with code {code}", BOTH, "suback",
                       lambda number, version, code=code: [suback(version, number, [code])],
                       "refuses the subscription" if code == 0x80 else None, code == 0x80)
    yield Scenario("SUBACK with many refusals", BOTH, "suback",
                   lambda number, version: [suback(version, number, [0x80] * 9)], NO_FIT)
    yield Scenario("SUBACK of one byte", BOTH, "suback", lambda number, _: [b"\x90\x01\x00"])
    yield Scenario("SUBACK without a body", BOTH, "suback", lambda number, _: [b"\x90\x00"], is_short=True)
    yield Scenario("SUBACK for another request", BOTH, "suback",
                   lambda number, version: [suback(version, number + 1000, [1])])
    yield Scenario("SUBACK twice", BOTH, "suback", lambda number, version: 2 * [suback(version, number, [1])], None, True)
    yield Scenario("SUBACK for number 0", BOTH, "suback", lambda number, version: [suback(version, 0, [1])])
    for kind, first in (("PUBACK", 0x40), ("PUBREC", 0x50), ("PUBREL", 0x62), ("PUBCOMP", 0x70), ("UNSUBACK", 0xB0)):
        yield Scenario(f"{kind} instead of SUBACK", BOTH, "suback",
                       lambda number, version, first=first: [packet(first, identifier(number))], None, kind == "PUBACK")
        yield Scenario(f"{kind} with a reason instead of SUBACK", NEW, "suback",
                       lambda number, version, first=first: [packet(first, identifier(number) + b"\x87\0")])
    for name, properties in PROPERTIES.items():
        yield Scenario(f"SUBACK with {name}", NEW, "suback",
                       lambda number, version, p=properties: [suback(version, number, [1], p)])


def unsubacks():
    for count in (0, 2, 3, 60000):
        yield Scenario(f"UNSUBACK with {count} codes", NEW, "unsuback",
                       lambda number, version, count=count: [unsuback(version, number, bytes(count))], None, count < 3)
    yield Scenario("UNSUBACK with a body", OLD, "unsuback", lambda number, _: [packet(0xB0, identifier(number) + b"ab")])
    yield Scenario("UNSUBACK without a body", BOTH, "unsuback", lambda number, _: [b"\xb0\x00"])
    yield Scenario("UNSUBACK twice", BOTH, "unsuback", lambda number, version: 2 * [unsuback(version, number)])
    for kind, first in (("PUBACK", 0x40), ("PUBREC", 0x50), ("PUBCOMP", 0x70)):
        yield Scenario(f"{kind} instead of UNSUBACK", BOTH, "unsuback",
                       lambda number, version, first=first: [packet(first, identifier(number))])
    yield Scenario("SUBACK instead of UNSUBACK", BOTH, "unsuback",
                   lambda number, version: [suback(version, number, [1])], None, True)
    for name, properties in PROPERTIES.items():
        yield Scenario(f"UNSUBACK with {name}", NEW, "unsuback",
                       lambda number, version, p=properties: [unsuback(version, number, properties=p)])


def messages():
    def fixed(name, data, versions=BOTH, **more):
        return Scenario("PUBLISH " + name, versions, "online", lambda _, version: [data(version)], **more)

    yield fixed("without a body", lambda _: b"\x30\x00", is_short=True)
    yield fixed("of one byte", lambda _: b"\x30\x01\x00")
    yield fixed("whose topic is longer than it", lambda _: b"\x30\x04\xff\xffab", is_short=True)
    yield fixed("without a packet identifier", lambda _: packet(0x32, text(b"a")))
    yield fixed("with half a packet identifier", lambda _: packet(0x32, text(b"a") + b"\0"))
    yield fixed("with packet identifier 0", lambda version: publish(version, first=0x32, number=0))
    yield fixed("with QoS 3", lambda version: publish(version, first=0x36), is_short=True)
    yield fixed("with QoS 2", lambda version: publish(version, first=0x34), says=QOS_2, is_short=True)
    yield fixed("with all flags", lambda version: publish(version, first=0x3F))
    yield fixed("with an empty topic", lambda version: publish(version, topic=b""), is_short=True)
    yield fixed("with NUL in its topic", lambda version: publish(version, topic=TOPIC[:9] + b"\0" + TOPIC[9:]))
    yield fixed("with wildcards in its topic", lambda version: publish(version, topic=b"spBv1.0/+/#"))
    yield fixed("with a topic that is not UTF-8", lambda version: publish(version, topic=TOPIC + b"\xff\xc0\x80\xed\xa0\x80"))
    yield fixed("with a topic of 65535 bytes", lambda version: publish(version, topic=b"a/" * 32767 + b"a"))
    yield fixed("without a payload", lambda version: publish(version, payload=b""))
    for name, properties in PROPERTIES.items():
        yield fixed("with " + name, lambda version, p=properties: publish(version, properties=p), NEW)
    floods = (
        ("QoS 0 flood, 100 MB", lambda _, version: many(publish(version, payload=b"x" * 1000), 100_000_000), None),
        ("QoS 1 flood, 20 MB", lambda _, version: many(publish(version, first=0x32, payload=b"x" * 1000), 20_000_000), None),
        ("QoS 2 flood, 260 MB", lambda _, version: qos_2_flood(version), QOS_2),
        ("QoS 2 flood of small messages", lambda _, version: qos_2_flood(version, payload=b""), QOS_2),
        ("QoS 3 flood, 100 MB", lambda _, version: many(publish(version, first=0x36, payload=b"x" * 1000), 100_000_000), None),
        ("PUBLISH of 2 MB", lambda _, version: large_publish(version, 2 << 20), LIMIT),
        ("PUBLISH of 200 MB", lambda _, version: large_publish(version, 200 << 20), LIMIT),
        ("PUBLISH of 268435455 bytes, cut off", lambda _, version: large_publish(version, 1000, 268435455), None),
        ("PUBLISH of 1 MB and one byte", lambda _, version: [publish(version, payload=bytes(1 << 20))], LIMIT),
    )
    for name, play, says in floods:
        yield Scenario(name, BOTH, "online", play, says, name in ("PUBLISH of 200 MB", "QoS 2 flood, 260 MB"))


def others():
    for kind in range(16):
        for flags in (0, 0x0F):
            first = kind << 4 | flags
            yield Scenario(f"a packet of type {kind} with flags {flags}", BOTH, "online",
                           lambda _, version, first=first: [bytes([first, 4, 0, 1, 0, 0])], None, kind in (0, 15))
        yield Scenario(f"an empty packet of type {kind}", BOTH, "online", lambda _, version, kind=kind: [bytes([kind << 4, 0])])
    acks = b"".join(packet(first, identifier(number)) for number in range(1, 9) for first in (0x40, 0x50, 0x62, 0x70))
    yield Scenario("acknowledgements of nothing", BOTH, "online", lambda _, version: [acks], None, True)
    yield Scenario("PINGRESP flood, 200 kB", BOTH, "online", lambda _, version: many(b"\xd0\x00" * 500, 200_000))
    yield Scenario("PINGRESP flood, 4 MB", BOTH, "online", lambda _, version: many(b"\xd0\x00" * 500, 4_000_000))
    yield Scenario("PUBREL flood, 4 MB", BOTH, "online", lambda _, version: many(packet(0x62, b"\0\7") * 500, 4_000_000))
    yield Scenario("a length that never ends", BOTH, "online", lambda _, version: [b"\x30\xff\xff\xff\xff\xff\x01"], None, True)
    for code in (0, 4, 0x80, 0x81, 0x8B, 0x8E, 0x95, 0x9C, 0xFF):
        yield Scenario(f"DISCONNECT with reason {code}", NEW, "online",
                       lambda _, version, code=code: [packet(0xE0, bytes([code]))], None, code == 0x8B)
    for name, properties in PROPERTIES.items():
        yield Scenario(f"DISCONNECT with {name}", NEW, "online",
                       lambda _, version, p=properties: [packet(0xE0, b"\x98" + p)])
        yield Scenario(f"AUTH with {name}", NEW, "online", lambda _, version, p=properties: [packet(0xF0, b"\x18" + p)])
        yield Scenario(f"PUBACK with {name}", NEW, "online",
                       lambda _, version, p=properties: [packet(0x40, b"\0\1\0" + p)])
    yield Scenario("a good message, byte by byte", BOTH, "online",
                   lambda _, version: [bytes([byte]) for byte in publish(version, payload=b"\x18\x01")], None, True)


def all_scenarios():
    for group in (connacks, subacks, unsubacks, messages, others):
        yield from group()


# ---- chance ----


def random_stream(random_numbers, version):
    """Good packets, each of which is spoilt with some chance, in chunks of any size."""
    number = random_numbers.randrange(1, 12)
    kinds = [
        lambda: connack(version), lambda: suback(version, number, bytes(random_numbers.randrange(0, 4))),
        lambda: unsuback(version, number, bytes(random_numbers.randrange(0, 3))),
        lambda: publish(version, first=0x30 | random_numbers.choice((0, 0, 1, 2, 4, 6, 8)), number=number,
                        payload=random_numbers.randbytes(random_numbers.randrange(0, 300)),
                        properties=random_numbers.choice(list(PROPERTIES.values()) + [b"\0"] * 8)),
        lambda: packet(random_numbers.randrange(256), random_numbers.randbytes(random_numbers.randrange(0, 40))),
        lambda: packet(random_numbers.choice((0x40, 0x50, 0x62, 0x70)), identifier(number) + random_numbers.randbytes(random_numbers.randrange(0, 5))),
        lambda: packet(0xE0, random_numbers.randbytes(random_numbers.randrange(0, 20))),
        lambda: b"\xd0\x00",
    ]
    stream = b""
    for _ in range(random_numbers.randrange(1, 40)):
        data = bytearray(random_numbers.choice(kinds)())
        if random_numbers.random() < 0.3:
            place = random_numbers.randrange(len(data))
            change = random_numbers.randrange(4)
            if change == 0:
                data[place] ^= 1 << random_numbers.randrange(8)
            elif change == 1:
                data[place] = random_numbers.choice((0, 1, 0x7F, 0x80, 0xFF))
            elif change == 2:
                del data[place:place + random_numbers.randrange(1, 5)]
            else:
                data[place:place] = random_numbers.randbytes(random_numbers.randrange(1, 5))
        stream += data
    while stream:
        size = random_numbers.choice((1, 2, 7, 100, 5000))
        yield stream[:size]
        stream = stream[size:]


def random_scenario(seed, version):
    random_numbers = random.Random(f"{seed} {version}")
    stage = random_numbers.choice(("connack", "suback", "unsuback", "online", "online"))
    lead = {"connack": [connack(version)], "suback": []}.get(stage, [])
    lead = lead if random_numbers.random() < 0.5 else []
    return Scenario(f"random {seed}", (version,), stage, lambda _, v: [*lead, *random_stream(random_numbers, v)])
