"""C. Imaging and the shift: images, approvals and couch moves, from what is on record, against the couch in truth."""

import numpy as np

from ..columns import Flag
from ..judging.runs import before, run_length
from ..judging.table import CYCLE_MS, Table
from ..judging.verdict import Verdict
from .agreement import OFF_DEG, OFF_MM, off_from
from .catalogue import ANY, Property, joined

ARM_MM, IMAGE_MOVED_MM, SECOND_MM, SECOND_DEG, REFUSED_MM = 10.0, 0.5, 20.0, 3.0, 50.0
ENDS_MS = 50.0
FIRES, FIRED_CYCLES = ("IMG-02", "IMG-14"), 3  # a tube that fires by itself, and how long until it can have been stopped


def kv_on_request(it: Property, table: Table) -> Verdict:
    """SI-22."""
    exposures = table["kv_exposures"]
    fired = np.any([table.begun(mode, FIRED_CYCLES) for mode in FIRES], axis=0)
    shot = (exposures > before(exposures, exposures[0] if len(exposures) else 0)) & ~fired
    if not shot.any():
        return it.apart("no kV exposure")
    unasked = it.worst(table, (table["kv_asked"] - exposures).astype(float), "exposures that nobody had asked for", at_most=1e3,
                       looked=shot & (table["kv_asked"] < exposures))
    open_door = it.worst(table, -1.0, "exposure with the door open", at_most=1e3,
                         looked=shot & ~table.has(Flag.DOOR) & ~before(table.has(Flag.DOOR), True))
    verdicts = [unasked, open_door]
    if not table.facts.kv_with_beam:
        verdicts.append(it.worst(table, -1.0, "exposure with the beam on", at_most=1e3,
                                 looked=shot & table.beam & before(table.beam, False)))
    if table.facts.kv_place_mm is not None and "kv_arms" not in table.facts.outside:
        arms = np.abs(table["kv_arm_mm"][:, :2].astype(float) - np.array(table.facts.kv_place_mm)).max(axis=1)
        verdicts.append(it.worst(table, ARM_MM - arms, "mm left to where the arms image from", at_most=ARM_MM, looked=shot))
    return joined(verdicts)


def image_belongs(it: Property, table: Table) -> Verdict:
    """SI-23."""
    facts = table.facts
    if not facts.approvals:
        return it.apart("nothing was approved from images")
    verdicts = []
    for given in facts.approvals:
        newest = max((image.cycle for image in facts.images if image.cycle <= given.cycle), default=-1)
        right = (given.patient == facts.patient and given.plan == facts.plan and given.reference_patient == facts.patient
                 and newest == given.image_cycle and any(given.uids == image.uids for image in facts.images))
        first, last = table.row_of(given.image_cycle), table.row_of(given.cycle)
        couch = np.nan_to_num(table["couch"][first : last + 1, :3].astype(float))
        moved = float(np.sqrt(((couch - couch[0]) ** 2).sum(axis=1)).max())
        margins = np.full(len(table), np.inf)
        margins[last] = IMAGE_MOVED_MM - moved if right else -IMAGE_MOVED_MM
        verdicts.append(it.worst(table, margins, "mm left that the couch may move between image and approval; -0.5: not its image",
                                 at_most=IMAGE_MOVED_MM, looked=margins < np.inf))
    return joined(verdicts)


def shift_once(it: Property, table: Table) -> Verdict:
    """SI-24."""
    if not table.facts.shifts:
        return it.apart("no couch shift")
    verdicts = []
    for shift in table.facts.shifts:
        first, last = table.row_of(shift.first_cycle), table.row_of(shift.last_cycle)
        couch = np.nan_to_num(table["couch"].astype(float))
        went = couch[last] - couch[first] - np.array(shift.change)
        off_mm, off_deg = float(np.sqrt((went[:3] ** 2).sum())), float(np.abs(went[3:]).max())
        left = min(OFF_MM - off_mm, 2.0 * (OFF_DEG - off_deg))
        token_gone = table["token_cycle"][last:] < 0
        beam_after = bool((table.beam[last:] & ~token_gone).any())
        left = left if beam_after or left >= 0.0 else 0.0  # void: nobody may use it, and nobody did
        mm, deg = float(np.sqrt((np.array(shift.change[:3]) ** 2).sum())), max(abs(v) for v in shift.change[3:])
        second = (mm > SECOND_MM or deg > SECOND_DEG) and shift.people < 2
        left = -OFF_MM if second or mm > REFUSED_MM else left
        margins = np.full(len(table), np.inf)
        margins[last] = left
        verdicts.append(it.worst(table, margins, f"shift of {mm:.1f} mm: off by {off_mm:.2f} mm, {off_deg:.2f} deg", at_most=OFF_MM,
                                 looked=margins < np.inf))
    ordered = [shift.first_cycle for shift in table.facts.shifts]
    twice = len(ordered) - len({*ordered})
    return joined([*verdicts, *([it.worst(table, -OFF_MM, "one approval, two shifts", at_most=OFF_MM)] if twice else [])])


def approval_dies(it: Property, table: Table) -> Verdict:
    """SI-25."""
    facts = table.facts
    if not facts.needs_position or not facts.approvals:
        return it.apart("no approval in this run")
    inhibited = table.inhibited
    verdicts = []
    for given in facts.approvals:
        mine = (table["token_cycle"] == given.image_cycle) & (table["cycle"] > given.cycle)
        mm, deg = off_from(table, given.couch)
        moved = mine & ((mm > OFF_MM) | (deg > OFF_DEG))
        alive = moved & ~inhibited
        verdicts.append(it.worst(table, ENDS_MS - run_length(alive) * CYCLE_MS,
                                 "approval in force this long after the couch moved: 50 ms", at_most=ENDS_MS, looked=alive))
        ended = np.cumsum(run_length(moved) * CYCLE_MS == ENDS_MS) > 0
        revived = mine & ended & table.beam
        verdicts.append(it.worst(table, -CYCLE_MS, "beam on an approval that a couch move had ended", at_most=ENDS_MS,
                                 looked=revived))
    return joined(verdicts)


IMAGING = (
    Property("SI-22", "kV only on request", "mm", 1, "requested, door closed, arms in place, no beam",
             "the generator's own count against what was asked for, but for 30 ms of a tube that fires by itself (IMG-02, IMG-14); "
             "mAs are as set by construction", kv_on_request),
    Property("SI-23", "an image belongs to what it is used for", "mm", 1, "0 exceptions; 0.5 mm",
             "every approval: patient, plan, reference CT, newest acquisition; the couch in truth from image to approval",
             image_belongs),
    Property("SI-24", "a shift is applied once, fully and as approved", "mm", ANY,
             "1 mm, 0.5 deg; 20 mm or 3 deg: two people; 50 mm: never",
             "couch in truth before and after against the approved change", shift_once),
    Property("SI-25", "approval dies with motion", "ms", 1, "50 ms; not revived by coming back",
             "couch in truth against the approved place; skin and staff are judged by the controller's own rows", approval_dies),
)
