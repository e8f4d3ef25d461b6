"""From a checked beam to the field that the cycle follows: rates that every axis can keep, carriage moves, run-up.

All times and speeds follow from the machine's limits; nothing here is tried out on the machine.
"""

import math
from dataclasses import dataclass

import numpy as np

from device_models.interface.image import DT_S
from linac_ctl.config.machine import AxisConfig, MachineConfig
from linac_ctl.errors import PlanError

from .model import JAWS, Beam, Floats

SAME_MU = 1e-9
SLOWEST = 0.02  # share of a segment's rate that is always allowed, so that a stop is reached
RUN_UP_ACCEL = 0.6  # share of the gantry's acceleration used before the beam is on
WORTH_A_RUN_UP_DEG_PER_S = 0.1


@dataclass(frozen=True, slots=True)
class RunUp:
    """How the gantry comes to speed behind the angle at which the beam starts."""

    begin_deg: float
    to_deg: float
    deg_per_s: float
    accel: float
    cycles: int


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One beam ready for the cycle: n control points (carriage moves included) against MU."""

    beam: Beam
    mu: Floats  # (n,)
    point: Floats  # (n,) control point of the plan that each of these is; carriage moves repeat one
    axes: dict[str, Floats]  # gantry (n, 1), collimator (n, 1), jaws (n, j), mlc (n, l), carriages (n, 2)
    rate: Floats  # (n,) MU/s, highest inside the segment that starts here
    node_rate2: Floats  # (n,) (MU/s)2, at the control point
    accel: Floats  # (n,) MU/s2
    stop_mu: Floats  # (n,)
    move: np.ndarray  # (n,) int
    start_mu: float
    segment: int
    start: dict[str, Floats]  # where each device has to stand before beam-on
    start_rate_mu_per_s: float
    run_up: RunUp | None
    beam_on_s: float  # expected, holds not counted
    max_rate_mu_per_s: float

    @property
    def points(self) -> int:
        """Number of control points."""
        return len(self.mu)

    @property
    def technique_text(self) -> str:
        """For people."""
        way = f"{self.axes['gantry'][0, 0]:.1f} to {self.axes['gantry'][-1, 0]:.1f} deg"
        return f"{self.beam.technique}, {way}, {self.mu[-1] - self.start_mu:.2f} MU in about {self.beam_on_s:.1f} s"


def axis_limits(machine: MachineConfig) -> dict[str, list[AxisConfig]]:
    """The AxisConfig of every column of `Field.axes`, in order."""
    leaves = [machine.mlc.leaf] * (2 * machine.mlc.pairs) if machine.mlc else []
    return {"gantry": list(machine.gantry), "collimator": list(machine.collimator), "jaws": list(machine.jaws),
            "mlc": leaves, "carriages": list(machine.carriages)}


def prepare(beam: Beam, machine: MachineConfig, start_mu: float = 0.0) -> Field:
    """Field for the MU from `start_mu` to the end; PlanError if an axis cannot follow at any rate."""
    point, axes = carriage_groups(positions(beam, machine), machine)
    mu = beam.cumulative_mu[point]
    limits = axis_limits(machine)
    move = np.append(np.diff(mu) <= SAME_MU, False).astype(np.int64)
    slopes = {name: slope(mu, table) for name, table in axes.items()}
    top = top_rate(beam, machine)
    rate = segment_rates(slopes, limits, move, top)
    accel = segment_accels(slopes, limits)
    node2 = node_rates2(mu, slopes, limits, rate, accel, move)
    stop = stops(mu, move)
    segment = first_segment(mu, move, start_mu)
    start = {name: at(mu, table, segment, start_mu) for name, table in axes.items()}
    v0 = min(start_rate(mu, rate, node2, accel, segment, start_mu), standing_start(slopes, limits, segment))
    run_up = plan_run_up(slopes["gantry"], v0, start, segment, move, machine)
    if run_up is None and len(slopes["gantry"]) and abs(slopes["gantry"][segment, 0]) > 0:
        v0 = min(v0, WORTH_A_RUN_UP_DEG_PER_S / abs(float(slopes["gantry"][segment, 0])))
    duration = expected_s(mu, rate, node2, accel, segment, start_mu)
    return Field(beam, mu, point.astype(np.float64), axes, rate, node2, accel, stop, move, start_mu, segment, start, v0, run_up,
                 duration, top)


def positions(beam: Beam, machine: MachineConfig) -> dict[str, Floats]:
    """Axis tables of a beam in the machine's order; what the plan leaves open is parked open."""
    n = len(beam.cumulative_mu)
    jaws = np.column_stack([beam.jaw_mm[:, JAWS.index(axis.name)] for axis in machine.jaws]) if machine.jaws else np.empty((n, 0))
    for j, axis in enumerate(machine.jaws):
        jaws[np.isnan(jaws[:, j]), j] = axis.high if axis.name.endswith("2") else axis.low
    collimator = beam.collimator_deg[:, None] if machine.collimator else np.empty((n, 0))
    return {"gantry": beam.gantry_deg[:, None].copy(), "collimator": collimator.copy(), "jaws": jaws,
            "mlc": leaf_table(beam, machine, n), "carriages": np.empty((n, 0))}


