"""A latch that is gone without anybody having reset it."""

from typing import TYPE_CHECKING

from .altered import Altered, Settings
from .console import when

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

COPIES = {
    "cause_gone": ("tripped",), "glitch": ("tripped_copy",), "other_reset": ("tripped",), "restart": ("tripped", "tripped_copy"),
}
HEALTHY = {"tripped": 0, "tripped_copy": 1}


def latch_lost(sim: "Simulation", given: Settings) -> Altered:
    """The first latched row that is in force loses a copy of its latch (by a restart: both) a cycle after it tripped."""
    altered, panel = Altered(), sim.linac.panel

    def clear() -> None:
        row = panel.find(next(trip.id for trip in panel.active() if trip.latched))
        for copy in COPIES[str(given["cause"])]:
            sim.control.interlocks[copy][row] = HEALTHY[copy]
        altered.mark(sim.engine.cycle + 1)

    when(sim, lambda: any(trip.latched for trip in panel.active()), clear, altered)
    return altered


ALTERATIONS = {"latch_lost": latch_lost}
