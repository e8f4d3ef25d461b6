"""A. Radiation: who may say yes, and how soon a no is heard. Times are counted in cycles of 10 ms."""

from typing import Any

import numpy as np

from ..columns import QUIET_CYCLES, Flag
from ..judging.runs import before, pieces, run_length
from ..judging.table import CYCLE_MS, Table, isin
from ..judging.verdict import Verdict
from .catalogue import ANY, Property, joined

ALLOWED = Flag.PERMIT | Flag.CHANNEL | Flag.CHAIN
ALL_TESTED = 63
STALE_CYCLES, LOST_CYCLES = 3, 10
STUCK_MS = 40.0  # what sticks is stopped by other means


def since_first(so: Any) -> Any:
    """(n,) ms for which this has been so; 0 in the first cycle of it."""
    return (run_length(so) - 1) * CYCLE_MS


def back_ms(table: Table, forbidden: Any) -> Any:
    """(n,) ms for which pulses without a permit have been back, by a fault, while this forbids them; 0 where they are no such.

    A pulse with a permit is the controller's, whatever is wrong elsewhere.
    """
    stray = table.beam & ~table.has(ALLOWED) & ~table.unharmed
    begins = stray & forbidden & (before(run_length(~table.beam), QUIET_CYCLES) >= QUIET_CYCLES)
    found = np.zeros(len(table))
    for first, last in pieces(forbidden) if begins.any() else ():
        at = np.flatnonzero(begins[first:last])
        if len(at):
            found[first + at[0] : last] = CYCLE_MS * np.arange(1, last - first - at[0] + 1)
    return np.where(stray, found, 0.0)


def left_ms(table: Table, forbidden: Any, limit_ms: float) -> Any:
    """(n,) until the beam has to be off; one that a fault brings back later is stopped as fast as under SI-02."""
    back = back_ms(table, forbidden)
    return np.maximum(limit_ms - since_first(forbidden), np.where(back > 0.0, STUCK_MS - 5.0 - back, -np.inf))


def no_beam_with_interlock(it: Property, table: Table) -> Verdict:
    """SI-01."""
    inhibited, chain = table.inhibited, ~(table.has(Flag.CHAIN) & table.has(Flag.CHANNEL))
    found = [it.worst(table, lambda: left_ms(table, inhibited, 20.0), "beam this long after an interlock: 20 ms", at_most=20.0,
                      reached=True, looked=table.beam & inhibited),
             it.worst(table, lambda: 10.0 - since_first(chain), "beam this long after chain or channel fell: 10 ms", at_most=20.0,
                      reached=True, looked=table.beam & chain)]
    return joined(found)


def every_permit(it: Property, table: Table) -> Verdict:
    """SI-02."""
    allowed = table.has(ALLOWED) & ~table.has(Flag.OLD)
    first = table.beam & ~before(table.beam, False) & allowed & table.unharmed  # a trigger that sticks does not wait for two cycles
    settled = it.worst(table, lambda: since_first(allowed) - 20.0, "permits stood this much longer than 20 ms before a first pulse",
                       at_most=1e4, looked=first)
    without = table.beam & ~allowed

    def left() -> Any:
        without_ms = run_length(without) * CYCLE_MS
        return np.where(table.unharmed, 5.0 - without_ms, STUCK_MS - without_ms - 5.0)

    pulse = it.worst(table, left, "pulses without all permits", at_most=5.0, looked=without)
    return joined([pulse, settled])


def one_armed_session(it: Property, table: Table) -> Verdict:
    """SI-03."""
    if not table.beam.any():
        return it.apart("no beam")
    on = table["phase"] == table.facts.beam_phase
    outside = ~on & ~before(on, table.facts.beam_phase == 0) & table.has(Flag.ALIVE)
    changed = (table["session"] != table.at_arming("session")) | (table.armed_at < 0)
    wrong = table.beam & (outside | changed)
    return it.worst(table, lambda: np.where(table.unharmed, 5.0, STUCK_MS) - run_length(wrong) * CYCLE_MS,
                    "beam outside BEAM_ON, or of another session than was armed",
                    at_most=5.0, looked=wrong)


def dead_controller(it: Property, table: Table) -> Verdict:
    """SI-12."""
    silent = np.maximum(run_length(~table.has(Flag.HEARTBEAT)), run_length(~table.has(Flag.ALIVE))) * CYCLE_MS
    return it.worst(table, 60.0 - silent, "beam this long after the last sign of life: 60 ms", at_most=60.0, reached=True,
                    looked=table.beam)


