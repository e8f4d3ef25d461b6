"""From rows to a trajectory log: one field, or several that were delivered in one auto-sequence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.config.machine import MachineConfig
from linac_ctl.control.phases import Hold, Phase
from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam, Plan

from .native_scale import BANK_A, BANK_B, to_native
from .rows import AxisColumns, Rows
from .trajectory_log import ABSENT, MOST_SNAPSHOTS, Axis, Metadata, SubBeam, TrajectoryLog

TAIL_ROWS = 5  # after the last row of a field: the ramp-down of the dose
AXES = tuple(Axis)
COUCH = (
    Axis.COUCH_LAT,
    Axis.COUCH_LNG,
    Axis.COUCH_VRT,
    Axis.COUCH_RTN,
    Axis.COUCH_PITCH,
    Axis.COUCH_ROLL,
)  # as in the image


@dataclass(frozen=True, slots=True, eq=False)
class Snapshots:
    """Which rows go into the log, and what the sequence adds to their dose and control point."""

    rows: Rows
    mu: NDArray[np.float64]  # (n, 2) expected, actual
    control_point: NDArray[np.float64]  # (n,)
    hold: NDArray[np.float64]  # (n,)
    sub_beam_points: tuple[int, ...]


def log_of(
    rows: Rows,
    beams: tuple[Beam, ...],
    machine: MachineConfig,
    plan: Plan,
    *,
    version: str = "3.0",
    time_limits_s: tuple[float, ...] = (),
    remaining_mu: float = 0.0,
) -> TrajectoryLog:
    """The log of these fields in this order. RecordError for a machine whose MLC has no model number in this format."""
    mlc = machine.mlc
    if mlc is None or mlc.log_model is None or version not in ("3.0", "4.0"):
        kind = "without MLC" if mlc is None else mlc.model if version in ("3.0", "4.0") else f"version {version}"
        raise RecordError(
            f"trajectory log: {kind}: the format has 120-leaf MLCs, versions 3.0 and 4.0; export csv instead"
        )
    taken = take_snapshots(rows, beams)
    expected, actual = (_table(taken, machine, which) for which in (0, 1))
    limits = time_limits_s or (0.0,) * len(beams)
    sub_beams = tuple(
        SubBeam(point, beam.mu, limit, i, f"{beam.name}:TX")
        for i, (beam, point, limit) in enumerate(zip(beams, taken.sub_beam_points, limits, strict=True))
    )
    return TrajectoryLog(
        version,
        round(rows.row_s * 1000),
        tuple(map(int, AXES)),
        (1,) * (len(AXES) - 1) + (2 + 2 * mlc.pairs,),
        sub_beams,
        expected[:MOST_SNAPSHOTS],
        actual[:MOST_SNAPSHOTS],
        mlc.log_model,
        truncated=len(expected) > MOST_SNAPSHOTS,
        metadata=_metadata(beams, plan, remaining_mu) if version == "4.0" else None,
    )


def take_snapshots(rows: Rows, beams: tuple[Beam, ...]) -> Snapshots:
    """Fields and the moves between them. Time in which a field was interrupted is left out, as the real log does."""
    parts, points, doses, cps, holds = [], [], [], [], []
    asked = given = 0.0
    first_point, end = 0, -1
    for k, beam in enumerate(beams):
        own = field_rows(rows, beam.number)
        if not len(own):
            raise RecordError(f"trajectory log: beam {beam.number} {beam.name!r} has no rows with beam; nothing to log")
        gap = np.arange(end, own[0]) if k else own[:0]
        points.append(max(first_point - 1, 0))
        parts += [gap, own]
        doses.append(_dose(rows, gap, own, asked, given))
        cps += [np.linspace(first_point - 1, first_point, len(gap)), first_point + rows["control_point"][own]]
        holds += [np.full(len(gap), float(Hold.HOLD)), rows["hold"][own]]
        asked, given = asked + beam.mu, float(doses[-1][-1, 1])
        first_point, end = first_point + len(beam.cumulative_mu), int(own[-1]) + 1
    chosen = np.concatenate(parts)
    return Snapshots(
        rows.where(chosen), np.concatenate(doses), np.concatenate(cps), np.concatenate(holds), tuple(points)
    )


def field_rows(rows: Rows, number: int) -> NDArray[np.intp]:
    """Indices of the rows with the field's trajectory in hand, and of a few after each of its ends."""
    mine = rows["beam"] == number
    live = mine & (rows["phase"] == Phase.BEAM)
    late = live.copy()
    for shift in range(1, TAIL_ROWS + 1):
        late[shift:] |= live[:-shift]
    return np.flatnonzero(late & mine)


