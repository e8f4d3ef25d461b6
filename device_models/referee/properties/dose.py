"""A. Radiation: how much, how fast, how long. Doses are plant truth; limits go with the highest rate of the mode in hand."""

from typing import Any

import numpy as np

from ..columns import Flag
from ..judging.runs import before, pieces, run_length
from ..judging.table import CYCLE_MS, DT_S, Table
from ..judging.verdict import Verdict
from .catalogue import ANY, Property, joined
from .permits import since_first

WINDOW = 10  # cycles: 100 ms
MOST_OVER_MU = 25.0  # whatever has failed
GAIN_FAULTS = {"DOS-02": (1.5, 0.06), "DOS-05": (5.0, 0.1)}  # mode of fault -> MU, share of the prescription


def of_gain(table: Table, mu: np.ndarray) -> np.ndarray:
    """MU by which the dose may be wrong where a chamber that says too little is the fault; 0.0 where none is."""
    found = np.zeros_like(mu)
    for mode in table.facts.modes():
        if mode in GAIN_FAULTS:
            least, share = GAIN_FAULTS[mode]
            found = np.maximum(found, np.maximum(least, share * mu))
    return found


def allowed_over(table: Table) -> np.ndarray:
    """(n,) MU above the prescription, by how many faults have become effective."""
    p, per_ms = table.prescribed, table.scale * 0.01
    one = np.maximum(np.maximum(1.5, per_ms * 150.0), of_gain(table, p))
    more = np.minimum(np.maximum(np.maximum(5.0, 0.1 * p), one), MOST_OVER_MU)
    return np.select([table.faults == 0, table.faults == 1, table.faults == 2], [per_ms * 15.0 + 0.05, one, more], MOST_OVER_MU)


def left_mu(table: Table) -> np.ndarray:
    """(n,) MU left of what may go past the prescription."""
    left: np.ndarray = table.once(allowed_over, lambda: allowed_over(table)) - (table.field_mu - table.prescribed)
    return left


def bounded(it: Property, table: Table) -> Verdict:
    """SI-05."""
    return it.worst(table, lambda: table.once(bounded, lambda: left_mu(table)), "MU left of what may go past the prescription",
                    at_most=1e6,
                    looked=table.beam & (table.armed_at >= 0))


def second_alone(it: Property, table: Table) -> Verdict:
    """SI-06."""
    p = table.prescribed
    over = table["backup_mu"] >= p + np.maximum(1.0, np.minimum(0.05 * p, 10.0))
    return it.worst(table, lambda: 25.0 - since_first(over), "beam this long after the second channel had its fill: 25 ms",
                    at_most=25.0, looked=table.beam & over & (table.armed_at >= 0))


def channels_agree(it: Property, table: Table) -> Verdict:
    """SI-07."""
    split = np.abs(table["mu_1"] - table["mu_2"]) > np.maximum(1.0, 0.05 * table["mu_1"])
    after = split | ~np.isfinite(table["mu_1"] + table["mu_2"])
    prompt = it.worst(table, lambda: 35.0 - since_first(after), "beam this long after the channels came apart: 35 ms", at_most=35.0,
                      looked=table.beam & after)
    if not after.any():
        return prompt
    armed = np.maximum(table.armed_at, 0)
    stopped = np.cumsum(run_length(after & (table.armed_at >= 0)) == 3)
    again = table.beam & ~after & (stopped - stopped[armed] > 0)
    return joined([prompt, it.worst(table, -CYCLE_MS, "beam again in the same arming after the channels had come apart",
                                    at_most=35.0, looked=again)])


def rate_bounded(it: Property, table: Table) -> Verdict:
    """SI-08."""
    total, scale = table["total_mu"], table.scale
    given = total - np.concatenate([np.repeat(total[:1], min(WINDOW, len(total))), total[:-WINDOW]])[: len(total)]
    limit = 1.2 * 10.0 * scale * WINDOW * DT_S + 0.1
    over = given > limit
    verdicts = [it.worst(table, np.where(over, 0.0, limit - given), "MU left of what 100 ms may give", at_most=1e3,
                         looked=table.beam)]
    for first, last in pieces(over):
        more = total[first:last] - total[max(first - 1, 0)]
        left = np.full(len(table), np.inf)
        left[first:last] = np.where((np.arange(last - first) * CYCLE_MS > 25.0) & table.beam[first:last], -more,
                                    2.5 * scale[first:last] - more)
        verdicts.append(it.worst(table, left, "MU left of the 2.5 that may come after the rate was too high", at_most=1e3,
                                 looked=(left < np.inf)))
    return joined(verdicts)


