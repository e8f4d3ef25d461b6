"""Imagers at the other end of a line, as subsystems ask for them. Arming in two steps before every frame, pixels in portions."""

from .errors import RefusedError
from .links.imager import ImagerLine
from .subsystems.kv_frames import KvFrame, Technique
from .subsystems.mv_frames import MvFrame
from .told_frames import Readings, kv_frame, mv_frame, whole

PORTION = 32  # frames asked for at a time: an imager keeps 64


class WireExposures:
    """`Exposures` over a line."""

    def __init__(self, line: ImagerLine) -> None:
        self.line = line
        self.waiting: list[int] = []  # numbers of frames that are still there
        self.frames: list[KvFrame] = []

    def expose(self, technique: Technique) -> None:
        """One exposure now; RefusedError when the generator says no, DeviceError when nobody answers."""
        self.line.arm()
        self.waiting.append(self.line.fire(*whole(technique)))
        if len(self.waiting) >= PORTION:
            self._fetch()

    def read(self) -> tuple[KvFrame, ...]:
        """All frames since the last look, or an error; what came before it is of no use then."""
        try:
            self._fetch()
            return tuple(self.frames)
        finally:
            self.frames = []

    def discard(self) -> None:
        """Nobody will ask for these any more."""
        self.waiting, self.frames = [], []

    def _fetch(self) -> None:
        numbers, self.waiting = self.waiting, []
        for number in numbers:
            self.frames.append(kv_frame(*self.line.frame(number)))


class WirePortal:
    """`Portal` over a line."""

    def __init__(self, line: ImagerLine, field: Readings) -> None:
        self.line, self.field = line, field
        self.mode, self.binning = "", 0  # 0: nothing is being collected

    def start(self, mode: str, binning: int) -> None:
        """Collect from now on."""
        self.line.arm()
        self.mode, self.binning = mode, binning

    def stop(self, mu: float) -> MvFrame:
        """The image."""
        if not self.binning:
            raise RefusedError(f"{self.line.name}: nothing is being collected; start the panel before the beam")
        binning, self.binning = self.binning, 0
        return mv_frame(*self.line.frame(self.line.fire(binning)), self.mode, mu, self.field)

    def discard(self) -> None:
        """Nobody will ask for this any more."""
        if self.binning:
            self.binning = 0
            self.line.disarm()
