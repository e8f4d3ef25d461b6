"""Two things in the same cycle, or one cycle apart: whichever comes first, a trip wins and no dose is given twice."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from device_models.interface.image import DT_S
from linac_ctl.control.phases import Hold, Phase
from linac_ctl.control.signals import Guard, Signal

from .altered import Altered, Settings
from .console import when
from .entries import Screen

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

BEAM = int(Phase.BEAM)
LINK_SILENT_CYCLES = 3.0  # a port says so: LINK_LOST holds the beam
HELD_S = 0.05


def trip(sim: "Simulation") -> None:
    """The operator's stop: a wire to the controller alone."""
    sim.staff.hands.do("press_stop")


def hold(sim: "Simulation") -> None:
    """A line falls silent for a moment."""
    sim.linac.guard(Guard.LINK_SILENT_CYCLES, LINK_SILENT_CYCLES)
    sim.loop.call_later(HELD_S, sim.linac.guard, Guard.LINK_SILENT_CYCLES, 0.0)


def edit(sim: "Simulation") -> None:
    """The dose is changed at the console."""
    screen = Screen(sim, "mu")
    screen.write(True)


def race(sim: "Simulation", given: Settings) -> Altered:
    """The first of `pair` is done `skew` cycles before (below zero) or after the second, which the session itself does."""
    altered, skew = Altered(), int(given["skew"])
    RACES[str(given["pair"])](sim, skew, altered)
    return altered


def with_start(what: Callable[["Simulation"], None], resumed: bool) -> Callable[["Simulation", int, Altered], None]:
    """Together with the next beam-on, or with the next one after an interruption."""

    def begin(sim: "Simulation", skew: int, altered: Altered) -> None:
        beam = sim.linac.beam
        start = beam.deliver

        def strike() -> None:
            altered.mark(sim.engine.cycle + 1)
            what(sim)

        async def raced(longest_s: float) -> Any:
            if resumed and not beam.mu_1 > 0.0:
                return await start(longest_s)
            vars(beam).pop("deliver", None)
            if skew > 0:
                sim.loop.call_later(skew * DT_S, strike)
            else:
                strike()
            if skew < 0:
                await asyncio.sleep(-skew * DT_S)
            return await start(longest_s)

        beam.deliver = raced  # type: ignore[method-assign]
        altered.undo = lambda: vars(beam).pop("deliver", None)

    return begin


def hold_at_the_end(sim: "Simulation", skew: int, altered: Altered) -> None:
    """A hold in the cycle in which the last MU come in."""

    def soon() -> bool:
        job, left = sim.control.job[0], float(sim.control.signals[Signal.MU_LEFT])
        ahead = (1 - skew) * float(job["rate_mu_per_s"]) * DT_S + float(job["pulse_mu"])
        near = left - float(job["half_pulse_mu"]) <= ahead
        return near and (int(job["phase"]) != BEAM if skew > 0 else int(job["flowing"]) > 0)

    def strike() -> None:
        altered.mark(sim.engine.cycle + 1)
        hold(sim)

    when(sim, soon, strike, altered)


def hold_at_the_release(sim: "Simulation", skew: int, altered: Altered) -> None:
    """A hold now, and another one in the cycle in which the beam comes back."""
    hold(sim)
    altered.mark(sim.engine.cycle + 1)
    seen = [False]

    def released() -> bool:
        held = int(sim.control.job["hold"][0]) == int(Hold.HOLD)
        was, seen[0] = seen[0], seen[0] or held
        return was and not held

    when(sim, released, lambda: hold(sim) if skew <= 0 else sim.loop.call_later(skew * DT_S, hold, sim), altered)


def trip_at_the_reset(sim: "Simulation", skew: int, altered: Altered) -> None:
    """The door opens in the cycle in which somebody resets what it had tripped."""
    panel = sim.linac.panel
    reset = panel.reset

    def strike() -> None:
        altered.mark(sim.engine.cycle + 1)
        sim.staff.hands.do("open_door")

    def raced(name: str, **how: Any) -> None:
        vars(panel).pop("reset", None)
        if skew < 0:
            strike()
        reset(name, **how)
        if skew == 0:
            strike()
        elif skew > 0:
            sim.loop.call_later(skew * DT_S, strike)

    sim.staff.hands.do("open_door")
    panel.reset = raced  # type: ignore[method-assign]
    altered.undo = lambda: vars(panel).pop("reset", None)


RACES: dict[str, Callable[["Simulation", int, Altered], None]] = {
    "trip+start": with_start(trip, resumed=False), "trip+resume": with_start(trip, resumed=True),
    "mu_reached+hold": hold_at_the_end, "hold+resume": hold_at_the_release, "reset+trip": trip_at_the_reset,
    "edit+start": with_start(edit, resumed=False),
}
ALTERATIONS = {"race": race}
