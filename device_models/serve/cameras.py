"""What stands behind the line of an imager: its room, and the newest frames. Pixels are made when somebody asks for them."""

from collections.abc import Sequence
from typing import Any, Protocol

from ..imagers.frame import Frame
from ..imagers.kv import KvImager, KvNote, Permits
from ..imagers.panel import LARGEST_BINNING
from ..imagers.told import told_record
from .arming import LAPSES_MS
from .pixel_files import KEPT

PER = 1000
BINNING = {"binning": (1, LARGEST_BINNING)}


class KvRoom(Protocol):
    """A kV imager where it stands."""

    imager: KvImager

    def note(self, volt: int, microampere: int, microsecond: int, binning: int) -> KvNote:
        """One exposure now."""

    def develop(self, notes: Sequence[KvNote]) -> list[Frame]:
        """Pixels of exposures."""

    def permits(self) -> Permits:
        """Wires of the generator."""

    def heat_kj(self) -> float:
        """In the anode now."""


class MvRoom(Protocol):
    """A portal panel where it stands."""

    @property
    def gathering(self) -> bool:
        """Does it collect?"""

    def gather(self) -> None:
        """Empty the panel, and collect from now on."""

    def keep(self, binning: int) -> Frame:
        """What has been gathered."""

    def discard(self) -> None:
        """It is not wanted."""


class KvCamera:
    """Tube and panel: `FI` is one exposure."""

    lapses_ms: int | None = LAPSES_MS

    def __init__(self, room: KvRoom) -> None:
        self.room, tube = room, room.imager.config.tube
        ranges = {"volt": tube.kv_range, "microampere": tube.ma_range, "microsecond": tube.ms_range}
        self.limits = {name: (round(low * PER), round(high * PER)) for name, (low, high) in ranges.items()} | BINNING
        self.kept: dict[int, KvNote | Frame] = {}

    def arm(self) -> None:
        """Nothing to prepare."""

    def forget(self) -> None:
        """Nothing was prepared."""

    def fire(self, *values: int) -> int:
        """One exposure; how it looks is worked out when somebody asks."""
        note = self.room.note(*values)
        keep(self.kept, note.number, note)
        return note.number

    def frame(self, number: int) -> tuple[Any, Any]:
        """-> FRAME (1,), pixels."""
        found = self.kept[number]
        if isinstance(found, KvNote):
            (found,) = self.room.develop([found])
            self.kept[number] = found
        return told_record(found), found.pixels

    def readings(self) -> dict[str, float]:
        """Permits, heat, exposures since power-up."""
        permits = self.room.permits()
        return {"door": float(permits.door_closed), "held": float(permits.exposure_held), "enabled": float(permits.enabled),
                "heat_kj": self.room.heat_kj(), "exposures": float(self.room.imager.frames)}


class MvCamera:
    """The portal panel: `AR` empties it, `FI` keeps what has come since, however long that took. It makes no radiation."""

    lapses_ms: int | None = None

    def __init__(self, room: MvRoom) -> None:
        self.room, self.limits = room, dict(BINNING)
        self.kept: dict[int, Frame] = {}

    def arm(self) -> None:
        """From now on."""
        self.room.gather()

    def forget(self) -> None:
        """Not wanted."""
        self.room.discard()

    def fire(self, *values: int) -> int:
        """Keep it."""
        found = self.room.keep(*values)
        keep(self.kept, found.metadata.number, found)
        return found.metadata.number

    def frame(self, number: int) -> tuple[Any, Any]:
        """-> FRAME (1,), pixels."""
        return told_record(self.kept[number]), self.kept[number].pixels

    def readings(self) -> dict[str, float]:
        """Does it collect?"""
        return {"gathering": float(self.room.gathering)}


def keep(kept: dict[int, Any], number: int, what: Any) -> None:
    """And forget the oldest."""
    kept[number] = what
    for old in list(kept)[:-KEPT]:
        del kept[old]
