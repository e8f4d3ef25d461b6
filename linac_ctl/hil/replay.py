"""Sends recorded requests again and compares what comes with what came."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from device_models.interface.wire.framing import (
    DEVICE_HEARS,
    LARGEST,
    REPLY,
    REQUEST,
    STOP_BYTE,
    Decoder,
    Line,
    integer,
    make,
    parse,
)

from .client import Client, NoAnswerError, Piece, Reply

COUNTERS = b"CN"  # tell what happened since power-up: never the same twice
IDENTITY = ("session", "serial", "fw", "baud", "now")  # keys that differ from device to device


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded request with its reply, if there was one. `stop`: a stop byte instead."""

    t_us: int
    line: bytes
    reply: Line | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """One request, sent again. `difference`: "" if the reply is the same as far as asked."""

    t_ms: float
    request: str
    recorded: str
    came: str
    difference: str


def recorded(pieces: Sequence[Piece]) -> list[Asked]:
    """Requests in order, each with its reply: they come in the same order. Junk is left out."""
    asked: list[Asked] = []
    first_open = 0
    hears, answers = Decoder(hears=DEVICE_HEARS, maxline=4096), Decoder(maxline=4096)
    for piece in pieces:
        if piece.sent:
            asked += [Asked(piece.t_us, b"\x18", stop=True)] * piece.data.count(STOP_BYTE)
            asked += [Asked(piece.t_us, line.raw) for line in hears.feed(piece.data.replace(bytes((STOP_BYTE,)), b""))]
        else:
            for line in answers.feed(piece.data):
                first_open = match(asked, line, first_open)
    return asked


def match(asked: list[Asked], line: Line, first_open: int) -> int:
    """Give a reply to the oldest open request with its number; -> the first one that a later reply can be for."""
    for i in range(first_open, len(asked) if line.start == REPLY else 0):
        one = asked[i]
        if not one.stop and int(one.line[1:3], 16) == line.sequence:
            asked[i] = Asked(one.t_us, one.line, line)
            return i + 1
    return first_open


def replay(client: Client, asked: Sequence[Asked], session: str, tolerance: int, speed: float) -> Iterator[Compared]:
    """At the recorded times (times `speed`; 0: one right after the other). The session number is that of this device."""
    begin_us, first_us = client.now_us(), asked[0].t_us if asked else 0
    for one in asked:
        if speed > 0.0:
            wait_ms = ((one.t_us - first_us) / speed - (client.now_us() - begin_us)) / 1000.0
            client.listen(max(wait_ms, 0.0))
        if one.stop:
            client.say(one.line)
            continue
        line = renewed(one.line, session)
        client.sequence = int(line[1:3], 16)
        reply = sent(client, line, one.reply is not None)
        yield compared(one, reply, line, (client.now_us() - begin_us) / 1000.0, tolerance)


def renewed(raw: bytes, session: str) -> bytes:
    """The line again, `RS` with this device's session; with its end."""
    line = parse(raw)
    if line is not None and line.verb == "RS" and session:
        return make(REQUEST, line.sequence, f"RS {session}")
    return raw + b"\r\n"


def sent(client: Client, line: bytes, answered: bool) -> Reply | None:
    """None for silence. What was met by silence is not waited for: all behind it would be late."""
    if not answered:
        client.say(line)
        return None
    try:
        return client.send_line(line)
    except NoAnswerError:
        return None


def compared(one: Asked, reply: Reply | None, line: bytes, t_ms: float, tolerance: int) -> Compared:
    """Recorded and come."""
    was = one.reply.raw[:-5].decode() if one.reply else "no reply"
    now = reply.text if reply else "no reply"
    tolerance = LARGEST if one.line[4:6] == COUNTERS else tolerance
    difference = "" if one.reply is None else different(one.reply, reply.heard.line if reply else None, tolerance)
    return Compared(t_ms, line.rstrip()[:-5].decode(), was, now, difference)


def different(was: Line, now: Line | None, tolerance: int) -> str:
    """In words; the clock and what names the device are not compared, numbers may be off by `tolerance`."""
    if now is None:
        return "no reply"
    if was.verb != now.verb or (was.verb == "ER" and was.args[1:3] != now.args[1:3]):
        return "another answer"
    if len(was.args) != len(now.args):
        return f"{len(now.args)} words instead of {len(was.args)}"
    pairs = zip(was.args[1:], now.args[1:], strict=True)
    wrong = [f"{new} instead of {old}" for old, new in pairs if not same(old, new, tolerance)]
    return "; ".join(wrong[:3])


def same(old: str, new: str, tolerance: int) -> bool:
    """Words alike, or numbers near each other."""
    if old == new or (old.partition("=")[0] in IDENTITY and "=" in old):
        return True
    was, now = integer(old), integer(new)
    return was is not None and now is not None and abs(was - now) <= tolerance
