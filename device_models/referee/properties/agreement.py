"""A. Radiation: the right patient, mode and prescription under the beam."""

import numpy as np

from ..columns import Flag
from ..judging.runs import before, run_length
from ..judging.table import CYCLE_MS, DT_S, Table, isin
from ..judging.verdict import Verdict
from .catalogue import ANY, Property, joined

OLDEST_S, OFF_MM, OFF_DEG, CROSSED_MM, CROSSED_MS = 900.0, 1.0, 0.5, 0.5, 60.0
ENERGY_SHARE, MOVING_MS = 0.03, 20.0


def off_from(table: Table, couch: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """((n,) mm, (n,) deg) of the couch, in truth, from a place; axes that are not fitted or not asked for count as there."""
    off = np.nan_to_num(table["couch"].astype(float) - np.array(couch))
    return np.sqrt((off[:, :3] ** 2).sum(axis=1)), np.abs(off[:, 3:]).max(axis=1)


def verified_position(it: Property, table: Table) -> Verdict:
    """SI-04."""
    facts = table.facts
    if not facts.needs_position:
        return it.apart("this workflow approves no position")
    token = before(table["token_cycle"], -1)
    looked = table.beam & (table.has(Flag.TOKEN_NEEDED) | table.of_plan)
    if not looked.any():
        return it.apart("no beam of the plan")
    margins = np.full(len(table), -OFF_MM)  # a beam of no approval
    for given in facts.approvals:
        mine = (token == given.image_cycle) & (table["cycle"] > given.cycle)
        right = given.patient == facts.patient and given.plan == facts.plan and given.cycle >= given.image_cycle
        if right:
            margins = np.where(mine, place_left(table, given.couch), margins)
    age_s = (table["cycle"] - token) * DT_S
    margins = np.where(age_s <= OLDEST_S, margins, -OFF_MM)
    return it.worst(table, margins, "mm that the couch had left to where it was approved; -1: no approval, or images too old",
                    at_most=OFF_MM, looked=looked)


def place_left(table: Table, couch: tuple[float, ...]) -> np.ndarray:
    """(n,) mm in hand; after a crossing up to 0.5 mm more for 60 ms count as none in hand, and not as a violation."""
    mm, deg = off_from(table, couch)
    left = np.minimum(OFF_MM - mm, 2.0 * (OFF_DEG - deg))
    brief = run_length(table.beam & (left < 0.0)) * CYCLE_MS <= CROSSED_MS
    return np.where((left < 0.0) & (left >= -CROSSED_MM) & brief, 0.0, left)


def mode_agrees(it: Property, table: Table) -> Verdict:
    """SI-10."""
    if not table.beam.any():
        return it.apart("no beam")
    wanted = table["mode"].copy()
    for beam in table.facts.beams:
        wanted[table.number == beam.number] = beam.mode
    off = np.abs(table["energy"].astype(float) - 1.0)
    misplaced = (table["place"] != wanted) | (table["accessory"] != 0) | (table["mode"] != wanted)
    left = np.where(misplaced, -ENERGY_SHARE, ENERGY_SHARE - off)
    wrong = left < 0.0
    brief = run_length(wrong) * CYCLE_MS <= MOVING_MS  # it has left its place just now, during the beam or as that began
    text = "share of energy left; -0.03: target, filter or accessory is not the plan's"
    return it.worst(table, np.where(wrong & brief, 0.0, left), text, at_most=ENERGY_SHARE, looked=table.beam)


def approved_is_delivered(it: Property, table: Table) -> Verdict:
    """SI-11."""
    if not table.beam.any():
        return it.apart("no beam")
    changed = table["prescription"] != table.at_arming("prescription")
    unequal = np.abs(table["loaded_mu"] - table.prescribed) > 0.0011
    wrong = table.beam & (before(changed, False) | unequal)
    pulses = it.worst(table, -CYCLE_MS, "beam with another prescription than was armed, or than the plan's", at_most=20.0,
                      looked=wrong)
    busy = isin(table["phase"], (table.facts.beam_phase, table.facts.armed_phase)) & changed & (table.armed_at >= 0)
    late = it.worst(table, 20.0 - run_length(busy) * CYCLE_MS, "still armed this long after an edit: 20 ms", at_most=20.0,
                    looked=busy)
    return joined([pulses, late])


AGREEMENT = (
    Property("SI-04", "no beam without a verified patient position", "mm", 1, "900 s; 1 mm, 0.5 deg; 60 ms and 0.5 mm more",
             "the couch in truth against the approval in force, whose patient and plan are the session's", verified_position),
    Property("SI-10", "mode agreement", "share of energy", 1, "3 %; 20 ms from where it goes wrong",
             "carousel, bending magnet and tray in truth, against the plan", mode_agrees),
    Property("SI-11", "what was approved is what is delivered", "ms", ANY, "no pulse; 20 ms to leave ARMED",
             "prescription as armed, and the channel's preset in force against the plan's MU; the shape is judged by SI-20",
             approved_is_delivered),
)
