"""Looking at the patient while the beam is on: triggered kV images, the surface monitor, and what comes of what they show.

The cycle holds the beam by itself (measure_patient, rows PATIENT_MOTION, SURF_STALE, GATE): here images are taken, the target
is found in them, and the answer is put where the cycle reads it. A target that stays out ends in `TargetLost`.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from device_models.interface.image import DT_S

from ..control.signals import Signal
from ..errors import DeviceError
from ..plan.make.uids import uid
from ..plan.trajectory import Field
from .approve import stands
from .images import Imaging
from .matching import locate
from .protocol import SurfaceConfig, TriggeredConfig
from .session import Session, Suite
from .tracked import Seen, Tracked, Trigger

BEFORE_IT_IS_LATE = 0.8  # of the longest time without an image: then one is taken whatever the trigger says
EXCURSION_SETTLE_S = 0.02
NO_END_S = 1e6
ACROSS = 0.5  # sine of the angle between two views that see different directions: 30 deg
THERE_MM, THERE_DEG = 1.0, 0.5  # the couch stands where it was approved: what the interlocks have


class TargetLost(DeviceError):
    """The target is not where it should be, and does not come back. `reposition`: the protocol wants it brought back."""

    exit_code = 1

    def __init__(self, message: str, reposition: bool) -> None:
        super().__init__(message)
        self.reposition = reposition


@asynccontextmanager
async def watched(suite: Suite, session: Session, field: Field) -> AsyncIterator[None]:
    """While inside, the patient is looked at as the protocol says; TargetLost ends what is inside."""
    imaging = suite.imaging
    triggered = imaging.protocol.intrafraction.triggered if imaging else None
    surface = imaging.protocol.intrafraction.surface if imaging else None
    if imaging is None or (triggered is None and surface is None):
        yield
        return
    begin(suite, imaging)
    try:
        if triggered:
            await suite.staff.act("hold_exposure", why="triggered images")
        async with asyncio.TaskGroup() as looking:
            tasks = [looking.create_task(Watch(suite, session, imaging, field, triggered).look())] if triggered else []
            tasks += [looking.create_task(mind_the_skin(suite, surface))] if surface else []
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        end(suite)
        if triggered:
            suite.staff.hands.do("release_exposure")


async def ready_to_look(suite: Suite) -> None:
    """Arms out and in the middle, where the protocol takes images during the beam."""
    if suite.imaging and suite.imaging.protocol.intrafraction.triggered:
        await suite.imaging.kv.to_imaging_position()


async def looked_first(suite: Suite, session: Session, field: Field) -> None:
    """An image before any dose, where the protocol takes images during the beam: none that hangs on the match.

    A match that found the wrong vertebra, or an imager that is out of its geometry, looks right in its own images. TargetLost as
    during the beam.
    """
    imaging = suite.imaging
    rules = imaging.protocol.intrafraction.triggered if imaging else None
    if imaging is None or rules is None or not rules.first:
        return
    begin(suite, imaging)
    try:
        await suite.staff.act("hold_exposure", why="image before the beam")
        await Watch(suite, session, imaging, field, rules).first()
    finally:
        end(suite)
        suite.staff.hands.do("release_exposure")


async def looked_aside(suite: Suite, session: Session, field: Field) -> None:
    """As `looked_first`, on the way to the field: what lies along the ray of the image at its start is seen from here."""
    linac, given, start_deg = suite.linac, session.approval, float(np.asarray(field.axes["gantry"])[0, 0])
    across = abs(math.sin(math.radians(float(linac.image.gantry["readback"][0]) - start_deg)))
    if suite.imaging is None or given is None or across < ACROSS:
        return
    way_mm, turn_deg = stands(suite).away(given.couch)
    turned_deg = abs(float(field.beam.couch[0][3]) - given.match.binding.couch_angle_deg)
    if way_mm <= THERE_MM and max(turn_deg, turned_deg) <= THERE_DEG:
        await looked_first(suite, session, field)


def begin(suite: Suite, imaging: Imaging) -> None:
    """Tell the cycle what to watch; the last look counts as now."""
    job, rules = suite.linac.control.job, imaging.protocol.intrafraction
    if triggered := rules.triggered:
        job["target_off_mm"], job["target_limit_mm"], job["target_out"] = 0.0, rules.limit_mm, 0
        job["target_patience_s"], job["target_longest_s"] = triggered.patience_s, triggered.longest_s
        job["target_cycle"], job["target_watched"] = suite.linac.cycle, 1.0
    if rules.surface and rules.surface.gate_mm:
        job["gate_mm"] = rules.surface.gate_mm


def end(suite: Suite) -> None:
    """The field is over or held for good: nobody takes images any more."""
    job = suite.linac.control.job
    job["target_watched"] = job["gate_mm"] = 0.0


async def mind_the_skin(suite: Suite, rules: SurfaceConfig) -> None:
    """TargetLost once the skin is farther off than a hold may wait for; the cycle has ended the approval by then."""
    await suite.linac.conditions.until(Signal.SURFACE_OFF_MM, ">=", rules.excursion_mm, EXCURSION_SETTLE_S, NO_END_S)
    off = suite.linac.signal(Signal.SURFACE_OFF_MM)
    raise TargetLost(f"surface monitor: the skin moved by {off:.1f} mm > {rules.excursion_mm:g} mm; the approval is over", True)


@dataclass(slots=True)
class Watch:
    """Triggered images of one field."""

    suite: Suite
    session: Session
    imaging: Imaging
    field: Field
    rules: TriggeredConfig

    async def look(self) -> None:
        """Until cancelled; TargetLost when the target stays out of its limit."""
        marks = marks_mu(self.field, self.rules)
        while True:
            trigger = await self._next(marks)
            if (await self._image(trigger)).seen != "inside":
                await self._insist()

    async def first(self) -> None:
        """As one of the images to come, when the gate opens where there is one."""
        if self.rules.every_gates:
            await self._gate(1, BEFORE_IT_IS_LATE * self.rules.longest_s)
        if (await self._image("before")).seen != "inside":
            await self._insist()

    async def _insist(self) -> None:
        """Images at short intervals until the target is back."""
        for _ in range(self.rules.most_repeats):
            await asyncio.sleep(self.rules.repeat_s)
            if (last := await self._image("held")).seen == "inside":
                return
        limit, off = self.imaging.protocol.intrafraction.limit_mm, math.hypot(*last.off_mm)
        what = f"seen {off:.1f} mm from its place, limit {limit:g} mm" if off == off else "not found in the images"
        raise TargetLost(f"target {what}, {self.rules.most_repeats} images in a row", self.rules.then == "reposition")

    async def _next(self, marks: list[float]) -> Trigger:
        """Wait for what the protocol names; no longer than the protocol lets the target go unseen."""
        wait_s = BEFORE_IT_IS_LATE * self.rules.longest_s
        try:
            if self.rules.every_gates:
                return await self._gate(self.rules.every_gates, wait_s)
            if self.rules.every_s:
                await asyncio.sleep(min(self.rules.every_s, wait_s))
                return "time"
            at_mu = marks.pop(0) if marks else math.inf
            await self.suite.linac.conditions.until(Signal.MU_1, ">=", at_mu, 0.0, wait_s)
        except TimeoutError:
            return "time"
        return "angle" if self.rules.every_deg else "mu"

    async def _gate(self, openings: int, wait_s: float) -> Trigger:
        until = self.suite.linac.conditions.until
        async with asyncio.timeout(wait_s):
            for _ in range(openings):
                await until(Signal.GATE_SHUT, ">=", 1.0)
                await until(Signal.GATE_SHUT, "<=", 0.0)
        return "gate"

    async def _image(self, trigger: Trigger) -> Tracked:
        """One exposure now; its answer reaches the cycle when a real one would."""
        linac, imaging = self.suite.linac, self.imaging
        at_mu = self.field.start_mu if trigger == "before" else linac.beam.mu_1  # counters are cleared when a field is armed
        try:
            frame = imaging.kv.triggered(imaging.technique_at(self.rules.binning))
        except DeviceError as failure:  # nobody knows where the target is
            raise TargetLost(f"target not seen: {failure}", self.rules.then == "reposition") from None
        name = uid("triggered", str(self.suite.session_number), str(len(imaging.tracked)))
        angle = float(self.field.beam.couch[0][3])
        found = locate(imaging, frame, angle, self.rules.similarity)
        tracked = Tracked(frame, name, self.field.beam.number, at_mu, trigger, found.off_mm, found.similarity,
                          seen(found.off_mm, imaging.protocol.intrafraction.limit_mm), angle)
        await asyncio.sleep(self.rules.takes_s)
        imaging.tracked.append(tracked)
        linac.control.job["target_off_mm"] = round(math.hypot(*found.off_mm), 3)
        linac.control.job["target_cycle"] = round(frame.time_s / DT_S)
        linac.log("kv_imager", f"triggered image: {tracked.seen}", why=f"{trigger}, {at_mu:.2f} MU, {frame.gantry_deg:.1f} deg",
                  new=", ".join(f"{v:.2f}" for v in found.off_mm) + " mm")
        return tracked


def seen(off_mm: tuple[float, float], limit_mm: float) -> Seen:
    """What an image says."""
    way = math.hypot(*off_mm)
    return "not found" if way != way else ("inside" if way <= limit_mm else "outside")


def marks_mu(field: Field, rules: TriggeredConfig) -> list[float]:
    """MU of the field at which images are due; those of angles by where the arc is at which dose."""
    start, last = field.start_mu, float(field.mu[-1])
    if rules.every_mu:
        first = math.floor(start / rules.every_mu) + 1
        return [k * rules.every_mu for k in range(first, math.ceil(last / rules.every_mu))]
    if rules.every_deg:
        turned = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(np.asarray(field.axes["gantry"])[:, 0])))])
        steps = np.arange(rules.every_deg, turned[-1], rules.every_deg)
        return [float(v) for v in np.interp(steps, turned, field.mu)]
    return []
