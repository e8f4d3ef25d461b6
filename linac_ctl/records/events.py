"""The event log: one JSON object per line, on record the moment it is appended, never rewritten."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linac_ctl.errors import RecordError

from .jsonio import dumps


@dataclass(frozen=True, slots=True)
class Event:
    """Who did what, when and why; `old` and `new` where a value changed."""

    cycle: int
    t_s: float
    who: str
    what: str
    role: str = ""
    why: str = ""
    old: Any = None
    new: Any = None

    def line(self) -> bytes:
        """One JSON line, the same bytes for the same event."""
        return (dumps({name: getattr(self, name) for name in self.__slots__}) + "\n").encode()


class EventLog:
    """Appends events to a file; a line is written whole or not at all."""

    def __init__(self, path: Path, make_room: Callable[[], bool] = lambda: False) -> None:
        """`make_room` is asked once the disk is full; True means: try again."""
        self.path = path
        self._make_room = make_room
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as e:
            raise RecordError(f"{path}: cannot be opened for writing: {e.strerror}; choose another --out") from None

    def append(self, event: Event) -> bytes:
        """-> the bytes on record, for the digest."""
        line = event.line()
        try:
            self._write(line)
        except OSError as e:
            if not self._make_room():
                raise self._lost(event, e) from None
            self._write_again(line, event)
        return line

    def _write_again(self, line: bytes, event: Event) -> None:
        try:
            self._write(line)
        except OSError as e:
            raise self._lost(event, e) from None

    def _write(self, line: bytes) -> None:
        done = 0
        try:
            while done < len(line):
                done += os.write(self._file, line[done:])
        except OSError:
            if done:  # take the torn line back
                os.ftruncate(self._file, os.fstat(self._file).st_size - done)
            raise

    def _lost(self, event: Event, error: OSError) -> RecordError:
        return RecordError(
            f"{self.path}: event {event.what!r} of cycle {event.cycle} is not on record: {error.strerror}; "
            "stop, free space, resume"
        )

    def close(self) -> None:
        """No more events."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_events(path: Path) -> list[Event]:
    """All whole lines; a last line without its end was being written when the process died and is left out."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as e:
        raise RecordError(f"{path}: cannot be read: {e.strerror}") from None
    return [_parse(path, number, line) for number, line in enumerate(lines[:-1], start=1)]


def _parse(path: Path, number: int, line: bytes) -> Event:
    try:
        return Event(**json.loads(line))
    except (ValueError, TypeError) as e:
        raise RecordError(f"{path}:{number}: damaged event: {e}") from None
