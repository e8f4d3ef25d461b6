"""The plots of a run: which lines go into which chart. Every one is an SVG that stands alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.control.phases import Hold, Phase
from linac_ctl.plan.model import Beam

from .bev import Aperture, view
from .charts import ASKED, ERROR, SEEN, Band, Line, Panel, chart
from .heatmap import leaf_bars, leaf_map
from .jsonio import replace_file
from .margin import Opening, edge_mm
from .rows import AxisColumns, Rows
from .silhouette import beams_eye, hull, planned_points
from .target import TargetTruth

BEAM_ON, HELD, MOVING = "#fff3c4", "#f6c9c4", "#e3ebf3"
APERTURES = 4
BEFORE_S, AFTER_S = 0.5, 0.1  # shown around a field
NARROW = 494  # px: two charts side by side
LEAST = {"mm": 0.02, "deg": 0.002}  # an error axis covers at least twice this
STILL = {"mm": 2.0, "deg": 1.0}  # a position axis covers at least this


def field(rows: Rows, beam: int) -> Rows:
    """The rows of one field, with a little before and after it; none if it was never started."""
    live = np.flatnonzero((rows["beam"] == beam) & (rows["phase"] == Phase.BEAM))
    if not len(live):
        return rows.span(0, 0)
    t, alone = rows.t_s, (rows["beam"] == beam) | (rows["beam"] < 0)
    inside = (t >= t[live[0]] - BEFORE_S) & (t <= t[live[-1]] + AFTER_S) & alone
    chosen = np.flatnonzero(inside)
    return rows.span(int(chosen[0]), int(chosen[-1]) + 1)


def bands(rows: Rows, x: NDArray[Any]) -> tuple[Band, ...]:
    """Beam on, held, and moving without beam, along x."""
    on = rows["permit"] > 0
    held = (rows["phase"] == Phase.BEAM) & (rows["hold"] == Hold.HOLD) & ~on
    moving = rows["phase"] == Phase.MOVE
    return (*_runs(on, x, BEAM_ON, "beam on"), *_runs(held, x, HELD, "hold"), *_runs(moving, x, MOVING, "moving"))


def _runs(mask: NDArray[np.bool_], x: NDArray[Any], color: str, name: str) -> Iterator[Band]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield Band(float(x[first]), float(x[min(end, len(x) - 1)]), color, name)


def session_chart(rows: Rows) -> str:
    """The whole run: dose rate, MU of the field in hand, gantry."""
    t = rows.t_s
    gantry = rows.axes()[0]
    panels = (
        Panel("MU/min", (Line("commanded", t, rows["rate_mu_per_s"] * 60, ASKED),), 70),
        Panel("MU", (Line("chamber 1", t, rows["mu_1"], SEEN),), 70),
        Panel(
            gantry.unit, (Line(gantry.name, t, rows.readback(gantry), "#3b7a57"),), 70, least_span=STILL[gantry.unit]
        ),
    )
    return chart("Session: dose rate, MU of the field in hand, gantry", "machine time, s", panels, bands(rows, t))


def dose_chart(rows: Rows) -> str:
    """One beam: dose rate, MU of both chambers, dose out of step, gantry."""
    t, rate = rows.t_s, measured_rate(rows)
    gantry = rows.axes()[0]
    off = rows["mu_1"] - rows["expected_mu"]
    panels = (
        Panel(
            "MU/min",
            (
                Line("rate, chamber 1", t, rate * 60, SEEN),
                Line("rate, commanded", t, rows["rate_mu_per_s"] * 60, ASKED),
            ),
            90,
        ),
        Panel("MU", (Line("chamber 2", t, rows["mu_2"], "#8fb0d3", 2.4), Line("chamber 1", t, rows["mu_1"], SEEN)), 90),
        Panel("MU", (Line("chamber 1 - commanded", t, off, ERROR),), 60, least_span=0.05),
        Panel(
            gantry.unit,
            (Line(f"{gantry.name}", t, rows.readback(gantry), "#3b7a57"),),
            70,
            least_span=STILL[gantry.unit],
        ),
    )
    return chart("Dose", "machine time, s", panels, bands(rows, t))


def measured_rate(rows: Rows) -> NDArray[np.float64]:
    """MU/s from chamber 1, mean over 0.2 s."""
    n = max(1, round(0.2 / rows.row_s))
    dose = np.concatenate([np.full(n, rows["mu_1"][0]), rows["mu_1"]]).astype(np.float64)
    return np.maximum(dose[n:] - dose[:-n], 0.0) / (n * rows.row_s)


def axis_chart(rows: Rows, axis: AxisColumns, against: str, limit: float | None = None, width: int = NARROW) -> str:
    """Setpoint and readback over error; `against` is "time" or "MU"."""
    rows = rows if against == "time" else rows.where(rows["phase"] == Phase.BEAM)
    x, label = (
        (rows.t_s, "machine time, s") if against == "time" else (np.maximum.accumulate(rows["mu_1"]), "MU, chamber 1")
    )
    asked, seen = rows.setpoint(axis), rows.readback(axis)
    limits = () if limit is None else (limit, -limit)
    panels = (
        Panel(
            axis.unit,
            (Line("setpoint", x, asked, ASKED, 2.2), Line("readback", x, seen, SEEN)),
            100,
            least_span=STILL[axis.unit],
        ),
        Panel(
            f"error, {axis.unit}", (Line("error", x, seen - asked, ERROR),), 60, limits, least_span=2 * LEAST[axis.unit]
        ),
    )
    return chart(axis.name, label, panels, bands(rows, x) if against == "time" else (), width)


def leaf_charts(rows: Rows) -> dict[str, str]:
    """Name -> SVG: errors of all leaves with beam on, against time and MU, and their RMS. Empty without leaves."""
    leaves = [axis for axis in rows.axes() if axis.is_leaf]
    on = rows.where(rows["permit"] > 0)
    if not leaves or not len(on):
        return {}
    errors = on.data[:, [a.readback for a in leaves]] - on.data[:, [a.setpoint for a in leaves]]
    names = tuple(axis.name for axis in leaves)
    rms, worst = np.sqrt(np.mean(errors**2, axis=0)), np.abs(errors).max(axis=0)
    title = "Leaf error, readback - setpoint, beam on"
    return {
        "leaf-rms": leaf_bars("RMS and worst error of every leaf, beam on", rms, worst, names),
        "leaf-error-time": leaf_map(title, "machine time, s", on.t_s, errors, names),
        "leaf-error-mu": leaf_map(title, "MU, chamber 1", np.maximum.accumulate(on["mu_1"]), errors, names),
    }


def apertures(rows: Rows, beam: Beam, truth: TargetTruth | None = None) -> list[str]:
    """Beam's-eye views at a few control points, evenly over the dose; with the target where that is known."""
    on = rows.where(rows["permit"] > 0)
    leaves = [axis for axis in rows.axes() if axis.is_leaf]
    if beam.leaf_boundaries_mm is None or not leaves or not len(on):
        return []
    asked, seen = [a.setpoint for a in leaves], [a.readback for a in leaves]
    found = []
    for index in np.searchsorted(on["mu_1"], np.linspace(0.05, 0.95, APERTURES) * on["mu_1"].max()):
        row = on.data[min(int(index), len(on) - 1)]
        gantry = float(row[on.axes()[0].readback])
        caption = f"CP {row[3]:.1f}, {row[8]:.1f} MU, gantry {gantry:.1f}"
        aperture = Aperture(caption, row[asked], row[seen], _jaws(on, row), beam.leaf_boundaries_mm)
        found.append(aperture if truth is None else with_target(aperture, truth, beam, on, row, gantry))
    half = _half(found)
    return [view(aperture, half) for aperture in found]


