"""The machine as the sequencer sees it: every subsystem, the interlock panel, and what they tell each other."""

import asyncio
from collections.abc import Callable
from typing import Any

from device_models.interface.image import DT_S, Image

from ..config.machine import MachineConfig
from ..control.phases import Event, Hold, Phase, Reaction
from ..control.signals import FIRST_GUARD, Guard, Signal
from ..control.state import Control
from ..errors import DeviceError
from ..interlocks.panel import Panel
from ..interlocks.table import InterlockTable
from .beam import Beam
from .conditions import Conditions
from .motion import Leaves, Motion

Log = Callable[..., None]
ENDS_WAITING = int(Reaction.BEAM_OFF | Reaction.MOTION_STOP | Reaction.PREVENT_MOTION)


class Tripped(DeviceError):
    """An interlock ended what was going on; `terminate` tells whether the field is lost."""

    def __init__(self, message: str, terminate: bool) -> None:
        super().__init__(message)
        self.terminate = terminate


class Linac:
    """Subsystems of one machine. `on_event` is called by the engine between blocks of cycles."""

    def __init__(self, config: MachineConfig, table: InterlockTable, control: Control, image: Image, log: Log) -> None:
        self.config, self.control, self.image, self.log = config, control, image, log
        self.conditions = Conditions(control.watches, self.stopped_by)
        self.panel = Panel(table, control)
        self.gantry = self._motion("gantry", Signal.GANTRY_AWAY)
        self.collimator = self._motion("collimator", Signal.COLLIMATOR_AWAY)
        self.jaws = self._motion("jaws", Signal.JAW_AWAY)
        self.carriages = self._motion("carriages", Signal.CARRIAGE_AWAY)
        self.couch = self._motion("couch", Signal.COUCH_AWAY)
        self.kv_arms = self._motion("kv_arms", Signal.KV_ARM_AWAY)
        self.mv_arm = self._motion("mv_arm", Signal.MV_ARM_AWAY)
        leaf = (config.mlc.leaf,) if config.mlc else ()
        self.mlc = Leaves("mlc", control.mlc, image.mlc, leaf, Signal.LEAF_AWAY, self.conditions)
        self.beam = Beam(control, image, config.beam, self.conditions)
        self.holds: list[dict[str, Any]] = []
        self.guard(Guard.TASK_ALIVE, True)

    def _motion(self, name: str, away: Signal) -> Motion:
        aims, wires, axes = (getattr(part, name) for part in (self.control, self.image, self.config))
        return Motion(name, aims, wires, axes, away, self.conditions)

    @property
    def cycle(self) -> int:
        """Machine time in cycles."""
        return int(self.control.job["cycle"][0])

    @property
    def time_s(self) -> float:
        """Machine time."""
        return self.cycle * DT_S

    def enter(self, phase: Phase) -> None:
        """The one place outside the cycle where the phase changes, but for beam-on itself."""
        self.control.job["phase"] = int(phase)

    def guard(self, guard: Guard, established: bool | float) -> None:
        """Answer a question that only the event side can answer."""
        self.control.signals[FIRST_GUARD + int(guard)] = float(established)

    async def lost(self) -> None:
        """Whoever had the machine in hand is gone: the cycle stops all of it, and the row tells of it from then on."""
        self.guard(Guard.TASK_ALIVE, False)
        await asyncio.sleep(2 * DT_S)
        self.guard(Guard.TASK_ALIVE, True)

    def signal(self, signal: Signal) -> float:
        """Value of the last cycle."""
        return float(self.control.signals[signal])

    async def reset_channel(self) -> None:
        """Ask the second channel to forget what opened it, if its cause is gone."""
        self.image.safety["reset"] = 1.0
        await asyncio.sleep(2 * DT_S)
        self.image.safety["reset"] = 0.0

    def on_event(self, events: int) -> None:
        """Write down trips, fail waiters when nothing can come any more, resolve what was awaited, tell the beam.

        In this order: a trip beats what was awaited, even if both came in the same cycle.
        """
        job = self.control.job
        reactions, held = int(job["reactions"][0]), int(job["hold"][0]) == int(Hold.HOLD)
        if events & int(Event.TRIPPED):
            self._note_trips()
        if events & int(Event.WATCH_HIT):
            self.conditions.resolve()
        if events & int(Event.HOLD_EDGE):
            self._note_hold(held)
        self.beam.follow(reactions, held and int(job["phase"][0]) == int(Phase.BEAM))

    def _note_trips(self) -> None:
        for trip in self.panel.note_new():
            self.log("interlock", trip.id, why=trip.text, new="tripped")
        if (error := self.stopped_by()) is not None:
            self.conditions.fail(error)

    def stopped_by(self) -> Tripped | None:
        """The rows in force that no awaited condition can outlive; None while there are none."""
        reactions = int(self.control.job["reactions"][0])
        if not reactions & ENDS_WAITING or not (why := self.panel.explain(ENDS_WAITING)):
            return None
        return Tripped("; ".join(why), bool(reactions & int(Reaction.TERMINATE)))

    def _note_hold(self, held: bool) -> None:
        if held:
            why = self.panel.explain(int(Reaction.BEAM_HOLD)) or ["motion without dose"]
            self.holds.append({"beam": int(self.control.job["beam_number"][0]), "start_s": self.time_s, "end_s": None,
                               "mu": self.beam.mu_1, "why": "; ".join(why)})
        elif self.holds and self.holds[-1]["end_s"] is None:
            self.holds[-1]["end_s"] = self.time_s