def leaf_table(beam: Beam, machine: MachineConfig, n: int) -> Floats:
    """Leaves as planned, or parked open when the plan has none."""
    if machine.mlc is None:
        return np.empty((n, 0))
    if beam.leaf_mm is not None:
        return beam.leaf_mm.copy()
    open_mm = machine.mlc.leaf.high
    row = np.concatenate([np.full(machine.mlc.pairs, open_mm), np.full(machine.mlc.pairs, -open_mm)])
    return np.tile(row, (n, 1))


def carriage_groups(axes: dict[str, Floats], machine: MachineConfig) -> tuple[np.ndarray, dict[str, Floats]]:
    """Add carriage positions, and a motion without dose wherever a bank needs its carriage elsewhere.

    -> (plan's control point of each row, axis tables with those rows).
    """
    n = len(axes["gantry"])
    if machine.mlc is None or len(machine.carriages) < 2:
        return np.arange(n), axes | {"carriages": np.zeros((n, len(machine.carriages)))}
    pairs, span = machine.mlc.pairs, machine.mlc.span_mm
    outward = np.stack([axes["mlc"][:, :pairs], -axes["mlc"][:, pairs:]])  # (bank, n, pair): positive when open
    high, low = outward.max(axis=2), outward.min(axis=2)
    groups = split_groups(high, low, span)
    order, place = [], []
    for first, last in groups:
        where = [carriage_place(high[b, first : last + 1].max(), low[b, first : last + 1].min(), span, machine.carriages[b], b)
                 for b in (0, 1)]
        order += list(range(first, last + 1))  # a shared control point comes again, with the new carriage place
        place += [where] * (last + 1 - first)
    index = np.array(order)
    grouped = {name: table[index] for name, table in axes.items() if name != "carriages"}
    grouped["carriages"] = np.round(np.array(place), 3)
    return index, grouped


def split_groups(high: Floats, low: Floats, span: float) -> list[tuple[int, int]]:
    """Runs of control points that one carriage place serves; neighbours share a control point."""
    groups, first, n = [], 0, high.shape[1]
    top, bottom = high[:, 0].copy(), low[:, 0].copy()
    for i in range(1, n):
        new_top, new_bottom = np.maximum(top, high[:, i]), np.minimum(bottom, low[:, i])
        if (new_top - new_bottom <= span + 1e-6).all():
            top, bottom = new_top, new_bottom
            continue
        top, bottom = np.maximum(high[:, i - 1], high[:, i]), np.minimum(low[:, i - 1], low[:, i])
        if not (top - bottom <= span + 1e-6).all():
            raise PlanError(f"control points {i - 1} to {i}: leaves of one bank need {(top - bottom).max():.1f} mm of travel "
                            f"inside one segment > {span:.1f} mm carriage span; split the segment or choose another machine")
        groups.append((first, i - 1))
        first = i - 1
    groups.append((first, n - 1))
    return groups


