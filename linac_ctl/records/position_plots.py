"""The target over a session: the truth, what the images showed of it, and when the beam was on."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from linac_ctl.imaging.couch_shift import planned_pose
from linac_ctl.imaging.pose import of_six

from .charts import SEEN, TARGET, Band, Dots, Line, Mark, Panel, chart
from .result import Result
from .target import Floats, TargetTruth

BEAM_ON, FOUND, MATCHED = "#fff3c4", "#1f8a5b", "#e08a00"
PAUSE_S = 45.0  # between two triggered images: nobody knows what was between
ZOOM_MM, FAR_MM = 2.0, 30.0
AXES = ("X left", "Y head", "Z ant.")


def position_chart(truth: TargetTruth, result: Result, limit_mm: float | None, angles_deg: Floats) -> str:
    """SVG. Above: the distance, all of it. Below: three directions, as closely as they matter. `limit_mm`: during the beam."""
    t, off = truth["t_s"], truth.off_mm
    zoom = max(ZOOM_MM, 1.3 * float(np.abs(off[truth.on]).max(initial=0.0)))
    matched, found = matches(truth, result, angles_deg), [k for k in result.tracked if k.off_mm is not None]
    limits = () if limit_mm is None else (limit_mm,)
    panels = [Panel("distance, mm", (Line("truth", t, hidden(truth.length_mm, FAR_MM), TARGET, 1.6),), 90, limits,
                    dots=_dots(matched, None))]
    for axis, name in enumerate(AXES):
        panels.append(Panel(f"{name}, mm", (Line("truth", t, hidden(off[:, axis], zoom), TARGET, 1.6),), 74, least_span=1.0,
                            dots=_dots(matched, axis, zoom)))
    if found:
        panels += view_panels(truth, found, angles_deg)
    marks = [Mark(s.t_s, f"shift {k}", SEEN) for k, s in enumerate(result.shifts, 1)]
    return chart("Target from its planned place, patient's axes: truth and what images showed", "machine time, s", tuple(panels),
                 tuple(bands(truth)), marks=tuple(marks))


def view_panels(truth: TargetTruth, found: list[Any], angles_deg: Floats) -> list[Panel]:
    """What triggered images show across their panels and along them (Y), and the truth in those very directions."""
    source = np.radians([k.gantry_deg + 90.0 for k in found])
    true = np.array([at(truth, k.t_s, angles_deg) for k in found])
    seen = {"across": true[:, 0] * np.cos(source) - true[:, 2] * np.sin(source), "along": true[:, 1]}
    panels = []
    for uv, (name, along) in enumerate(seen.items()):
        dots = Dots("found in triggered images", times(found), np.array([k.off_mm[uv] for k in found]), FOUND)
        panels.append(Panel(f"{name}, mm", (Line("truth", *by_beam(found, along), TARGET, 1.6),), 74, least_span=1.0, dots=(dots,)))
    return panels


def by_beam(found: list[Any], values: Floats) -> tuple[Floats, Floats]:
    """x and y of a line with a gap between beams, and where one was interrupted."""
    t = times(found)
    ends = np.flatnonzero((np.diff([k.beam for k in found]) != 0) | (np.diff(t) > PAUSE_S)) + 1
    return np.insert(t, ends, t[ends - 1]), np.insert(values, ends, np.nan)


def at(truth: TargetTruth, t_s: float, angles_deg: Floats) -> Floats:
    """(3,) mm in the fixed frame, at the sample nearest in time."""
    k = int(np.abs(truth["t_s"] - t_s).argmin())
    turn = planned_pose(nearest(angles_deg, truth["couch_rotation_deg"][k])).matrix
    out: Floats = turn @ truth.outline.lying @ truth.off_mm[k]
    return out


def nearest(angles_deg: Floats, couch_deg: float) -> float:
    """The couch angle of the plan that is meant."""
    return float(angles_deg[np.abs(angles_deg - couch_deg).argmin()])


def matches(truth: TargetTruth, result: Result, angles_deg: Floats) -> list[tuple[float, Floats]]:
    """(machine time, (3,) mm of the target's centre, patient's axes) of every match."""
    images = {image.uids: image for image in result.images}
    found = []
    for match in result.matches:
        if (image := images.get(match.image_uids)) is not None:
            turn = planned_pose(nearest(angles_deg, image.couch[3])).matrix @ truth.outline.lying
            place = turn @ truth.outline.centre_mm
            found.append((image.t_s, turn.T @ (of_six(match.error).apply(place) - place)))
    return found


def _dots(matched: list[tuple[float, Floats]], axis: int | None, most: float = FAR_MM) -> tuple[Dots, ...]:
    if not matched:
        return ()
    values = np.array([float(np.linalg.norm(d)) if axis is None else float(d[axis]) for _, d in matched])
    return (Dots("match", np.array([t for t, _ in matched]), hidden(values, most), MATCHED),)


def hidden(values: Floats, most: float) -> Floats:
    """NaN where it is so far off that it would squeeze all else."""
    out: Floats = np.where(np.abs(values) <= most, values, np.nan)
    return out


def times(found: list[Any]) -> Floats:
    """Of the exposures."""
    return np.array([k.t_s for k in found], float)


def bands(truth: TargetTruth) -> Iterator[Band]:
    """Beam on."""
    t = truth["t_s"]
    on = truth.on.copy()
    on[1:-1] |= on[:-2] & on[2:]  # a pulse that one sample missed is no pause
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.astype(np.int8), [0]))))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield Band(float(t[first]), float(t[min(end, len(t) - 1)]), BEAM_ON, "beam on")
