"""Coroutines and callbacks of the controller that are cancelled, die, come late or raise: its event side, seen from outside."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from linac_ctl.subsystems.motion import Motion

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation


class HandlerFailed(RuntimeError):
    """What a broken handler raises."""


def cancel(sim: "Simulation", given: Settings) -> Altered:
    """The session's task is cancelled (`kind` cancel), or the innermost of its time limits is over now (timeout)."""
    if given["kind"] == "cancel":
        if sim.main is None:
            return Altered()
        sim.main.cancel()
        return done(sim)
    limits = [handle for handle in sim.loop._scheduled  # type: ignore[attr-defined]
              if not handle.cancelled() and isinstance(getattr(handle._callback, "__self__", None), asyncio.Timeout)]
    if not limits:
        return Altered()
    innermost = max(limits, key=lambda handle: handle.seq)  # the one set last
    innermost._callback.__self__.reschedule(sim.loop.time())
    return done(sim)


def task_dies(sim: "Simulation", given: Settings) -> Altered:
    """The coroutine that moves one device is gone, and whoever waits for it thinks that it has done its work."""
    name, altered = str(given["task"]), Altered()

    def look() -> bool:
        if name == "beam":
            found = [sim.main] if sim.main is not None else []
        else:
            found = [task for task in asyncio.all_tasks(sim.loop) if mover(task) == name]
        for task in found:
            task.cancel()
            altered.mark(sim.engine.cycle + 1)
        return bool(found)

    if not look():  # not under way yet: as soon as it is
        from .console import when

        when(sim, lambda: any(mover(task) == name for task in asyncio.all_tasks(sim.loop)), look, altered)
    return altered


def mover(task: "asyncio.Task[Any]") -> str:
    """The device that a task moves; empty for a task that moves none, or that waits inside a larger one."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    owner = None if frame is None else frame.f_locals.get("self")
    return owner.name if isinstance(owner, Motion) else ""


def deaf(sim: "Simulation", given: Settings) -> Altered:
    """For `blocked_ms` nothing that the cycle reports reaches state machines, log and people; then all of it comes at once."""
    hear, kept, altered = sim.engine.on_event, [], Altered()

    def keep(events: int) -> None:
        kept.append(events)
        altered.mark(sim.engine.cycle)

    def listen() -> None:
        if sim.engine.on_event is keep:
            sim.engine.on_event = hear
            for events in kept:
                hear(events)

    sim.engine.on_event = keep
    sim.loop.call_later(float(given["blocked_ms"]) / 1000.0, listen)
    altered.undo = listen
    return altered


def handler_raises(sim: "Simulation", given: Settings) -> Altered:
    """A part of what hears of a trip raises, once, when it is called next."""
    owner, name = PARTS[str(given["where"])](sim)
    altered = Altered()

    def restore() -> None:
        vars(owner).pop(name, None)

    def broken(*_: Any, **__: Any) -> None:
        restore()
        altered.mark(sim.engine.cycle)
        raise HandlerFailed(f"{name}: broken on purpose")

    setattr(owner, name, broken)
    altered.undo = restore
    return altered


PARTS: dict[str, Callable[["Simulation"], tuple[Any, str]]] = {
    "on_enter_fault": lambda sim: (sim.linac.beam, "follow"),
    "log": lambda sim: (sim.linac, "_note_trips"),
    "ui": lambda sim: (sim.linac.panel, "note_new"),
    "device_write": lambda sim: (sim.linac.conditions, "fail"),
}


def late_cycles(sim: "Simulation", given: Settings) -> Altered:
    """The clock says that so many cycles in a row came late, as it does in real time; the last word is that they have ended."""
    sim.realtime_interlock = True
    for streak in range(1, int(given["streak"]) + 1):
        sim.loop.call_later((streak - 1) * 0.01, sim.loop.on_overrun, streak)
    sim.loop.call_later(int(given["streak"]) * 0.01, sim.loop.on_overrun, 0)
    return done(sim)


def wall_clock(sim: "Simulation", given: Settings) -> Altered:
    """Somebody sets the clock of the computer. Nothing below the edges reads it, so all that is left of it is this line."""
    sim.log("clock", "wall clock set", why=f"by {float(given['delta_s']):g} s")
    return done(sim)


ALTERATIONS = {
    "wall_clock": wall_clock,
    "cancel": cancel, "task_dies": task_dies, "deaf": deaf, "handler_raises": handler_raises, "late_cycles": late_cycles,
}
