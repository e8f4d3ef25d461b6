"""Recorded motion: text files of time and 3 or 6 columns (X Y Z mm, then angles about X Y Z in deg), as tracking systems write."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device_models.interface.volume import Floats, Pose

from .errors import PatientError

GAP_FACTOR = 2.5  # a step longer than this many usual steps is a gap
LARGEST_MM = 100.0
LARGEST_DEG = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Samples of a motion relative to its first one; linear in between; played back and forth, so that it never jumps."""

    name: str
    time_s: Floats  # (n,) from 0, ascending
    six: Floats  # (n, 6): X Y Z mm, angles about X Y Z deg

    @property
    def length_s(self) -> float:
        """Of one pass."""
        return float(self.time_s[-1])

    def at(self, time_s: float) -> Pose:
        """The motion at a time; before 0 s it has not begun."""
        folded = max(0.0, time_s) % (2.0 * self.length_s)
        folded = min(folded, 2.0 * self.length_s - folded)
        x, y, z, rx, ry, rz = (float(np.interp(folded, self.time_s, column)) for column in self.six.T)
        return Pose((x, y, z), (rx, ry, rz))


def load_trace(path: str | Path) -> Trace:
    """Reads a trace; PatientError says file, line and what is wrong."""
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="strict").splitlines()
    except OSError as exc:
        raise PatientError(f"trace {path}: cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise PatientError(f"trace {path}: cannot be read as text: {exc}") from exc
    rows = [_row(path, number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")]
    return checked(path.name, rows)


def _row(path: Path, number: int, line: str) -> list[float]:
    try:
        return [float(word) for word in line.replace(",", " ").replace(";", " ").split()]
    except ValueError:
        raise PatientError(f"trace {path}:{number}: '{line.strip()[:40]}' is not a row of numbers") from None


def checked(name: str, rows: list[list[float]]) -> Trace:
    """A trace of rows (time, 3 or 6 values); refuses gaps, steps back in time and what no patient does."""
    widths = sorted({len(row) for row in rows})
    if widths not in ([4], [7]):
        raise PatientError(f"trace {name}: rows of {widths or 'no'} columns; time and 3 or 6 values are needed in every row")
    data = np.array(rows)
    if len(data) < 3:
        raise PatientError(f"trace {name}: {len(data)} rows; at least 3 are needed")
    if not np.isfinite(data).all():
        raise PatientError(f"trace {name}: row {int(np.argwhere(~np.isfinite(data))[0, 0]) + 1} is not finite; cut the trace there")
    _no_gaps(name, data[:, 0])
    six = np.zeros((len(data), 6))
    six[:, : data.shape[1] - 1] = data[:, 1:] - data[0, 1:]
    for what, part, limit in (("mm", six[:, :3], LARGEST_MM), ("deg", six[:, 3:], LARGEST_DEG)):
        if (most := float(np.abs(part).max())) > limit:
            raise PatientError(f"trace {name}: moves {most:.1f} {what}, more than {limit:g} {what}; wrong unit or column?")
    return Trace(name, data[:, 0] - data[0, 0], six)


def _no_gaps(name: str, time_s: Floats) -> None:
    steps = np.diff(time_s)
    usual = float(np.median(steps))
    if not steps.min() > 0.0:
        row = int(steps.argmin()) + 2
        raise PatientError(f"trace {name}: time does not rise at row {row} ({time_s[row - 1]:g} s)")
    if steps.max() > GAP_FACTOR * usual:
        row = int(steps.argmax()) + 1
        raise PatientError(
            f"trace {name}: gap of {steps.max():g} s after row {row} ({time_s[row - 1]:g} s), {usual:g} s is usual; "
            "fill it in or cut the trace there"
        )
