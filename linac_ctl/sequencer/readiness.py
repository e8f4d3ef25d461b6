"""What every beam needs before it, whether it treats or makes an image: machine in position, limits, files unchanged, all clear."""

import asyncio
import hashlib
import math
from collections.abc import Coroutine
from typing import Any

import numpy as np

from device_models.interface.image import DT_S, Couch

from ..config.machine import BeamLimits
from ..control.phases import Phase, Reaction
from ..control.signals import Guard
from ..errors import DeviceError, RefusedError
from ..plan.model import Beam
from ..plan.trajectory import Field
from ..subsystems.beam_states import BeamState
from ..subsystems.linac import Linac
from .approval import Approval
from .session import Session, Suite

AFTERWARDS_S = 0.1  # of record that still bears the number of the beam: the last dose comes in, the gantry coasts
SMALL_TURN_DEG = 1.0
BLOCKS_START = int(Reaction.PREVENT_START | Reaction.BEAM_OFF | Reaction.BEAM_HOLD)


async def let_go(linac: Linac) -> None:
    """The field is over: gun and RF off, the counters belong to nobody any more."""
    await asyncio.sleep(AFTERWARDS_S)
    linac.beam.stand_down()


def check_bytes(suite: Suite) -> None:
    """Last thing before a beam: the files still say what was read."""
    plan_same, configuration_same = suite.record.bytes_unchanged()
    suite.linac.guard(Guard.PLAN_INTEGRITY, plan_same)
    suite.linac.guard(Guard.CONFIG_INTEGRITY, configuration_same)


def check_plan(suite: Suite, session: Session) -> None:
    """And what is open at the console is what was loaded: an entry that was edited meanwhile is another one."""
    suite.linac.guard(Guard.PLAN_BIND, session.plan is suite.plan)


def time_limit_s(field: Field, limits: BeamLimits) -> float:
    """The backup timer's limit, rounded up to 0.01 min as real machines do."""
    moving = bool((np.abs(np.diff(field.mu)) > 0).sum() > 1)
    factor = limits.timer_factor_dynamic if moving else limits.timer_factor_static
    minutes = max(factor * field.beam_on_s, limits.timer_floor_s) / 60.0
    return round(math.ceil(minutes * 100 - 1e-9) / 100 * 60.0, 3)


def longest_s(field: Field) -> float:
    """Machine time after which a delivery has failed, holds and motions without dose included."""
    return 60.0 + 3.0 * field.beam_on_s + 30.0 * float(field.move.sum())


def prescription_number(field: Field) -> int:
    """A number that changes with anything that is about to be delivered."""
    digest = hashlib.sha256()
    for table in (field.mu, *field.axes.values()):
        digest.update(np.ascontiguousarray(table).tobytes())
    return int.from_bytes(digest.digest()[:7], "big")


async def position(linac: Linac, field: Field, approved: Approval | None = None) -> None:
    """All beam-shaping axes and the couch to where the field starts; absolute goals. An approved position is the couch's."""
    if linac.beam.state in (BeamState.INTERRUPTED, BeamState.TERMINATED):
        linac.beam.trigger("reselect")
    linac.enter(Phase.MOVE)
    await asyncio.sleep(2 * DT_S)  # drive power is back and setpoints stand where the axes stand
    start = dict(field.start)
    if field.run_up:
        start["gantry"] = np.array([field.run_up.begin_deg])
    couch = couch_goal(linac, field.beam) if approved is None else np.array(approved.couch.six)
    await turn_couch(linac, couch)
    async with gathered(linac) as moves:
        for name, goal in start.items():
            moves.create_task(getattr(linac, name).move_to(goal))
        moves.create_task(linac.couch.move_to(couch))


async def turn_couch(linac: Linac, goal: np.ndarray) -> None:
    """A couch turns only under a gantry that stands where no turn can meet it (the TGA RC-2014-RN-00614-1 lesson)."""
    rotation = int(Couch.ROTATION)
    if len(goal) <= rotation or abs(goal[rotation] - float(linac.image.couch["readback"][rotation])) <= SMALL_TURN_DEG:
        return
    await linac.gantry.move_to(np.array([linac.config.couch_turn_gantry_deg]))
    await linac.couch.move_to(goal)


def couch_goal(linac: Linac, beam: Beam) -> np.ndarray:
    """The beam's couch position; axes that the plan leaves open stay where they are aimed."""
    now = np.array(linac.control.couch["goal"])
    planned = beam.couch[0][: len(now)]
    return np.where(np.isnan(planned), now, planned)


class gathered:
    """Moves side by side. Raises the first error itself, so that callers can catch what it is.

    A move whose task is gone is one: a TaskGroup takes a task that was cancelled for one that has done its work.
    """

    def __init__(self, linac: Linac) -> None:
        self.group, self.linac = asyncio.TaskGroup(), linac
        self.failed = self.gone = False

    async def __aenter__(self) -> "gathered":
        await self.group.__aenter__()
        self.parent = asyncio.current_task()
        return self

    def create_task(self, move: Coroutine[Any, Any, None]) -> None:
        """Begin a move."""
        self.group.create_task(self._hear(self.group.create_task(move)))

    async def _hear(self, move: "asyncio.Task[None]") -> None:
        """Tell the cycle at once when it is gone, and nobody wanted it to end."""
        await asyncio.wait([move])
        if not move.cancelled():
            self.failed = self.failed or move.exception() is not None
        elif not self.failed and self.parent is not None and not self.parent.cancelling():
            self.gone = True
            await self.linac.lost()

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self.group.__aexit__(*exc)  # type: ignore[arg-type]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if self.gone:
            raise DeviceError("motion: a task that moved the machine is gone; look at the event log, then set up again")


async def ready(linac: Linac) -> None:
    """All that prevents a start has gone; RefusedError names what is left."""
    for _ in range(100):
        if not linac.panel.explain(BLOCKS_START):
            return
        await asyncio.sleep(0.1)
    raise RefusedError("beam-on refused: " + "; ".join(linac.panel.explain(BLOCKS_START)))
