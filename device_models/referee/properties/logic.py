"""D. The interlock logic and the record: latches, counters, causes, and what is on paper."""

from typing import Any

import numpy as np

from ..columns import Flag
from ..judging.runs import before, falls, run_length
from ..judging.table import CYCLE_MS, Table
from ..judging.verdict import Verdict
from .catalogue import ANY, Property, joined
from .dose import allowed_over

RECORD_MS, RECORD_MU, FINAL_MU, FINAL_SHARE = 100.0, 0.1, 0.5, 0.005
SET = "CTL-09"  # sets the counters: that they are another number then is the fault, all that comes of it is not
CAUSE_CYCLES = 2  # between the fall of a permit and its cause
SILENT_CYCLES = 3  # who has not answered for so long is taken for dead by others, too


def rows_latch(it: Property, table: Table) -> Verdict:
    """SI-26."""
    verdicts = [it.held(1e4, "no row fell")]
    resets: dict[str, list[int]] = {}
    for reset in table.facts.resets:
        resets.setdefault(reset.row, []).append(reset.cycle)
    for i in table.ever_latched:
        verdicts.append(one_row(it, table, i, table.latched(i), np.array(resets.get(table.facts.rows[i].id, []))))
    return joined(verdicts)


def one_row(it: Property, table: Table, i: int, state: np.ndarray, resets: np.ndarray) -> Verdict:
    """Every fall of a row that latches has a reset; one that clears by itself has held for as long as it has to."""
    row, cycle = table.facts.rows[i], table["cycle"]
    margins, length = np.full(len(table), np.inf), run_length(state)
    for at in falls(state).tolist():
        begun = int(cycle[at - int(length[at - 1])])
        by_hand = bool(((resets >= begun) & (resets <= cycle[at])).any())
        if not by_hand:
            left = (int(length[at - 1]) - row.clear_cycles) * CYCLE_MS
            margins[at] = -CYCLE_MS if row.latched else min(left, longest_left(row.longest_cycles, int(length[at - 1])))
    return it.worst(table, margins, f"{row.id}: cleared without a reset, or sooner than it may", at_most=1e4,
                    looked=margins < np.inf)


def longest_left(longest: int, length: int) -> float:
    """ms left of how long a routine row may have been in force and still clear by itself; two cycles for the look at it."""
    return (longest + 2 - length) * CYCLE_MS if longest else 1e4


def checks_run(it: Property, table: Table) -> Verdict:
    """SI-27."""
    short = table.has(Flag.ALIVE) & (table["evaluated"] < len(table.facts.rows))
    gap = it.worst(table, lambda: 2.0 - run_length(short), "cycles in which not every row was looked at, and nothing tripped: 2",
                   at_most=2.0, looked=short & ~table.inhibited)
    steps, clock = np.diff(table["cycle"]), np.diff(table["clock"])
    back = 1 + before(run_length(~table.has(Flag.ALIVE)), 0)[1:]  # who was away knows what time it is
    counts = it.worst(table, -1.0, "a cycle counter that does not count by one", at_most=2.0,
                      looked=np.concatenate([[False], (steps != 1) | ((clock != back) & (clock != 0))]) & ~table.begun(SET, 1))
    return joined([gap, counts])


def as_said(table: Table) -> Any:
    """(n,) bool: the controller's permit; an old frame in between, known by its stamp, is not what the controller says."""
    fresh = np.where(table.has(Flag.OLD), -1, np.arange(len(table)))
    latest = np.maximum.accumulate(fresh)
    return table.has(Flag.PERMIT)[np.maximum(latest, 0)] & (latest >= 0)


def causes_known(it: Property, table: Table) -> Verdict:
    """SI-28."""
    facts = table.facts
    permit, channel = as_said(table), table.has(Flag.CHANNEL)
    known = np.array(sorted(cause.cycle for cause in facts.causes), np.int64)
    named = {cause.cycle for cause in facts.causes if cause.text}
    margins = np.full(len(table), np.inf)
    done = table["record_mu"] >= table["end_mu"] - 0.2 * np.maximum(table.scale, 1.0)
    with_permit = falls(channel)[before(permit, False)[falls(channel)]]
    lives = (run_length(~table.has(Flag.ALIVE)) == 0) & (run_length(~table.has(Flag.HEARTBEAT)) < SILENT_CYCLES)
    hot = before(table.has(Flag.HV_ON), False)  # where no beam can come of it a permit that falls is a wire that was stuck
    for at in [*falls(permit)[hot[falls(permit)]].tolist(), *with_permit.tolist()]:
        if done[at] or not lives[max(at - 1, 0) : at + CAUSE_CYCLES + 1].all():  # a cause may come as late
            continue
        cycle = int(table["cycle"][at])
        near = known[np.abs(known - cycle) <= CAUSE_CYCLES]
        if not len(near):
            margins[at] = -CYCLE_MS
        else:
            margins[at] = CYCLE_MS if any(int(k) in named for k in near) else -CYCLE_MS
    return it.worst(table, margins, "a permit fell, and no cause is on record for it", at_most=CYCLE_MS, looked=margins < np.inf)


def record_true(it: Property, table: Table) -> Verdict:
    """SI-30."""
    if not table.beam.any():
        return it.apart("no beam")
    true, on_record = table.field_mu, table["record_mu"]
    looked = table.beam & table.of_plan & table.has(Flag.ALIVE)
    extra = np.where(table.unharmed, 0.0, table.once(allowed_over, lambda: allowed_over(table)))
    chamber = np.maximum(RECORD_MU, FINAL_SHARE * true)
    behind = on_record - (true - table.scale * 10.0 * RECORD_MS / 1000.0 - chamber - extra)
    ahead = true + chamber + extra - on_record
    verdicts = [it.worst(table, np.minimum(behind, ahead), "MU between truth and the record, in hand", at_most=1e3, looked=looked)]
    for beam in table.facts.beams:
        mine = np.flatnonzero(table.number == beam.number)
        if beam.recorded_mu is not None and len(mine) and table.faults[-1] == 0:
            given = beam.start_mu + float(table.dose[mine].sum())
            limit = max(FINAL_MU, FINAL_SHARE * given)
            verdicts.append(it.worst(table, limit - abs(beam.recorded_mu - given),
                                     f"beam {beam.number}: delivered record against truth", at_most=limit))
    return joined(verdicts)


LOGIC = (
    Property("SI-26", "interlocks latch", "ms", ANY, "reset by hand; routine rows after 200 ms, at most 5 s",
             "every fall of a row against the resets on record, and against what its declaration allows", rows_latch),
    Property("SI-27", "every check runs every cycle", "cycles", ANY, "2 cycles",
             "rows looked at against rows declared; both cycle counters, but for the cycle in which a fault sets them (CTL-09)",
             checks_run),
    Property("SI-28", "first-out and cause", "ms", ANY, "10 ms",
             "every fall of a permit in a field while the controller answers: a trip or a hold with a text "
             "within two cycles", causes_known),
    Property("SI-30", "the record is true", "MU", ANY, "100 ms of dose and 0.1 MU; at the end 0.5 MU or 0.5 %",
             "the journal in every cycle with beam; a chamber may be 0.5 % off, more with a fault (SI-05)", record_true),
)