def _dose(rows: Rows, gap: NDArray[np.intp], own: NDArray[np.intp], asked: float, given: float) -> NDArray[np.float64]:
    """(n, 2) MU since the start of the sequence: expected, chamber 1."""
    during = np.stack([asked + rows["expected_mu"][own], given + rows["mu_1"][own]], axis=1)
    return np.concatenate([np.tile([asked, given], (len(gap), 1)), during])


def _table(taken: Snapshots, machine: MachineConfig, which: int) -> NDArray[np.float32]:
    """(n, 137) expected (0) or actual (1), in the order of AXES."""
    rows, mlc = taken.rows, machine.mlc
    pairs = mlc.pairs if mlc else 0
    table = np.full((len(rows), len(AXES) - 1 + 2 + 2 * pairs), ABSENT, np.float32)
    for at, axis in enumerate(AXES[:-1]):
        source = _source(axis, rows, machine)
        if source is not None:
            table[:, at] = to_native(axis, _values(rows, source, which))
    table[:, AXES.index(Axis.MU)] = taken.mu[:, which]
    table[:, AXES.index(Axis.BEAM_HOLD)] = taken.hold
    table[:, AXES.index(Axis.CONTROL_POINT)] = taken.control_point
    _fill_mlc(table[:, len(AXES) - 1 :], rows, machine, pairs, which)
    return table


def _fill_mlc(table: NDArray[np.float32], rows: Rows, machine: MachineConfig, pairs: int, which: int) -> None:
    """Carriage A, carriage B, leaves A1.., B1.. in cm, positive when open."""
    for i, (carriage, factor) in enumerate(zip(machine.carriages[:2], (BANK_A, BANK_B), strict=False)):
        source = rows.axis(carriage.name)
        if source is not None:
            table[:, i] = factor * _values(rows, source, which)
    leaves = [axis for axis in rows.axes() if axis.is_leaf]
    columns = [axis.readback if which else axis.setpoint for axis in leaves]
    table[:, 2:] = rows.data[:, columns] * np.repeat([BANK_A, BANK_B], pairs)


def _source(axis: Axis, rows: Rows, machine: MachineConfig) -> AxisColumns | None:
    """The machine's axis behind an axis of the log."""
    if axis is Axis.GANTRY:
        name = machine.gantry[0].name
    elif axis is Axis.COLLIMATOR:
        name = machine.collimator[0].name if machine.collimator else ""
    elif axis in COUCH:
        at = COUCH.index(axis)
        name = machine.couch[at].name if at < len(machine.couch) else ""
    else:
        name = axis.name
    return rows.axis(name)


def _values(rows: Rows, axis: AxisColumns, which: int) -> NDArray[Any]:
    return (rows.readback(axis) if which else rows.setpoint(axis)).astype(np.float64)


def _metadata(beams: tuple[Beam, ...], plan: Plan, remaining_mu: float) -> Metadata:
    total = sum(beam.mu for beam in beams)
    return Metadata(
        plan.patient_id, plan.label, plan.sop_instance_uid, total, remaining_mu, beams[0].mode, beams[0].name
    )
