"""What the rows of a beam say: deviation of every axis, holds, interruptions, beam-on time."""

import numpy as np
from numpy.typing import NDArray

from linac_ctl.control.phases import Hold, Phase

from .result import Deviation, Pause
from .rows import AxisColumns, Rows

BLOCK = 1024  # rows at a time, so that a long run needs no second copy of its rows
GRID = 5  # decimals of a deviation: below 0.1 um


def deviations(rows: Rows, beam: int) -> dict[str, Deviation]:
    """Axis name -> worst and RMS of setpoint - readback over the rows of `beam` with permit; 'mlc' is all leaves."""
    axes = rows.axes()
    chosen = np.flatnonzero((rows["beam"] == beam) & (rows["permit"] > 0))
    if not len(chosen) or not axes:
        return {}
    worst, squares = _accumulate(rows, axes, chosen)
    found = {axis.name: _deviation(worst[i], squares[i] / len(chosen), axis.unit) for i, axis in enumerate(axes)}
    leaves = [i for i, axis in enumerate(axes) if axis.is_leaf]
    if leaves:
        found["mlc"] = _deviation(worst[leaves].max(), squares[leaves].mean() / len(chosen), "mm")
    return found


def _accumulate(rows: Rows, axes: tuple[AxisColumns, ...], chosen: NDArray[np.intp]) -> tuple[NDArray[np.float64], ...]:
    """((axes,) largest absolute difference, (axes,) sum of squares); NaN where a reading is missing."""
    asked, seen = [axis.setpoint for axis in axes], [axis.readback for axis in axes]
    worst, squares = np.zeros(len(axes)), np.zeros(len(axes))
    for first in range(0, len(chosen), BLOCK):
        block = rows.data[chosen[first : first + BLOCK]]
        off = block[:, asked] - block[:, seen]
        worst = np.maximum(worst, np.abs(off).max(axis=0))
        squares += np.einsum("ij,ij->j", off, off, dtype=np.float64)
    return worst, squares


def _deviation(worst: float, mean_square: float, unit: str) -> Deviation:
    if np.isnan(worst):
        return Deviation(None, None, unit)  # type: ignore[arg-type]  # units are checked when the machine file is read
    return Deviation(round(float(worst), GRID), round(float(np.sqrt(mean_square)), GRID), unit)  # type: ignore[arg-type]


def beam_on_s(rows: Rows, beam: int) -> float:
    """Time with permit, s."""
    return round(float(((rows["beam"] == beam) & (rows["permit"] > 0)).sum()) * rows.row_s, 3)


def holds(rows: Rows, beam: int) -> tuple[Pause, ...]:
    """Beam holds between the first and the last permit of the field."""
    field = rows.of_beam(beam)
    return _pauses(field, (field["phase"] == Phase.BEAM) & (field["hold"] == Hold.HOLD))


def interruptions(rows: Rows, beam: int) -> tuple[Pause, ...]:
    """Stops that only a person could end, between the first and the last permit of the field."""
    field = rows.of_beam(beam)
    return _pauses(field, field["phase"] != Phase.BEAM)


def _pauses(field: Rows, still: NDArray[np.bool_]) -> tuple[Pause, ...]:
    on = np.flatnonzero(field["permit"] > 0)
    if not len(on):
        return ()
    still = still.copy()
    still[: on[0]] = still[on[-1] :] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], still, [False])).astype(np.int8)))
    times, dose = field.t_s, field["mu_1"]
    return tuple(
        Pause(round(float(times[a]), 3), round((times[b] - times[a]).item(), 3), round(float(dose[a]), 4))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
    )
