"""What is no wire and no parameter: acts at the console, files, images, matches, tasks of the controller. From outside, by name.

`ALTERATIONS[kind](sim, settings)` is called at the fault's moment, between two cycles. What it returns is called when the fault
is cleared; its `cycle` is the first in which anybody could tell the difference, None as long as nobody can.
`AT_LOAD[kind](order, settings)` is called before the session is built. A LinacError from there is the session's end: the fault
was noticed where a damaged plan is noticed. A kind that is in both is prepared at load and done at its moment.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import console, counters, entries, files, images, latches, matches, people, plans, races, record, restart, tasks
from .altered import Altered as Altered
from .altered import Settings as Settings

if TYPE_CHECKING:
    from linac_ctl.app import Simulation
    from linac_ctl.order import Order

ALTERATIONS: dict[str, Callable[["Simulation", Settings], Altered]] = {
    **console.ALTERATIONS, **counters.ALTERATIONS, **entries.ALTERATIONS, **files.ALTERATIONS, **images.ALTERATIONS,
    **latches.ALTERATIONS, **matches.ALTERATIONS, **people.ALTERATIONS, **races.ALTERATIONS, **record.ALTERATIONS,
    **restart.ALTERATIONS, **tasks.ALTERATIONS,
}
AT_LOAD: dict[str, Callable[["Order", Settings], "Order"]] = {**plans.AT_LOAD, **restart.AT_LOAD}
