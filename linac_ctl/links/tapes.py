"""What went over the lines that lead outside, kept with the run: one tap file per device, whoever is right about it later."""

import time
from collections.abc import Callable
from pathlib import Path

from device_models.interface.stream.contract import Stream
from device_models.interface.stream.tap import TapFile, Tapped, TappedStream

FOLDER = "links"


class Tapes:
    """Devices are met before there is a folder: until open() all is kept in memory. A full disk ends the tapes, never the run."""

    every_s = 1.0  # between looks: a second of a line is far from filling its buffer

    def __init__(self, now_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000) -> None:
        self.now_us = now_us
        self.cycle: Callable[[], int | None] = lambda: None
        self.tell: Callable[[str], None] = lambda why: None
        self.failed = ""  # why nothing more is written
        self._early: dict[str, list[Tapped]] = {}
        self._taps: dict[str, TapFile] = {}
        self._ended = False

    def line(self, name: str, stream: Stream) -> Stream:
        """The same line, noted."""
        self._early[name] = []
        return TappedStream(stream, lambda portion: self._note(name, portion), self.now_us, lambda: self.cycle())  # noqa: PLW0108 - `cycle` is set later

    def open(self, folder: Path) -> dict[str, str]:
        """From now on into files; -> name: file within the run folder."""
        try:
            (folder / FOLDER).mkdir(exist_ok=True)
            for name, early in self._early.items():
                self._taps[name] = TapFile((folder / FOLDER / f"{name}.tap").open("w", encoding="ascii"))
                for portion in early:
                    self._taps[name].note(portion)
                early.clear()
        except OSError as error:
            self._fail(error)
        return {f"tap_{name}": f"{FOLDER}/{name}.tap" for name in self._taps}

    def look(self) -> None:
        """Where there is time: between cycles."""
        try:
            for tap in self._taps.values():
                tap.flush()
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """The last bytes as well; nothing is noted any more. May be repeated."""
        self.look()
        self._end()

    def _note(self, name: str, portion: Tapped) -> None:
        if (tap := self._taps.get(name)) is not None:
            tap.note(portion)
        elif not self._ended:
            self._early[name].append(portion)

    def _fail(self, error: OSError) -> None:
        self.failed = f"recordings of the lines end here: {error.strerror or error}"
        self._end()
        self.tell(self.failed)

    def _end(self) -> None:
        self._ended = True
        for tap in self._taps.values():
            tap.close()
        self._taps.clear()
