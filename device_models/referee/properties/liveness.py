"""E. Liveness and availability."""

import numpy as np

from ..judging.runs import changes
from ..judging.table import DT_S, Table
from ..judging.verdict import Verdict
from .catalogue import ANY, Property

RECOVERS_S = 60.0
HARD = ("H", "T", "M")


def no_false_trips(it: Property, table: Table) -> Verdict:
    """LV-1."""
    facts = table.facts
    if facts.injected:
        return it.apart("faults were injected")
    if facts.provoked:
        return it.apart(f"not a run without disturbance: {', '.join(facts.provoked)}")
    hard = table.any_row([row.kind in HARD for row in facts.rows])
    if facts.outside and hard.any():
        return it.apart(f"{', '.join(facts.outside)} outside this process: what went wrong there is not known here")
    return it.worst(table, -1.0, "an interlock of class H, T or M fired, and nothing was wrong", at_most=1.0, looked=hard)


def recovers(it: Property, table: Table) -> Verdict:
    """LV-2."""
    facts = table.facts
    if facts.ended == "stuck":
        why = "the session neither completed nor was abandoned: it ran into its time limit"
        return Verdict(it.id, "violated", why, -1.0, it.unit, facts.ended_cycle)
    if not facts.injected:
        return it.held(RECOVERS_S, f"the session {facts.ended}")
    if any(one.cleared_cycle is None and one.effective_cycle is not None for one in facts.injected):
        return it.apart("a fault stayed to the end")
    return it.held(RECOVERS_S, f"the session {facts.ended} after its faults were cleared")


def never_waits(it: Property, table: Table) -> Verdict:
    """LV-3."""
    facts, phases = table.facts, table["phase"]
    ends = np.concatenate([changes(phases), [len(table)]]).tolist()
    stays = [(last - first, int(phases[first]), last - 1) for first, last in zip([0, *ends], ends)]
    busy = [stay for stay in stays if stay[1] not in facts.idle_phases]
    if not busy:
        return it.apart("nothing was ever asked for")
    length, phase, at = max(busy, key=lambda stay: (stay[0], -stay[1], -stay[2]))
    margin = facts.longest_state_s - length * DT_S
    return Verdict(it.id, "violated" if margin < 0.0 else "held", f"time left in phase {phase}", margin, it.unit,
                   int(table["cycle"][at]))


LIVENESS = (
    Property("LV-1", "no false trips", "trips", 0, "no trip of class H, T or M without a fault",
             "runs in which nothing was injected, nobody stopped the machine, and no device outside may have caused it",
             no_false_trips),
    Property("LV-2", "recovers", "s", ANY, "completed or safely abandoned once every fault is cleared",
             "how the session ended; a session that runs into its time limit is stuck", recovers),
    Property("LV-3", "never waits for ever", "s", ANY, "every state has a time limit",
             "longest stay in one phase against the longest that is allowed", never_waits),
)