def carriage_place(high: float, low: float, span: float, axis: AxisConfig, bank: int) -> float:
    """IEC position of a carriage that serves leaves between low and high (outward positive): tips within [c - span, c]."""
    wanted = (high + low + span) / 2
    limits = (axis.low, axis.high) if bank == 0 else (-axis.high, -axis.low)
    c = min(max(wanted, limits[0], high), max(limits[1], high))
    return c if bank == 0 else -c


def slope(mu: Floats, table: Floats) -> Floats:
    """Change per MU in each segment, (n, axes); the last row and motions without dose are zero."""
    width = np.diff(mu)
    steps = np.diff(table, axis=0)
    safe = np.where(width > SAME_MU, width, np.inf)
    return np.vstack([steps / safe[:, None], np.zeros((1, table.shape[1]))])


def top_rate(beam: Beam, machine: MachineConfig) -> float:
    """Highest dose rate that plan and mode allow, MU/s."""
    most = machine.beam.modes[beam.mode].max_dose_rate_mu_per_min
    return min(most, beam.dose_rate_mu_per_min or most) / 60.0


def segment_rates(slopes: dict[str, Floats], limits: dict[str, list[AxisConfig]], move: np.ndarray, top: float) -> Floats:
    """The slowest axis of each segment sets the rate."""
    rate = np.full(len(move), top)
    for name, table in slopes.items():
        for i, axis in enumerate(limits[name]):
            steep = np.abs(table[:, i])
            rate = np.minimum(rate, np.where(steep > 0, axis.beam_speed / np.maximum(steep, 1e-12), np.inf))
    rate[move == 1] = 0.0
    return rate


def segment_accels(slopes: dict[str, Floats], limits: dict[str, list[AxisConfig]]) -> Floats:
    """Change of rate that every axis of a segment can follow, MU/s2."""
    accel = np.full(len(next(iter(slopes.values()))), 1e9)
    for name, table in slopes.items():
        for i, axis in enumerate(limits[name]):
            steep = np.abs(table[:, i])
            accel = np.minimum(accel, np.where(steep > 0, axis.accel / np.maximum(steep, 1e-12), np.inf))
    return accel


def node_rates2(mu: Floats, slopes: dict[str, Floats], limits: dict[str, list[AxisConfig]], rate: Floats, accel: Floats,
                move: np.ndarray) -> Floats:
    """Square of the rate at each control point: bends cost speed, and what was gained must be braked in time."""
    n = len(mu)
    node = np.full(n, np.inf)
    node[:-1] = rate[:-1]
    node[1:] = np.minimum(node[1:], rate[:-1])
    for name, table in slopes.items():
        for i, axis in enumerate(limits[name]):
            bend = np.abs(np.diff(table[:, i]))[: n - 2]  # at control points 1 .. n-2
            allowed = math.sqrt(2 * axis.accel * axis.catch_up)
            node[1 : n - 1] = np.minimum(node[1 : n - 1], np.where(bend > 0, allowed / np.maximum(bend, 1e-12), np.inf))
    floor = SLOWEST * np.maximum(rate, np.append(rate[0], rate[:-1]))
    node2: Floats = np.maximum(node, floor) ** 2
    width = np.maximum(np.diff(mu), 0.0)
    for s in range(n - 2, -1, -1):
        node2[s] = min(node2[s], node2[s + 1] + 2 * accel[s] * width[s]) if not move[s] else node2[s]
    for s in range(n - 1):
        node2[s + 1] = min(node2[s + 1], node2[s] + 2 * accel[s] * width[s]) if not move[s] else node2[s + 1]
    return node2


