"""Buttons of the console and the pendant, pressed too early, too often or at the worst moment. Public verbs only."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import numpy as np
from transitions import MachineError

from device_models.interface.image import DT_S, Couch
from linac_ctl.control.phases import Phase
from linac_ctl.errors import LinacError
from linac_ctl.subsystems.beam_states import BeamState

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

PRESS_S = 1.0  # a delivery that was asked for by mistake is not waited for any longer
CONSOLE = "console"


def operator(sim: "Simulation") -> tuple[str, str]:
    """(name, role) of the first one on duty."""
    return sim.staff.people[0]


def attempt(sim: "Simulation", what: str, act: Callable[[], Coroutine[Any, Any, object]], altered: Altered | None = None) -> None:
    """Somebody presses something; whether the machine did it, or why not, is on the event log, and in `altered`."""

    async def press() -> None:
        try:
            await act()
            sim.log(CONSOLE, what, why="done")
        except (LinacError, MachineError) as no:
            sim.log(CONSOLE, what, why=f"refused: {no}")
            if altered is not None:
                altered.refuse(sim.engine.cycle + 1)

    sim.loop.create_task(press())


def act_for(sim: "Simulation", given: Settings) -> Altered:
    """Hands do `do`, and `undo` it after `ms` (one cycle at least); `ms` 0: when the fault is cleared."""
    do, undo, ms = str(given["do"]), str(given["undo"]), float(given["ms"])
    hands, who = sim.staff.hands, operator(sim)

    def perform(act: str) -> None:
        hands.do(act)
        sim.log(who[0], act, why="fault", role=who[1])

    perform(do)
    if ms <= 0.0:
        return done(sim, lambda: perform(undo))
    altered = done(sim)

    def over() -> None:
        perform(undo)
        altered.over_cycle = sim.engine.cycle + 1

    sim.loop.call_later(max(ms / 1000.0, DT_S), over)
    return altered


def press_start(sim: "Simulation", given: Settings) -> Altered:
    """The start button `n` times, `gap_ms` apart: now if there is a beam, else together with the next start."""
    beam, n, gap_s = sim.linac.beam, int(given["n"]), float(given["gap_ms"]) / 1000.0
    start, altered = beam.deliver, Altered()

    def press() -> None:
        altered.mark(sim.engine.cycle + 1)
        attempt(sim, "start pressed", lambda: start(PRESS_S))

    def all_of_them() -> None:
        for i in range(1, n):
            sim.loop.call_later(i * gap_s, press)

    async def pressed(longest_s: float) -> Any:
        vars(beam).pop("deliver", None)  # the next start is pressed once again
        all_of_them()
        return await start(longest_s)

    if beam.state in (BeamState.ON, BeamState.HELD, BeamState.INTERRUPTED, BeamState.TERMINATED):
        all_of_them()
    else:
        beam.deliver = pressed  # type: ignore[method-assign]
    altered.undo = lambda: vars(beam).pop("deliver", None)
    return altered


def press_resume(sim: "Simulation", given: Settings) -> Altered:
    """Reset everything and start again, `n` times, `gap_ms` apart, from the moment of the next stop on."""
    n, gap_s, altered = int(given["n"]), float(given["gap_ms"]) / 1000.0, Altered()

    def press() -> None:
        altered.mark(sim.engine.cycle + 1)
        attempt(sim, "reset and start pressed", lambda: reset_and_start(sim))

    def stopped() -> bool:
        return int(sim.control.job["phase"][0]) == int(Phase.STOPPED)

    def begin() -> None:
        for i in range(n):
            sim.loop.call_later((i + 1) * gap_s, press)

    when(sim, stopped, begin, altered)
    return altered


async def reset_and_start(sim: "Simulation") -> None:
    """What an operator at the console may try, in the operator's own role."""
    name, role = operator(sim)
    await sim.linac.reset_channel()
    for trip in [trip for trip in sim.linac.panel.active() if trip.latched]:
        sim.linac.panel.reset(trip.id, who=name, role=role, reason="wanted to go on")
    await sim.linac.beam.deliver(PRESS_S)


def override(sim: "Simulation", given: Settings) -> Altered:
    """Somebody in this role asks for an interlock to be set aside, whatever its cause."""
    role, row = str(given["role"]), str(given["interlock"])

    async def ask() -> None:
        sim.linac.panel.reset(row, who=role, role=role, reason="override asked for")

    attempt(sim, f"override of {row} asked for", ask)
    return done(sim)


def jog(sim: "Simulation", given: Settings) -> Altered:
    """The couch is moved by `way` (mm or deg) along `axis` from the pendant, and back again if `back` says so."""
    axis, way, back = Couch[str(given["axis"]).upper()], float(given["way"]), str(given["back"]) == "yes"
    couch, altered = sim.linac.couch, Altered()

    async def move() -> None:
        start = np.array(sim.control.couch["goal"])
        there = start.copy()
        there[axis] = round(float(there[axis]) + way, 3)
        altered.mark(sim.engine.cycle + 1)
        await couch.move_to(there)
        if back:
            await couch.move_to(start)

    attempt(sim, f"couch jogged by {way:g} along {axis.name.lower()}", move)
    return altered


def stop_at(sim: "Simulation", given: Settings) -> Altered:
    """The stop button at the worst moment of a step that is half done."""
    altered = Altered()

    def press() -> None:
        altered.mark(sim.engine.cycle + 1)
        sim.staff.hands.do("press_stop")
        sim.log(operator(sim)[0], "press_stop", why=f"fault: {given['at']}", role=operator(sim)[1])

    when(sim, MOMENTS[str(given["at"])](sim), press, altered)
    return altered


def when(sim: "Simulation", true: Callable[[], bool], do: Callable[[], object], altered: Altered) -> None:
    """Do it once, after the first cycle in which it is true. Undoing the alteration ends the wait."""
    waiting = [True]

    def look() -> None:
        if waiting and true():
            waiting.clear()
            do()

    sim.loop.observe(1, look)
    altered.undo = waiting.clear


def warming(sim: "Simulation") -> Callable[[], bool]:
    """High voltage is coming up."""
    return lambda: sim.linac.beam.state is BeamState.WARMING and float(sim.image.beam["hv_request"][0]) == 1.0


def first_pulse(sim: "Simulation") -> Callable[[], bool]:
    """The first dose of a field is out."""
    return lambda: int(sim.plant.beam["pulses_now"][0]) > 0


def said(*words: str) -> Callable[["Simulation"], Callable[[], bool]]:
    """Somebody has written down something that begins with this, since the fault began."""

    def begin(sim: "Simulation") -> Callable[[], bool]:
        before = len(sim.events)
        return lambda: any(event.what.startswith(words) for event in sim.events[before:])

    return begin


def couch_moves(sim: "Simulation") -> Callable[[], bool]:
    """The couch is on its way after a shift was approved."""
    approved = said("shift approved")(sim)
    return lambda: approved() and float(np.abs(sim.plant.couch["velocity"][:3]).max()) > 1.0


MOMENTS = {
    "hv_ramp": warming, "first_pulse": first_pulse, "shift": couch_moves, "record_save": said("close session"),
    "reconstruction": said("cbct", "pair"),
}
ALTERATIONS = {
    "act_for": act_for, "press_start": press_start, "press_resume": press_resume, "override": override, "jog": jog,
    "stop_at": stop_at,
}
