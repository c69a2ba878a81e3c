"""Writes captures of MQTT conversations, and spoils them: lost, reordered, repeated and overlapping segments, other link
layers, a beginning in the middle. For tests, and on the command line for benchmarks:

    make_pcap.py FILE [--messages N] [--metrics N] [--seed N | --long]      a node that publishes, from birth on
"""

import argparse
import random
import struct

# Link types, as the file has them.
ETHERNET, NULL, RAW, LOOP, SLL, SLL2, IPV4 = 1, 0, 101, 108, 113, 276, 228
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


# ---- payloads: protobuf, field by field ----


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def number_field(field, number):
    return varint(field << 3) + varint(number)


def bytes_field(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def double_field(field, number):
    return varint(field << 3 | 1) + struct.pack("<d", number)


INT32, INT64, DOUBLE, BOOLEAN, STRING = 3, 4, 10, 11, 12


def metric(value, name=None, alias=None, datatype=None, timestamp=None):
    out = bytes_field(1, name) if name is not None else b""
    out += number_field(2, alias) if alias is not None else b""
    out += number_field(3, timestamp) if timestamp is not None else b""
    out += number_field(4, datatype) if datatype is not None else b""
    if isinstance(value, bool):
        out += number_field(14, int(value))
    elif isinstance(value, float):
        out += double_field(13, value)
    elif isinstance(value, int):
        out += number_field(11, value)
    else:
        out += bytes_field(15, value)
    return bytes_field(2, out)


def payload(metrics, timestamp, seq=None):
    return number_field(1, timestamp) + b"".join(metrics) + (number_field(3, seq) if seq is not None else b"")


def births(count, timestamp):
    """NBIRTH with bdSeq, and `count` doubles with aliases."""
    life = [metric(0, "bdSeq", datatype=INT64, timestamp=timestamp),
            metric(False, "Node Control/Rebirth", datatype=BOOLEAN, timestamp=timestamp)]
    own = [metric(0.0, f"Line/Cell {i}/Value", i + 1, DOUBLE, timestamp) for i in range(count)]
    return payload(life + own, timestamp, 0)


def data(values, timestamp, seq):
    return payload([metric(v, alias=i + 1, timestamp=timestamp) for i, v in enumerate(values)], timestamp, seq)


# ---- MQTT ----


def mqtt(first, body):
    return bytes([first]) + varint(len(body)) + body


def text(content):
    content = content.encode() if isinstance(content, str) else content
    return struct.pack(">H", len(content)) + content


def connect(client_id, will=None, level=4, keep_alive=30, properties=b""):
    """will: (topic, payload, qos, retain)."""
    flags = 2 | (4 | will[2] << 3 | will[3] << 5 if will else 0)
    body = text("MQTT" if level > 3 else "MQIsdp") + bytes([level, flags]) + struct.pack(">H", keep_alive)
    of_5 = level == 5
    body += varint(len(properties)) + properties if of_5 else b""
    body += text(client_id)
    if will:
        body += (b"\0" if of_5 else b"") + text(will[0]) + text(will[1])
    return mqtt(0x10, body)


def connack(level=4, properties=b""):
    return mqtt(0x20, b"\0\0" + (varint(len(properties)) + properties if level == 5 else b""))


def publish(topic, content, qos=0, retain=False, packet_id=1, level=4, alias=None, duplicate=False):
    properties = b"\x23" + struct.pack(">H", alias) if alias else b""
    body = text(topic) + (struct.pack(">H", packet_id) if qos else b"")
    body += varint(len(properties)) + properties if level == 5 else b""
    return mqtt(0x30 | duplicate << 3 | qos << 1 | retain, body + content)


def subscribe(filters, level=4, packet_id=1):
    body = struct.pack(">H", packet_id) + (b"\0" if level == 5 else b"")
    return mqtt(0x82, body + b"".join(text(f) + bytes([qos]) for f, qos in filters))


def suback(codes, level=4, packet_id=1):
    return mqtt(0x90, struct.pack(">H", packet_id) + (b"\0" if level == 5 else b"") + bytes(codes))


def disconnect(reason=None):
    return mqtt(0xE0, bytes([reason]) if reason is not None else b"")


# ---- WebSocket ----


REQUEST = (b"GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
RESPONSE = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")


def frame(content, mask=None, opcode=2, fin=True):
    size = len(content)
    masked = 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([masked | size])
    elif size < 65536:
        head += bytes([masked | 126]) + struct.pack(">H", size)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", size)
    if mask:
        content = bytes(c ^ mask[i % 4] for i, c in enumerate(content))
    return head + (mask or b"") + content


# ---- TCP, IP, link layers ----


def ipv4(source, target, content, fragment=0, options=b""):
    total = 20 + len(options) + len(content)
    return struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, total, 1, fragment, 64, 6, 0, bytes(source),
                       bytes(target)) + options + content


def ipv6(source, target, content, extensions=()):
    """extensions: numbers of headers of 8 bytes each before TCP."""
    chain, following = b"", 6
    for number in reversed(extensions):
        chain = bytes([following, 0]) + b"\1\4\0\0\0\0" + chain
        following = number
    body = chain + content
    return struct.pack(">IHBB", 0x60000000, len(body), following, 64) + bytes(source) + bytes(target) + body


def link(kind, packet, vlans=()):
    version = packet[0] >> 4
    ethertype = struct.pack(">H", 0x0800 if version == 4 else 0x86DD)
    tags = b"".join(struct.pack(">HH", protocol, number) for protocol, number in vlans)
    if kind == ETHERNET:
        return b"\2" * 6 + b"\4" * 6 + tags + ethertype + packet
    if kind == NULL:
        return struct.pack("<I", 2 if version == 4 else 30) + packet
    if kind == LOOP:
        return struct.pack(">I", 2 if version == 4 else 30) + packet
    if kind == SLL:
        return struct.pack(">HHH8s", 0, 1, 6, b"\4" * 6) + tags + ethertype + packet if not tags else None
    if kind == SLL2:
        return ethertype + struct.pack(">HIHBB8s", 0, 1, 1, 0, 6, b"\4" * 6) + packet
    return packet


class Wire:
    """A network with a capture on it: packets are (time in µs, bytes of the frame)."""

    def __init__(self, kind=ETHERNET, six=False, vlans=(), start=1_700_000_000_000_000, mss=1448):
        self.kind, self.six, self.vlans, self.mss = kind, six, vlans, mss
        self.now = start
        self.packets = []

    def connection(self, client_port, server_port=1883, client_host=1, server_host=9, handshake=True, first=1000):
        return Connection(self, (client_host, client_port), (server_host, server_port), handshake, first)

    def put(self, source, target, seq, ack, flags, content=b""):
        self.now += 100
        tcp = struct.pack(">HHIIBBHHH", source[1], target[1], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, flags, 65535, 0,
                          0) + content
        if self.six:
            prefix = bytes.fromhex("20010db8") + bytes(11)
            packet = ipv6(prefix + bytes([source[0]]), prefix + bytes([target[0]]), tcp)
        else:
            packet = ipv4((10, 0, 0, source[0]), (10, 0, 0, target[0]), tcp)
        self.packets.append((self.now, link(self.kind, packet, self.vlans)))


class Connection:
    def __init__(self, wire, client, server, handshake, first):
        self.wire, self.ends = wire, (client, server)
        self.seq = [first, first * 7]
        if handshake:
            wire.put(client, server, self.seq[0], 0, SYN)
            self.seq[0] += 1
            wire.put(server, client, self.seq[1], self.seq[0], SYN | ACK)
            self.seq[1] += 1
            wire.put(client, server, self.seq[0], self.seq[1], ACK)

    def send(self, side, content, acknowledge=True):
        """side 0: the client sends, 1: the server. In segments of the wire's size, each acknowledged."""
        source, target = self.ends[side], self.ends[1 - side]
        for at in range(0, len(content), self.wire.mss):
            part = content[at:at + self.wire.mss]
            self.wire.put(source, target, self.seq[side], self.seq[1 - side], PSH | ACK, part)
            self.seq[side] += len(part)
            if acknowledge:
                self.wire.put(target, source, self.seq[1 - side], self.seq[side], ACK)

    def close(self, side=0):
        source, target = self.ends[side], self.ends[1 - side]
        self.wire.put(source, target, self.seq[side], self.seq[1 - side], FIN | ACK)
        self.seq[side] += 1
        self.wire.put(target, source, self.seq[1 - side], self.seq[side], FIN | ACK)
        self.seq[1 - side] += 1
        self.wire.put(source, target, self.seq[side], self.seq[1 - side], ACK)

    def reset(self, side=0):
        self.wire.put(self.ends[side], self.ends[1 - side], self.seq[side], self.seq[1 - side], RST | ACK)


# ---- spoiling ----


def reorder(packets, chance, distance, seed, after=3):
    """Some packets are captured up to `distance` places later, but for the first ones: the handshake. Times stay in order:
    the capture has them."""
    dice = random.Random(seed)
    keyed = [(i + (dice.uniform(0, distance) if i >= after and dice.random() < chance else 0), i)
             for i in range(len(packets))]
    order = [i for _, i in sorted(keyed)]
    return [(packets[at][0], packets[i][1]) for at, i in enumerate(order)]


def repeat(packets, chance, seed):
    dice = random.Random(seed)
    out = []
    for packet in packets:
        out += [packet] * (2 if dice.random() < chance else 1)
    return out


def lose(packets, indices):
    gone = set(indices)
    return [packet for i, packet in enumerate(packets) if i not in gone]


# ---- files ----


def pcap(packets, kind=ETHERNET, nanoseconds=False, big=False, snaplen=262144):
    order = ">" if big else "<"
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, kind)]
    for time_us, content in packets:
        fraction = time_us % 1_000_000 * (1000 if nanoseconds else 1)
        kept = content[:snaplen]
        out.append(struct.pack(order + "IIII", time_us // 1_000_000, fraction, len(kept), len(content)) + kept)
    return b"".join(out)


def pcapng(packets, kind=ETHERNET):
    def block(number, body):
        body += b"\0" * (-len(body) % 4)
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", number) + size + body + size

    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", kind, 0, 0))]
    for time_us, content in packets:
        head = struct.pack("<IIIII", 0, time_us >> 32, time_us & 0xFFFFFFFF, len(content), len(content))
        out.append(block(6, head + content))
    return b"".join(out)


# ---- a node's life ----


def node_wire(messages, metrics, seed=1, group="Plant1", node="Gateway7", start_ms=1_700_000_000_000):
    """One node that publishes its birth and then data, full-mantissa doubles; nobody subscribes."""
    dice = random.Random(seed)
    wire = Wire()
    talk = wire.connection(40001)
    talk.send(0, connect("gateway-7", (f"spBv1.0/{group}/NDEATH/{node}", payload([metric(0, "bdSeq", datatype=INT64)],
                                                                               start_ms), 1, 0)))
    talk.send(1, connack())
    talk.send(0, publish(f"spBv1.0/{group}/NBIRTH/{node}", births(metrics, start_ms)))
    for i in range(messages):
        values = [dice.uniform(0, 1000) for _ in range(metrics)]
        talk.send(0, publish(f"spBv1.0/{group}/NDATA/{node}", data(values, start_ms + i + 1, (i + 1) % 256)), False)
    talk.send(0, disconnect())
    talk.close()
    return wire


def write_long(path, messages, metrics, different=200):
    """The same for many messages, quickly: after the birth, a few different ones again and again, each time further in
    the stream."""
    different = min(different, messages)
    wire = node_wire(different, metrics)
    first = next(i for i, (_, frame) in enumerate(wire.packets) if b"/NDATA/" in frame)
    segments = [(frame[:38], int.from_bytes(frame[38:42], "big"), frame[42:]) for _, frame in wire.packets[first:-5]]
    size = sum(len(rest) - 12 for _, _, rest in segments)
    with open(path, "wb") as file:
        file.write(pcap(wire.packets[:first]))
        for turn in range(messages // different):
            again = [(wire.now + turn, head + ((seq + turn * size) & 0xFFFFFFFF).to_bytes(4, "big") + rest)
                     for head, seq, rest in segments]
            file.write(pcap(again)[24:])


def main():
    parser = argparse.ArgumentParser(description="Writes a capture of a node that publishes.")
    parser.add_argument("file")
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--metrics", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true", help="many messages quickly, of which most are the same")
    wanted = parser.parse_args()
    if wanted.long:
        write_long(wanted.file, wanted.messages, wanted.metrics)
        return
    with open(wanted.file, "wb") as file:
        file.write(pcap(node_wire(wanted.messages, wanted.metrics, wanted.seed).packets))


if __name__ == "__main__":
    main()
