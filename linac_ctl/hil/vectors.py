"""The published test vectors: lines, what a receiver must count, and what a device must answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device_models.interface.wire.framing import STOP_BYTE
from linac_ctl.errors import RecordError

PLACES = (Path(__file__).parents[2] / "docs/reference/wire-vectors.txt", Path(__file__).with_name("wire-vectors.txt"))
ESCAPE = re.compile(r"\\x([0-9A-F]{2})|\\([rnt\\])|\{([0-9]+)\*(\\x[0-9A-F]{2}|\\[rnt\\]|[^\\])\}|(.)")
NAMED = {"r": 0x0D, "n": 0x0A, "t": 0x09, "\\": 0x5C}
ROW = re.compile(r"(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) \| (.*?) \| (.*)")
EVENT = "! "
SAME = "same"


@dataclass(frozen=True, slots=True)
class Vector:
    """One line of the file. `answers`: patterns, see `matches`."""

    section: str
    name: str
    good: int
    invalid: int
    repeated: int
    old: int
    stops: int
    answers: tuple[str, ...]
    data: bytes

    @property
    def without_stops(self) -> bytes:
        """What is left for a receiver: stop bytes are no part of any line."""
        return self.data.replace(bytes((STOP_BYTE,)), b"")


def vectors(*sections: str) -> list[Vector]:
    """Those of these sections, or all, in the order of the file."""
    path = next((place for place in PLACES if place.is_file()), None)
    if path is None:
        raise RecordError("wire-vectors.txt: not in this installation; install it again, or work from a clone")
    return [vector for vector in parsed(path.read_text(encoding="ascii")) if not sections or vector.section in sections]


def parsed(text: str) -> list[Vector]:
    """ValueError names the line that is not a vector."""
    found, section = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append(vector(section, line))
    return found


def vector(section: str, line: str) -> Vector:
    """One line."""
    if (row := ROW.fullmatch(line)) is None:
        raise ValueError(f"not a vector: {line!r}")
    name, good, invalid, repeated, old, stops, answers, data = row.groups()
    patterns = () if answers == "-" else tuple(answers.split(" & "))
    return Vector(section, name, int(good), int(invalid), int(repeated), int(old), int(stops), patterns, unescaped(data))


def unescaped(text: str) -> bytes:
    r"""`\r \n \t \\ \xNN`, and `{160*A}` for A 160 times."""
    data = bytearray()
    for code, named, count, repeated, plain in ESCAPE.findall(text):
        if count:
            data += unescaped(repeated) * int(count)
        else:
            data.append(int(code, 16) if code else NAMED[named] if named else ord(plain))
    return bytes(data)


def disagreement(patterns: Sequence[str], answers: Sequence[str]) -> str:
    """"" if a device's lines are those expected, else the first difference in words. Events may stand anywhere among them."""
    events = [answer for answer in answers if answer.startswith("!")]
    replies = [answer for answer in answers if not answer.startswith("!")]
    for pattern in (p for p in patterns if p.startswith(EVENT)):
        if not any(len(words := event.split()) > 3 and words[3] == pattern[len(EVENT):] for event in events):
            return f"no event {pattern[len(EVENT):]}"
    wanted = [pattern for pattern in patterns if not pattern.startswith(EVENT)]
    if len(wanted) != len(replies):
        return f"{len(replies)} lines instead of {len(wanted)}: {' & '.join(replies) or 'silence'}"
    for number, (pattern, reply) in enumerate(zip(wanted, replies, strict=True)):
        expected = replies[number - 1] if pattern == SAME and number else pattern
        if not (reply == expected if pattern == SAME else matches(pattern, reply)):
            return f"{reply} instead of {expected}"
    return ""


def matches(pattern: str, line: str) -> bool:
    """A line (without its CRC) begins as the pattern says. `t`: any time; `1|3`: one of these words."""
    words, wanted = line.split(), pattern.split()
    return len(words) >= len(wanted) and all(fits(want, word) for want, word in zip(wanted, words, strict=False))


def fits(want: str, word: str) -> bool:
    """One word."""
    return word.isascii() and word.isdigit() if want == "t" else word in want.split("|")