def with_target(a: Aperture, truth: TargetTruth, beam: Beam, rows: Rows, row: NDArray[Any], gantry_deg: float) -> Aperture:
    """Its outlines as this beam sees them, planned and true, and how far the true one is from the field's edge."""
    turn, couch = rows.axis("collimator"), float(np.nan_to_num(beam.couch[0][3]))
    collimator = float(row[turn.readback]) if turn else 0.0
    error = truth.error(int(np.abs(truth["t_s"] - row[0] * rows.cycle_s).argmin()))
    planned, true = (hull(beams_eye(planned_points(truth.outline, couch, e), gantry_deg, collimator)) for e in (None, error))
    pairs, sides = len(a.boundaries_mm) - 1, a.boundaries_mm
    opening = Opening(sides[:-1], sides[1:], a.seen_mm[pairs:], a.seen_mm[:pairs], a.jaws_mm)
    edges = [edge_mm(points, opening) for points in (planned, true)]
    # a modulated field shows a part of the target at a time: then the distance to an edge says nothing
    note = f"{edges[1]:.1f} mm to the edge, planned {edges[0]:.1f}" if edges[0] > 0.0 else ""
    return replace(a, planned_mm=planned, true_mm=true, note=note)


def _jaws(rows: Rows, row: NDArray[Any]) -> NDArray[np.float64]:
    """X1 X2 Y1 Y2, NaN where there is no such jaw."""
    axes = [rows.axis(name) for name in ("X1", "X2", "Y1", "Y2")]
    return np.array([row[a.readback] if a else np.nan for a in axes], np.float64)


def _half(found: list[Aperture]) -> float:
    """Half width that shows every field with some margin, a multiple of 10 mm."""
    edges = [np.abs(a.jaws_mm[np.isfinite(a.jaws_mm)]).max(initial=20.0) for a in found]
    return float(np.ceil((max(edges) + 12) / 10) * 10)


def beam_plots(rows: Rows, beam: Beam, limits: dict[str, float], truth: TargetTruth | None = None) -> dict[str, str]:
    """Name -> SVG of everything about one beam: dose, apertures, leaves, every other axis against time and MU."""
    found = (
        {"dose": dose_chart(rows)}
        | {f"aperture-{i + 1}": svg for i, svg in enumerate(apertures(rows, beam, truth))}
        | leaf_charts(rows)
    )
    for axis in rows.axes():
        if not axis.is_leaf:
            for against in ("time", "MU"):
                found[f"{axis.name}-{against}"] = axis_chart(rows, axis, against, limits.get(axis.name))
    return found


def write_plots(folder: Path, plots: dict[str, str], prefix: str) -> list[Path]:
    """SVG files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{prefix}-{name.replace(' ', '-').lower()}.svg" for name in plots]
    for path, svg in zip(paths, plots.values(), strict=True):
        replace_file(path, svg.encode())
    return paths
