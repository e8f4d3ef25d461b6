"""B. Geometry: where everything really was for every MU, against the plan file. The referee does its own interpolation."""

from typing import Any

import numpy as np

from ..judging.facts import BeamFact
from ..judging.runs import run_length
from ..judging.table import CYCLE_MS, Table
from ..judging.verdict import Verdict
from .catalogue import Property, joined
from .dose import of_gain

STATIC_DEG, ARC_DEG, COLLIMATOR_DEG, JAW_MM, LEAF_MM = 0.5, 1.0, 0.5, 1.0, 2.0
PIECE_MS, PIECE_MU, FIELD_MU, FIELD_SHARE = 40.0, 0.5, 2.0, 0.01
LEAF_RMS_MM, LEAF_FIELD_RMS_MM, RMS_CYCLES = 1.0, 0.5, 200
ANGLE_MU, ANGLE_SHARE, TURNS_DEG = 1.0, 0.01, 1.0
SAME_MU = 1e-6


def span(beam: BeamFact, values: Any, mu: Any, dose: Any) -> tuple[Any, Any]:
    """(lowest, highest) planned place while a cycle gave its dose; at a step without dose both its ends count."""
    if (values[1:] == values[0]).all():  # it stands still: whatever the dose
        place = values[0]
        return place, place
    at_mu = np.asarray(beam.cumulative_mu, float)
    low, high = None, None
    ends = np.clip(mu - dose, 0.0, at_mu[-1]), np.clip(mu, 0.0, at_mu[-1])
    for end in ends:
        for step in (SAME_MU, -SAME_MU):
            left = np.clip(np.searchsorted(at_mu, np.clip(end + step, 0.0, at_mu[-1])) - 1, 0, len(at_mu) - 2)
            width = at_mu[left + 1] - at_mu[left]
            share = np.clip(np.where(width > SAME_MU, (end - at_mu[left]) / np.maximum(width, SAME_MU), 1.0), 0.0, 1.0)
            share = share if np.ndim(values) == 1 else share[:, None]
            here = values[left] + share * (values[left + 1] - values[left])
            low = here if low is None else np.minimum(low, here)
            high = here if high is None else np.maximum(high, here)
    return low, high


def off(place: Any, low: Any, high: Any) -> Any:
    """Distance to the planned span; places that are not planned are right."""
    far = place - low
    far = np.abs(far, out=far) if high is low else np.maximum(np.maximum(place - high, -far), 0.0)
    return far if np.isfinite(far.max(initial=0.0)) else np.nan_to_num(far)


def shares(table: Table, beam: BeamFact, rows: Any) -> tuple[Any, Any, Any]:
    """((k,) worst deviation as a share of its tolerance, (k,) mean square of leaves mm2, names of the worst) of these rows."""
    mu, dose = table.field_mu[rows], table.dose[rows]
    turns = np.ptp(beam.gantry_deg) > TURNS_DEG
    found = {
        "gantry": off(table["gantry_deg"][rows], *span(beam, beam.gantry_deg, mu, dose)) / (ARC_DEG if turns else STATIC_DEG),
        "collimator": off(table["collimator_deg"][rows], *span(beam, beam.collimator_deg, mu, dose)) / COLLIMATOR_DEG,
    }
    jaws = off(table["jaw_mm"][rows][:, : beam.jaw_mm.shape[1]], *span(beam, beam.jaw_mm, mu, dose))
    found["jaws"] = jaws.max(axis=1, initial=0.0) / JAW_MM
    square = np.zeros(len(rows))
    if beam.leaf_mm is not None and table.leaves.shape[1] == beam.leaf_mm.shape[1]:
        leaves = off(leaf_places(table, rows), *span(beam, beam.leaf_mm, mu, dose))
        found["leaves"], square = leaves.max(axis=1) / LEAF_MM, np.square(leaves, out=leaves).mean(axis=1)
    names = list(found)
    stacked = np.stack([found[name] for name in names])
    return stacked.max(axis=0), square, np.array(names)[stacked.argmax(axis=0)]


def leaf_places(table: Table, rows: Any) -> Any:
    """(k, leaves) mm of rows with beam: a piece of the table of leaves, if they follow on each other."""
    at = table["leaf_row"][rows]
    return table.leaves[at[0] : at[-1] + 1] if (np.diff(at) == 1).all() else table.leaves[at]


def inside_tolerance(it: Property, table: Table) -> Verdict:
    """SI-20."""
    verdicts = []
    for beam in table.facts.beams:
        rows = np.flatnonzero(table.beam & (table.number == beam.number))
        if len(rows):
            verdicts.append(one_field(it, table, beam, rows))
    return joined(verdicts) if verdicts else it.apart("no beam of the plan")


