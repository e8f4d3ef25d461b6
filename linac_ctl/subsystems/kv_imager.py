"""The kV imager: arms, gantry and exposures together. The table is the design; a scan is done when every frame is in."""

import asyncio
import math
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
from transitions import Machine

from device_models.interface.image import DT_S

from ..config.machine import KvImagerConfig
from ..control.phases import Phase
from ..control.signals import Signal
from ..errors import DeviceError, RefusedError
from .kv_frames import Exposures, KvFrame, Technique
from .linac import Linac


class KvState(Enum):
    """Of the arms and what they are used for."""

    RETRACTED = "retracted"
    POSITIONING = "positioning"
    READY = "ready"
    EXPOSING = "exposing"
    FAULTED = "faulted"


S = KvState
KV_TABLE: list[list[Any]] = [
    # trigger, from, to
    ["position", [S.RETRACTED, S.READY, S.FAULTED], S.POSITIONING],
    ["be_ready", S.POSITIONING, S.READY],
    ["be_retracted", S.POSITIONING, S.RETRACTED],
    ["expose", S.READY, S.EXPOSING],
    ["finish", S.EXPOSING, S.READY],
    ["fail", [S.POSITIONING, S.EXPOSING], S.FAULTED],
]
NEAR = 1e-6  # deg
KV_SHARE, MAS_SHARE = 0.02, 0.1  # by which an exposure may differ from what was asked for
CLOCK_S = 0.1  # by which the clock of an imager may be off