def stale_data(it: Property, table: Table) -> Verdict:
    """SI-13."""
    stale, lost = table["age_cycles"] >= STALE_CYCLES, table["age_cycles"] >= LOST_CYCLES
    hot = lost & table.has(Flag.HV_ON | Flag.ALIVE) & isin(table["phase"], (table.facts.beam_phase, table.facts.armed_phase))
    without = table.beam & ~table.has(ALLOWED)

    def left() -> Any:
        stuck = np.where(without & ~table.unharmed, STUCK_MS - 5.0 - run_length(without) * CYCLE_MS, -np.inf)
        return np.maximum(10.0 - since_first(stale), stuck)

    return joined([
        it.worst(table, left, "beam this long after a reading was 30 ms old: 10 ms", at_most=10.0,
                 reached=True, looked=table.beam & stale),
        it.worst(table, lambda: 10.0 - since_first(hot), "high voltage this long after a reading was 100 ms old: 10 ms",
                 at_most=10.0, reached=True, looked=hot)])


def safe_from_cold(it: Property, table: Table) -> Verdict:
    """SI-14."""
    if not table.beam.any():
        return it.apart("no beam")
    tested, mains = table["passed"] == ALL_TESTED, table.has(Flag.MAINS)
    wrong = ~tested | (table.armed_at < 0)
    if not mains.all():
        wrong |= np.arange(len(table)) - table.armed_at > table.since(~mains)
    left = np.where(wrong, -CYCLE_MS, since_first(tested))
    return it.worst(table, left, "time from the self-test to a pulse; below zero: a pulse without", at_most=1e4,
                    looked=table.beam)


def trip_beats_everything(it: Property, table: Table) -> Verdict:
    """SI-29."""
    inhibited = table.tripped
    if not inhibited.any():
        return it.held(20.0, "nothing tripped")
    late = since_first(inhibited)
    alone = table.unharmed | table.has(Flag.CHANNEL | Flag.HV_ON)  # a wire that is stuck says nothing without either
    limit = np.where(table.unharmed, 20.0, 60.0)
    permit = it.worst(table, limit - late, "permit this long after a trip: 20 ms", at_most=20.0,
                      looked=inhibited & (late > 0) & table.has(Flag.PERMIT) & ~table.has(Flag.OLD) & alone)
    beam = it.worst(table, lambda: left_ms(table, inhibited, 25.0), "beam this long after a trip: 25 ms", at_most=25.0,
                    looked=inhibited & (late > 0) & table.beam)
    return joined([permit, beam])


PERMITS = (
    Property("SI-01", "no radiation while an interlock holds", "ms", ANY, "20 ms; after chain or channel 10 ms",
             "rows that forbid beam, by their declaration or by what the controller says; contacts and channel, in truth; a "
             "trigger that sticks (a fault) during a hold is stopped within 40 ms",
             no_beam_with_interlock),
    Property("SI-02", "radiation needs every permit", "ms", ANY, "5 ms; two cycles before the first pulse",
             "a hold is a permit that is low here; a trigger that sticks (a fault) does not wait, and is stopped otherwise within "
             "40 ms",
             every_permit),
    Property("SI-03", "radiation only in BEAM_ON of one armed session", "ms", ANY, "5 ms",
             "the phase at either end of the cycle; the session as it was at the last arming; what sticks (a fault) is stopped "
             "within 40 ms",
             one_armed_session),
    Property("SI-12", "a dead controller stops the beam", "ms", ANY, "60 ms",
             "right answers to the challenge, counted by the referee, and the controller's clock", dead_controller),
    Property("SI-13", "stale data stop the beam", "ms", ANY, "30 ms: hold in 10 ms; 100 ms: off in 10 ms",
             "age by the stamp of the oldest node; a fresh stamp on old readings is judged by where things are; pulses without a "
             "permit, of a trigger that sticks, as under SI-02", stale_data),
    Property("SI-14", "safe from cold", "ms", ANY, "no pulse before the self-test",
             "the channel's own list of checks that have acted, since power came back and since arming", safe_from_cold),
    Property("SI-29", "a trip beats everything", "ms", ANY, "permit low in 20 ms, beam off in 25 ms",
             "from the first row in force that forbids beam by its declaration; a permit that sticks (a fault) counts until the "
             "channel opens, 60 ms", trip_beats_everything),
)
