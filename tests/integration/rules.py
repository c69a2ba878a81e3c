"""What every stream of one edge node keeps, as a subscriber sees it from its first message on."""

NUMBERED = {"NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH"}
COMMANDS = {"NCMD", "DCMD", "STATE"}


def check_death(test, message, bdseq):
    test.assertIsNone(message.seq, "tck-id-payloads-ndeath-seq")
    test.assertEqual(message.value("bdSeq"), bdseq, message)
    test.assertEqual(len(message.decoded["metrics"]), 1, message)


def check_birth(test, message):
    test.assertEqual(message.seq, 0, message)
    test.assertIsNotNone(message.value("bdSeq"), message)
    test.assertIs(message.value("Node Control/Rebirth"), False, message)
    for name in ("bdSeq", "Node Control/Rebirth"):
        test.assertNotIn("alias", message.metric(name), message)


def check_stream(test, messages):
    """Fails the test at the first message that breaks a rule. Returns the bdSeqs of the sessions, in order."""
    sessions, seq, born = [], None, set()
    for message in messages:
        if message.kind in COMMANDS:
            continue
        test.assertFalse(message.retain, message)
        if message.kind == "NDEATH":
            check_death(test, message, sessions[-1] if sessions else None)
            born.clear()
            continue
        test.assertEqual(message.qos, 0, message)
        test.assertIn(message.kind, NUMBERED)
        for metric in message.decoded["metrics"]:
            test.assertIn("timestamp", metric, message)
        if message.kind == "NBIRTH":
            check_birth(test, message)
            if message.value("bdSeq") not in sessions[-1:]:
                test.assertEqual(born, set(), f"a new session before the NDEATH of the one before: {message}")
                sessions.append(message.value("bdSeq"))
            born = {None}
        else:
            test.assertIn(None, born, f"before the NBIRTH: {message}")
            test.assertEqual(message.seq, (seq + 1) % 256, message)
            if message.kind == "DBIRTH":
                born.add(message.device)
            else:
                test.assertIn(message.device, born, message)
            if message.kind == "DDEATH":
                born.remove(message.device)
        seq = message.seq
    return sessions