class KvImager:
    """Verbs: to_imaging_position, retract, cbct, pair, single, fluoroscopy, triggered."""

    state: KvState

    def __init__(self, linac: Linac, config: KvImagerConfig, exposures: Exposures) -> None:
        self.linac, self.config, self.exposures = linac, config, exposures
        self.place_mm = config.imaging_mm  # where the arms stand while imaging
        self.begun_s, self.last, self.asked = 0.0, -1, Technique(0.0, 0.0, 0.0, 1)  # of the run under way
        Machine(self, states=KvState, initial=KvState.RETRACTED, transitions=KV_TABLE, auto_transitions=False)

    def trigger(self, name: str) -> None:
        """MachineError unless the table has this transition."""
        getattr(self, name)()

    async def to_imaging_position(self, lateral_mm: float | None = None) -> None:
        """Source and detector out, both in their places; the panel aside for a half fan, else where the machine file wants it."""
        source, detector, lateral, longitudinal = self.config.imaging_mm
        place = source, detector, lateral if lateral_mm is None else lateral_mm, longitudinal
        if self.state is not KvState.READY or place != self.place_mm:
            self.place_mm = place
            await self._move_arms(place, "be_ready")

    async def retract(self) -> None:
        """Arms back to where they are while treating without images."""
        if (place := self.linac.config.parked_mm.get("kv_arms")) is None:
            raise RefusedError("kV imager: the machine file gives no parked place for kv_arms (parked_mm); nothing moved")
        await self._move_arms(place, "be_retracted")

    async def _move_arms(self, place_mm: Sequence[float], arrived: str) -> None:
        self.trigger("position")
        try:
            self._moving()
            await self.linac.kv_arms.move_to(np.array(place_mm))
        except BaseException:
            self.trigger("fail")
            raise
        finally:
            self.linac.enter(Phase.IDLE)
        self.trigger(arrived)

    async def cbct(self, start_deg: float, stop_deg: float, count: int, technique: Technique) -> tuple[KvFrame, ...]:
        """`count` frames at equal steps of the gantry's readback, at full speed, from the nearer end; all of them, or an error."""
        if abs(stop_deg - self._gantry_deg) < abs(start_deg - self._gantry_deg):
            start_deg, stop_deg = stop_deg, start_deg
        sense = 1.0 if stop_deg > start_deg else -1.0
        lead_deg = sense * self._run_up_deg
        self.linac.gantry.check(np.array([start_deg - lead_deg]))
        self.linac.gantry.check(np.array([stop_deg + lead_deg]))
        self._begin()
        try:
            self._moving()
            await self.linac.gantry.move_to(np.array([start_deg - lead_deg]))
            await self._turn(np.linspace(start_deg, stop_deg, count), sense, stop_deg + lead_deg, technique)
        except BaseException:
            self._lost()
            raise
        return self._frames(count)

    async def pair(self, angles_deg: Sequence[float], technique: Technique) -> tuple[KvFrame, ...]:
        """One frame at each gantry angle, standing still."""
        for angle in angles_deg:
            self.linac.gantry.check(np.array([angle]))
        self._begin()
        try:
            for angle in angles_deg:
                self._moving()
                await self.linac.gantry.move_to(np.array([angle]))
                self._expose(technique)
        except BaseException:
            self._lost()
            raise
        return self._frames(len(angles_deg))

    async def single(self, technique: Technique) -> KvFrame:
        """One frame from where the gantry stands."""
        self._begin()
        try:
            await asyncio.sleep(DT_S)
            self._expose(technique)
        except BaseException:
            self._lost()
            raise
        return self._frames(1)[0]

    async def fluoroscopy(self, gantry_deg: float, seconds: float, every_s: float, technique: Technique) -> tuple[KvFrame, ...]:
        """Frames at equal steps of time from one side."""
        count = 1 + math.floor(seconds / every_s + 1e-9)
        self.linac.gantry.check(np.array([gantry_deg]))
        self._begin()
        try:
            self._moving()
            await self.linac.gantry.move_to(np.array([gantry_deg]))
            self.linac.enter(Phase.IDLE)
            for _ in range(count):
                self._expose(technique)
                await asyncio.sleep(every_s)
        except BaseException:
            self._lost()
            raise
        return self._frames(count)

    def triggered(self, technique: Technique) -> KvFrame:
        """One frame in this very cycle, from where the gantry is, with the treatment beam on or held."""
        if self.state is not KvState.READY:
            raise RefusedError(f"kV imager: {self.state.value}, not in its imaging position; no triggered image")
        self._expose(technique)
        (frame,) = self.exposures.read() or (None,)
        if frame is None:
            raise DeviceError("kV imager: no frame came of a triggered exposure; look at the panel's link")
        return frame

    # --- parts of the verbs

    def _expose(self, technique: Technique) -> None:
        """Asked for and counted: the interlock table compares with the generator's own counter. DeviceError if that is ahead."""
        if not (more := self.linac.signal(Signal.KV_UNASKED)) <= 0.0:
            raise DeviceError(f"kV imager: the tube has given {more:g} exposures that nobody asked for; no more of them, look at "
                              f"the generator")
        self.linac.control.job["kv_asked"] += 1
        self.asked = technique
        try:
            self.exposures.expose(technique)
        except BaseException:
            self.linac.control.job["kv_asked"] -= 1
            raise

    @property
    def _gantry_deg(self) -> float:
        return float(self.linac.image.gantry["readback"][0])

    @property
    def _run_up_deg(self) -> float:
        """To full speed, and a little for the servo."""
        axis = self.linac.gantry.axes[0]
        return axis.speed**2 / (2.0 * axis.accel) + self.config.run_up_margin_deg

    def _moving(self) -> None:
        """RefusedError while there is a beam: the arms and the gantry are not ours then."""
        if int(self.linac.control.job["phase"][0]) == int(Phase.BEAM):
            raise RefusedError("kV imager: the treatment beam is on; wait until the field is over")
        self.linac.enter(Phase.MOVE)

    def _begin(self) -> None:
        if self.state is not KvState.READY:
            raise RefusedError(f"kV imager: {self.state.value}, not in its imaging position; bring the arms out first")
        if int(self.linac.control.job["phase"][0]) == int(Phase.BEAM):
            raise RefusedError("kV imager: the treatment beam is on; no exposure with it in this workflow")
        self.begun_s = self.linac.time_s
        self.trigger("expose")

    def _lost(self) -> None:
        self.exposures.discard()
        self.linac.enter(Phase.IDLE)
        self.trigger("fail")

    def _frames(self, count: int) -> tuple[KvFrame, ...]:
        self.linac.enter(Phase.IDLE)
        try:
            frames = self.exposures.read()
            if len(frames) != count:
                raise DeviceError(f"kV imager: {len(frames)} of {count} frames came; look at the panel's link, then image again")
            if wrong := self._not_these(frames):
                raise DeviceError(f"kV imager: {wrong}; look at the generator and the panel's link, then image again")
        except BaseException:
            self.trigger("fail")
            raise
        self.trigger("finish")
        return frames

    def _not_these(self, frames: Sequence[KvFrame]) -> str:
        """What says that these are not the exposures of this run, or not as asked for; empty when nothing does."""
        last, kv, mas = self.last, self.asked.kv, self.asked.ma * self.asked.ms * 1e-3
        begun_s, over_s = self.begun_s, self.linac.time_s
        for frame in frames:
            if not frame.number > last:
                return f"frame {frame.number} comes after frame {last}: told before"
            if not begun_s - CLOCK_S <= frame.time_s <= over_s + CLOCK_S:
                return f"frame {frame.number} is of {frame.time_s:.2f} s, and this run of {begun_s:.2f} to {over_s:.2f} s"
            if not (abs(frame.kv / kv - 1.0) <= KV_SHARE and abs(frame.mas / mas - 1.0) <= MAS_SHARE):
                return (f"frame {frame.number} was exposed with {frame.kv:g} kV, {frame.mas:g} mAs, and {kv:g} kV, {mas:g} mAs "
                        f"were asked for")
            last = frame.number
        self.last = last
        return ""

    async def _turn(self, angles_deg: Any, sense: float, beyond_deg: float, technique: Technique) -> None:
        """The gantry turns in one go; exposures follow its readback."""
        try:
            async with asyncio.TaskGroup() as both:
                motion = both.create_task(self.linac.gantry.move_to(np.array([beyond_deg])))
                for k, angle in enumerate(angles_deg):
                    await self._pass(angle, sense, motion, k, len(angles_deg))
                    self._expose(technique)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _pass(self, angle_deg: float, sense: float, motion: "asyncio.Task[None]", k: int, count: int) -> None:
        """Return in the first cycle in which the readback has passed the angle."""
        speed = self.linac.gantry.axes[0].speed
        while (left := sense * (angle_deg - self._gantry_deg)) > NEAR or not left <= NEAR:
            if motion.done():
                raise DeviceError(f"kV imager: the gantry stopped after {k} of {count} frames; look at its drive, then image again")
            await asyncio.sleep(DT_S * max(1, math.floor(left / speed / DT_S)) if left == left else DT_S)