def time_limit(it: Property, table: Table) -> Verdict:
    """SI-09."""
    on = table.has(Flag.PERMIT | Flag.CHANNEL)
    flowing = on & (np.maximum.accumulate(np.where(table.beam, np.arange(len(table)), -1)) > np.maximum.accumulate(
        np.where(on, -1, np.arange(len(table)))))
    verdicts = []
    for beam in table.facts.beams:
        mine = table.number == beam.number
        spent_s = np.cumsum(flowing & mine) * DT_S
        verdicts.append(it.worst(table, 1.1 * beam.planned_s + 1.0 - spent_s, f"beam-on time left of beam {beam.number}",
                                 at_most=1e6, looked=table.beam & mine))
    return joined(verdicts) if verdicts and table.beam.any() else it.apart("no beam of a plan")


def one_start(it: Property, table: Table) -> Verdict:
    """SI-15."""
    phase = table["phase"]
    starts = np.cumsum((phase == table.facts.beam_phase) & (before(phase, 0) != table.facts.beam_phase))
    armed = np.maximum(table.armed_at, 0)
    twice = table.beam & (starts - starts[armed] > 1)
    several = it.worst(table, -1.0, "a second start under one arming", at_most=1e6, looked=twice)
    return joined([several, backwards(it, table), bounded(it, table)])


def falls_for_good(table: Table, name: str) -> Any:
    """(n,) bool: this counter is lower than in both cycles before, and when the next pulse comes it still is."""
    last = before(table[name], -np.inf)
    level = np.minimum(last, before(last, -np.inf)) - 0.02
    fallen, lit = table[name] < level, np.flatnonzero(table.beam)
    for at in np.flatnonzero(fallen):
        following = lit[np.searchsorted(lit, at) :][:1]
        fallen[at] = not len(following) or following[0] <= at + 1 or not table[name][following[0] - 1] >= level[at]
    return fallen


def backwards(it: Property, table: Table) -> Verdict:
    """Counters may only grow within a field; where a fault takes one back, the beam is off 25 ms later.

    One reading that is too high and gone in the next cycle has taken nothing back; nor has one that is too low, and right again
    before the next pulse.
    """
    fallen = falls_for_good(table, "mu_1") | falls_for_good(table, "mu_2")
    fallen &= table.armed_at >= 0
    if fallen.any():
        fallen &= table.since(table.has(Flag.CLEAR_DOSE) | table.has(Flag.ARM)) > 1
    if not fallen.any():
        return it.far(1e6)
    since_ms = np.minimum(table.since(fallen), 10_000) * CYCLE_MS
    rearmed = np.arange(len(table)) - table.armed_at <= table.since(fallen)
    limit = np.where(table.unharmed, 5.0, 25.0)
    return it.worst(table, limit - since_ms - 10.0 * table.unharmed, "beam after a dose counter went backwards",
                    at_most=1e6, looked=table.beam & ~rearmed & (since_ms < 1e5) & (since_ms > 0.0))


DOSE = (
    Property("SI-05", "dose is bounded", "MU", ANY,
             "0.2 MU without a fault, 1.5 MU with one, max(5, 10 %) with two, 25 MU with more; at 600 MU/min",
             "true MU of a field over all its deliveries, against the plan; images against the preset", bounded),
    Property("SI-06", "the second channel terminates alone", "ms", 1, "P + max(1, min(5 %, 10 MU)): off in 25 ms",
             "the safety channel's own chamber", second_alone),
    Property("SI-07", "channel disagreement stops the beam", "ms", ANY, "1 MU or 5 %: off in 35 ms, latched",
             "both counters on the wire", channels_agree),
    Property("SI-08", "dose rate is bounded", "MU", 1, "20 % over 100 ms, then off in 25 ms and 2.5 MU at most",
             "true MU of every 100 ms, against the highest rate of the mode", rate_bounded),
    Property("SI-09", "time limit", "s", ANY, "1.1 x planned + 1 s",
             "time with both permits from the first pulse on, all deliveries of this run together", time_limit),
    Property("SI-15", "one start per arming, MU never restart", "MU", ANY, "as SI-05",
             "starts under one arming; counters on the wire; sums over deliveries in truth", one_start),
)