def stops(mu: Floats, move: np.ndarray) -> Floats:
    """For each segment the MU at which the beam next has to stop: before a motion without dose, or at the end."""
    stop, nearest = np.empty_like(mu), mu[-1]
    for s in range(len(mu) - 1, -1, -1):
        nearest = mu[s] if move[s] else nearest
        stop[s] = nearest
    return stop


def first_segment(mu: Floats, move: np.ndarray, start_mu: float) -> int:
    """The segment in which delivery starts or goes on."""
    inside = [s for s in range(len(mu) - 1) if not move[s] and mu[s] <= start_mu + SAME_MU and start_mu < mu[s + 1] - SAME_MU]
    if not inside:
        raise PlanError(f"nothing left to deliver: {start_mu:.3f} MU of {mu[-1]:.3f} MU are in")
    return inside[0]


def at(mu: Floats, table: Floats, segment: int, where_mu: float) -> Floats:
    """Axis positions at a MU inside a segment."""
    f = (where_mu - mu[segment]) / (mu[segment + 1] - mu[segment])
    placed: Floats = np.round(table[segment] + min(max(f, 0.0), 1.0) * (table[segment + 1] - table[segment]), 3)
    return placed


def start_rate(mu: Floats, rate: Floats, node2: Floats, accel: Floats, segment: int, start_mu: float) -> float:
    """MU/s at beam-on, as the cycle will choose it."""
    ahead = math.sqrt(node2[segment + 1] + 2 * accel[segment] * (mu[segment + 1] - start_mu))
    if segment == 0 or mu[segment] - mu[segment - 1] <= SAME_MU:
        return float(min(rate[segment], ahead))
    behind = math.sqrt(node2[segment] + 2 * accel[segment] * max(start_mu - mu[segment], 0.0))
    return float(min(rate[segment], ahead, behind))


def standing_start(slopes: dict[str, Floats], limits: dict[str, list[AxisConfig]], segment: int) -> float:
    """MU/s that axes without a run-up can join from rest: all but the gantry."""
    slowest = math.inf
    for name, table in slopes.items():
        for i, axis in enumerate(limits[name] if name != "gantry" else []):
            steep = abs(float(table[segment, i]))
            slowest = min(slowest, math.sqrt(2 * axis.accel * axis.catch_up) / steep if steep > 0 else math.inf)
    return slowest


def plan_run_up(gantry_slope: Floats, rate_mu_per_s: float, start: dict[str, Floats], segment: int, move: np.ndarray,
                machine: MachineConfig) -> RunUp | None:
    """Room to come to speed before an arc; None for a standing gantry, or where the range leaves no room."""
    speed = float(gantry_slope[segment, 0]) * rate_mu_per_s
    if abs(speed) < WORTH_A_RUN_UP_DEG_PER_S:
        return None
    axis, accel = machine.gantry[0], RUN_UP_ACCEL * machine.gantry[0].accel
    cycles = math.ceil((abs(speed) / accel + machine.beam.run_up_margin_s) / DT_S)
    way = abs(speed) * (cycles * DT_S - 0.5 * abs(speed) / accel)
    to = float(start["gantry"][0])
    begin = to - math.copysign(way, speed)
    if not axis.low <= begin <= axis.high:
        return None
    return RunUp(begin, to, speed, accel, cycles)


def expected_s(mu: Floats, rate: Floats, node2: Floats, accel: Floats, segment: int, start_mu: float) -> float:
    """Beam-on time without holds: trapezoids of rate between control points."""
    total = 0.0
    for s in range(segment, len(mu) - 1):
        width = mu[s + 1] - max(mu[s], start_mu)
        if width <= SAME_MU or rate[s] <= 0:
            continue
        ends = [min(rate[s], math.sqrt(v2)) for v2 in (node2[s], node2[s + 1])]
        peak = min(rate[s], math.sqrt((node2[s] + node2[s + 1]) / 2 + accel[s] * width))
        total += width / max((ends[0] + 2 * peak + ends[1]) / 4, SLOWEST * rate[s])
    return total
