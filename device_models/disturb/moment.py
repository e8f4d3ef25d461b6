"""When a fault is due: conditions on words, tested after every cycle, so that a fault at a dose acts in the next cycle."""

from typing import Any

import numpy as np

from ..interface.compiled import compiled
from ..interface.image import records
from .wire import get

AT_LEAST, AT_MOST, EQUAL, PASSED = 0, 1, 2, 3  # PASSED: an angle was passed, either way
DUE = 1 << 16  # event bit beside those of the controller

MOMENT = np.dtype([
    ("part", "i8"), ("word", "i8"), ("whole", "i8"), ("kind", "i8"),
    ("threshold", "f8"),
    ("per_part", "i8"), ("per_word", "i8"),  # the threshold is a share of this word; -1 = it is absolute
    ("beam", "i8"),  # only while this beam is in hand; -1 = any
    ("phases", "i8"),  # only in these phases of the controller; 0 = any
    ("edge", "i8"), ("was", "i8"),  # 1 = must have been false before
    ("before", "f8"),
    ("after", "i8"),  # cycles from then until it is due
    ("due", "i8"),  # cycle; -1 = the condition has not come yet
    ("armed", "i8"), ("fired", "i8"),
    ("fault", "i8"), ("ends", "i8"),  # whose; 1 = its end, not its beginning
])


@compiled
def passed(moment, value):
    """From one side of the angle to the other since the last cycle; half a turn away does not count."""
    now = value - moment.threshold
    now = now - 360.0 * np.rint(now / 360.0)
    was, moment.before = moment.before, now
    return (was * now <= 0.0) and abs(now - was) < 90.0


@compiled
def comes(moment, floats, wholes):
    """Does the condition hold?"""
    value = get(floats, wholes, moment.part, moment.word, moment.whole)
    limit = moment.threshold
    if moment.per_part >= 0:
        limit = limit * floats[moment.per_part][moment.per_word]
    if moment.kind == PASSED:
        return passed(moment, value)
    if moment.kind == EQUAL:
        return value == limit
    return value >= limit if moment.kind == AT_LEAST else value <= limit


@compiled
def wait_for(moments, floats, wholes, phase, beam, cycle):
    """-> DUE if any fault begins or ends after this cycle."""
    event = 0
    for i in range(moments.size):
        m = moments[i]
        if m.armed == 0:
            continue
        if m.due < 0:
            holds = comes(m, floats, wholes)
            inside = (m.phases == 0 or (m.phases & phase) != 0) and (m.beam < 0 or m.beam == beam)
            good = holds and inside
            m.due = cycle + m.after if good and (m.edge == 0 or m.was == 0) else m.due
            m.was = 1 if good else 0
        if m.due >= 0 and cycle >= m.due:
            m.armed, m.fired = 0, 1
            event = DUE
    return event


def new_moments(n: int) -> Any:
    """MOMENT (n,), none armed."""
    return records(n, MOMENT, per_part=-1, beam=-1, due=-1, before=np.nan)