def one_field(it: Property, table: Table, beam: BeamFact, rows: Any) -> Verdict:
    """All looks at one field, as shares of what is allowed that are left."""
    worst, square, names = shares(table, beam, rows)
    counts = table.faults[rows] <= it.holds_for
    worst, square = np.where(counts, worst, 0.0), np.where(counts, square, 0.0)
    dose, scale = table.dose[rows], np.maximum(table.scale[rows], 0.1)
    over = worst > 1.0
    pieces = np.cumsum(~over) * over
    in_piece = np.bincount(pieces, np.where(over, dose, 0.0))[pieces] * over
    time_left = 1.0 - run_length(over) * CYCLE_MS / PIECE_MS
    dose_left = 1.0 - in_piece / (PIECE_MU * scale)
    allowed = max(FIELD_MU, FIELD_SHARE * beam.mu) * scale
    field_left = 1.0 - np.cumsum(np.where(over, dose, 0.0)) / allowed
    left = np.where(over, np.minimum(np.minimum(np.minimum(time_left, dose_left), field_left), 0.0), 1.0 - worst)
    rms = np.sqrt(moving_mean(square, RMS_CYCLES))
    left = np.minimum(left, 1.0 - rms / LEAF_RMS_MM)
    weighted = float(np.sqrt((square * dose).sum() / max(dose.sum(), 1e-9)))
    left[-1] = min(left[-1], 1.0 - weighted / LEAF_FIELD_RMS_MM)
    margins = np.full(len(table), np.inf)
    margins[rows] = left
    at = int(np.argmin(left))
    text = f"beam {beam.number}: {names[at]} at {worst[at]:.2f} of its tolerance, leaves {weighted:.3f} mm RMS by MU"
    return it.worst(table, margins, text, at_most=1.0, looked=margins < np.inf)


def moving_mean(values: Any, width: int) -> Any:
    """Over the last `width`; what was before the first counts as zero, so that a first one alone says little."""
    total = np.cumsum(values)
    return (total - np.concatenate([np.zeros(min(width, len(total))), total[:-width]])[: len(total)]) / width


def dose_follows_angle(it: Property, table: Table) -> Verdict:
    """SI-21."""
    verdicts = []
    for beam in table.facts.beams:
        turned = np.diff(beam.gantry_deg)
        rows = np.flatnonzero(table.beam & (table.number == beam.number))
        if len(rows) and abs(turned.sum()) > TURNS_DEG and (np.all(turned > 0) or np.all(turned < 0)):
            verdicts.append(one_arc(it, table, beam, rows))
    return joined(verdicts) if verdicts else it.apart("no beam that turns all the way")


def one_arc(it: Property, table: Table, beam: BeamFact, rows: Any) -> Verdict:
    """MU left of what dose and angle may differ by."""
    sense = 1.0 if beam.gantry_deg[-1] > beam.gantry_deg[0] else -1.0
    planned = np.interp(sense * table["gantry_deg"][rows], sense * np.asarray(beam.gantry_deg), beam.cumulative_mu)
    apart = np.abs(table.field_mu[rows] - planned)
    limit = np.maximum(ANGLE_MU * np.maximum(table.scale[rows], 1.0), ANGLE_SHARE * beam.mu)
    limit = np.where(table.unharmed[rows], limit, np.maximum(limit, of_gain(table, table.prescribed)[rows]))
    left = limit - apart
    brief = run_length(left < 0.0) * CYCLE_MS <= 25.0
    margins = np.full(len(table), np.inf)
    margins[rows] = np.where((left < 0.0) & brief, 0.0, left)
    return it.worst(table, margins, f"beam {beam.number}: MU and angle", at_most=limit.max(), looked=margins < np.inf)


DELIVERY = (
    Property("SI-20", "beam only inside geometric tolerance", "share", 1,
             "gantry 0.5 deg, arcs 1.0; collimator 0.5 deg; jaws 1 mm; leaves 2 mm: 40 ms and 0.5 MU in a piece, max(2 MU, 1 %) a "
             "field; leaves 1.0 mm RMS over 2 s, 0.5 mm by MU",
             "own interpolation of the plan file at the true MU; the couch is judged by SI-04", inside_tolerance),
    Property("SI-21", "MU follow the angle", "MU", 1, "1 MU (goes with the rate) or 1 %, or a hold in 25 ms",
             "beams whose gantry turns one way all the time; a chamber that says too little (a fault) is wrong by as much as SI-05 "
             "allows for it", dose_follows_angle),
)
