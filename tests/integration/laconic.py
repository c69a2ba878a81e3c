"""A server that leaves requests unanswered which others answer: a mosquitto behind a proxy that keeps those from it.

  "unsubscribe"  an UNSUBSCRIBE of a filter that is not subscribed (as rumqttd)
  "idle"         also a SUBSCRIBE of a filter that is subscribed: only what changes something is answered
  "none"         whatever is no first SUBSCRIBE of a Sparkplug filter, or of a test's: PINGREQ alone is answered
"""

import struct

from liar import SUBSCRIBE, UNSUBSCRIBE, Stream, packet
from proxy import UP, Link, Proxy


class LaconicLink(Link):
    leaves = None

    def __init__(self, *ends):
        super().__init__(*ends)
        self.stream = Stream()
        self.filters = set()

    def is_idle(self, kind, topic):
        return (topic in self.filters) == (kind == SUBSCRIBE)

    def is_answered(self, kind, topic):
        if self.leaves == "none":
            return kind == SUBSCRIBE and topic not in self.filters and not topic.endswith((b"/-", b"/other"))
        return not self.is_idle(kind, topic) or (self.leaves == "unsubscribe" and kind == SUBSCRIBE)

    def passes(self, first, body):
        kind = first >> 4
        if kind not in (SUBSCRIBE, UNSUBSCRIBE):
            return True
        topic = body[4 : 4 + struct.unpack(">H", body[2:4])[0]]  # of MQTT 3.1.1, and one for each packet
        is_answered = self.is_answered(kind, topic)
        if is_answered:
            (self.filters.add if kind == SUBSCRIBE else self.filters.discard)(topic)
        return is_answered

    def seen(self, direction, data):
        if direction != UP:
            return data
        self.stream.data += data
        return b"".join(packet(first, body) for first, body in self.stream.packets() if self.passes(first, body))


def laconic(port, leaves):
    proxy_type = type("LaconicProxy", (Proxy,), {"LINK": type("Of", (LaconicLink,), {"leaves": leaves})})
    return proxy_type(port)
