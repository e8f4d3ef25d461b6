"""One patient in one arm on one day: set-up, image, shift, treatment; then the truth of it. No clock, no records."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from device_models.patient.couch import CouchPose
from device_models.patient.hidden import HiddenPose

from ..errors import RefusedError
from ..imaging.couch import CouchMechanics, CouchPosition
from ..imaging.couch_shift import CouchAxes, CouchOrder, ShiftLimits, couch_order
from ..imaging.fit import Fit, complaints
from ..imaging.pose import rounded
from .config import ArmConfig
from .cover import Floats, Target
from .population import Day
from .room import Look, Room

AT_ZERO = CouchPose()


@dataclass(slots=True, eq=False)
class Looks:
    """What was seen on one day: an image that two arms take at the same instant of the same patient is made once."""

    room: Room
    day: Day
    images: dict[Any, Any] = field(default_factory=dict)
    fits: dict[Any, Fit] = field(default_factory=dict)

    def fit(self, look: Look, dof: int) -> Fit:
        """A match, good or not."""
        key = (look.kind, look.number, look.time_s, look.hidden, look.couch)
        if key not in self.images:
            frames = self.room.frames(look, self.day.seed)
            self.images[key] = self.room.volume(frames) if look.kind == "cbct" else self.room.radiographs(frames)
        if (key, dof) not in self.fits:
            self.fits[key, dof] = self.room.match(look.kind, self.images[key], dof)
        return self.fits[key, dof]


@dataclass(slots=True, eq=False)
class Course:
    """What happened, and the moved target at every sample of the beam-on time."""

    hidden: HiddenPose
    couch: CouchPose = AT_ZERO  # truth
    seen: CouchPose = AT_ZERO  # readback
    time_s: float = 0.0
    images: int = 0
    shifts: int = 0
    set_ups: int = 0
    refused: int = 0  # repeated images that could not be used
    treated: bool = True
    offsets: list[Floats] = field(default_factory=list)  # (3,) mm of the target's centre
    margins: list[float] = field(default_factory=list)  # mm: see `Target.margin_mm`
    places: list[Floats] = field(default_factory=list)  # (n, 3) mm of its outline


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """An arm's rules for one day."""

    room: Room
    arm: ArmConfig
    day: Day
    looks: Looks
    target: Target

    def run(self) -> Course:
        """From set-up to the last beam."""
        times = self.room.study.timeline
        course = Course(self.day.lies(0, 0.0), time_s=times.start_s)
        if self.arm.image != "none":
            course.treated = self._position(course)
        if course.treated:
            self._treat(course)
        return course

    def _position(self, course: Course) -> bool:
        """Image and shift, setting up again when that is asked for; False when the session is given up."""
        times = self.room.study.timeline
        for attempt in range(self.room.study.most_set_ups + 1):
            try:
                self._shift(course, self._order(self._image(course)[0], course.seen, first=True))
                return True
            except RefusedError:
                if attempt == self.room.study.most_set_ups:
                    return False
            course.set_ups += 1
            course.time_s += times.set_up_s
            course.hidden = self.day.lies(attempt + 1, course.time_s)
            course.time_s += times.start_s
        return False

    def _treat(self, course: Course) -> None:
        left = self.room.study.timeline.beam_s
        while left > 0.0:
            part = min(left, self.arm.every_s or left)
            self._beam(course, part)
            left -= part
            if left > 0.0:
                self._again(course)

    def _again(self, course: Course) -> None:
        """An image between beams; the couch moves only beyond the action level."""
        try:
            fit, beyond = self._image(course)
            if beyond:
                self._shift(course, self._order(fit, course.seen, first=False))
        except RefusedError:
            course.refused += 1

    def _image(self, course: Course) -> tuple[Fit, bool]:
        """(match, is it beyond the action level); RefusedError for a poor match."""
        room, kind = self.room, self.arm.image
        number = self.day.first_frame + 2000 * course.images
        look = Look(kind, number, course.time_s, course.hidden, course.couch, course.seen, self.day.imager_off_mm())
        course.images += 1
        course.time_s += room.lasts_s(kind) + room.study.timeline.decide_s
        fit = self.looks.fit(look, self.arm.dof)
        if wrong := complaints(fit, room.limits):
            raise RefusedError("; ".join(wrong))
        mm, deg = size(fit)
        return fit, mm > self.arm.action_mm or deg > self.arm.action_deg

    def _order(self, fit: Fit, seen: CouchPose, first: bool) -> CouchOrder:
        """Couch targets; RefusedError when the protocol or the couch says no."""
        levels, shift = self.room.protocol.levels, self.room.protocol.shift
        mm, deg = size(fit)
        if first and (mm > levels.set_up_mm or deg > levels.set_up_deg):
            raise RefusedError(f"{mm:.1f} mm, {deg:.1f} deg: set up again")
        limits = ShiftLimits(shift.tilt_deg, shift.remote_mm, shift.remote_deg, shift.stale_mm, shift.stale_deg)
        x, y, z = (float(v) for v in self.target.centre)
        axes = CouchAxes(self.arm.dof)
        return couch_order(rounded(fit.pose), CouchPosition(*seen.six), axes, CouchMechanics(), limits, (x, y, z))

    def _shift(self, course: Course, order: CouchOrder) -> None:
        course.seen = CouchPose(*order.targets.six)
        course.couch = self.day.couch_after(course.seen, course.shifts)
        course.shifts += 1
        course.time_s += self.room.study.timeline.shift_s

    def _beam(self, course: Course, lasts_s: float) -> None:
        """The truth in the middle of every sample."""
        count = max(1, round(lasts_s / self.room.study.timeline.sample_s))
        off = np.array(self.day.beam_off_mm())
        for k in range(count):
            error = course.hidden.error(course.time_s + (k + 0.5) * lasts_s / count, course.couch)
            place = error.apply(self.target.points) + off
            course.places.append(place)
            course.offsets.append(error.apply(self.target.centre) + off - self.target.centre)
            course.margins.append(self.target.margin_mm(place))
        course.time_s += lasts_s


def size(fit: Fit) -> tuple[float, float]:
    """(mm at the isocentre, largest of the three turns in deg)."""
    return fit.pose.shift_mm, float(np.abs(fit.pose.r_deg).max())
