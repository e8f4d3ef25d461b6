"""Telnet framing (RFC 854): data with 0xFF doubled, options and sub-negotiations in between. Both sides of RFC 2217 use it."""

from collections.abc import Iterator
from typing import NamedTuple

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, NO_GO_AHEAD, COM_PORT = 0, 1, 3, 44
LONGEST_SUB = 512  # bytes; the rest of a longer one is lost, and so is its meaning

TOO_LONG = bytes((IAC, SB)) + bytes(LONGEST_SUB + 2)


class Option(NamedTuple):
    """WILL, WONT, DO or DONT, and what about."""

    verb: int
    option: int


class Sub(NamedTuple):
    """A sub-negotiation; `data` is unescaped."""

    option: int
    data: bytes


Item = bytes | Option | Sub


def escape(data: bytes) -> bytes:
    """As data is sent."""
    return data.replace(b"\xff", b"\xff\xff")


def option(verb: int, about: int) -> bytes:
    """An option as it is sent."""
    return bytes((IAC, verb, about))


def sub(about: int, data: bytes) -> bytes:
    """A sub-negotiation as it is sent."""
    return bytes((IAC, SB, about)) + escape(data) + bytes((IAC, SE))


class Telnet:
    """Takes a telnet stream apart, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._rest = b""  # begun and not finished: a command, or a sub-negotiation without its end

    def feed(self, data: bytes) -> Iterator[Item]:
        """Data and commands, in order. Call it with all that came, and go through all of it."""
        data = self._rest + data
        self._rest = b""
        while data:
            at = data.find(IAC)
            if at:
                yield data if at < 0 else data[:at]
                data = b"" if at < 0 else data[at:]
                continue
            item, length = _command(data)
            if not length:
                self._rest = _bounded(data)
                return
            if item is not None:
                yield item
            data = data[length:]


def _command(data: bytes) -> tuple[Item | None, int]:
    """What begins with the IAC at 0, and its length; length 0 = not all of it is here."""
    if len(data) < 2:
        return None, 0
    if data[1] == IAC:
        return b"\xff", 2
    if data[1] in (WILL, WONT, DO, DONT):
        return (Option(data[1], data[2]), 3) if len(data) > 2 else (None, 0)
    if data[1] == SB:
        return _sub(data)
    return None, 2  # AYT, NOP and so on mean nothing here


def _sub(data: bytes) -> tuple[Item | None, int]:
    """An IAC SB ... IAC SE; anything but SE and IAC after an IAC inside ends it too, without a meaning."""
    at = 2
    while (at := data.find(IAC, at)) >= 0 and at + 1 < len(data):
        if data[at + 1] == IAC:
            at += 2
            continue
        inside = data[2:at].replace(b"\xff\xff", b"\xff")
        sound = data[at + 1] == SE and inside and len(inside) <= LONGEST_SUB
        return (Sub(inside[0], inside[1:]) if sound else None), at + 2 if data[at + 1] == SE else at
    return None, 0


def _bounded(rest: bytes) -> bytes:
    """An endless sub-negotiation is forgotten but for its being too long, and for an IAC that waits for its other half."""
    if len(rest) <= 2 * LONGEST_SUB:
        return rest
    open_iac = (len(rest) - len(rest.rstrip(b"\xff"))) % 2
    return TOO_LONG + b"\xff" * open_iac
