"""A twin of the plant without one fault: as long as truth and wires of both are equal, the fault has done nothing yet.

Until then the twin hears the very setpoints of the real machine, so both runs are the same run: the first difference is
the moment in which the fault became effective, exactly. After that the twin goes on with the real machine's setpoints until both
are further apart than they may be: from then on somebody has to notice.
"""

from typing import Any, NamedTuple

import numpy as np

from ..interface.compiled import compiled
from ..interface.image import AXIS_DEVICES, Image
from ..plant import Plant, step_plant
from .allowed import PLACES, READINGS, TURNING_DEG_PER_S, bounds, of_devices
from .noise_floor import audible, floors
from .wire import beyond, put
from .words import Word, words_of

NEVER_WRITTEN = ("envelope", "sine")  # tables: one of each is enough for both
AWAY = 0.02  # mm or deg: true places that are further apart are apart by more than what moves them trembles
TURNED_DEG = 0.01

PEOPLE = ("door_closed", "search_pressed", "patient_present", "estop_ok", "motion_enable", "touchguard_ok", "key_on", "mains_ok",
          "room_monitor_ok", "service_mode", "bypass")  # of the room, written by hands


class Beside(NamedTuple):
    """A twin as the cycle has it: its machine and wires, the real machine's wires, and what is not copied from people's hands."""

    plant: Any
    image: Any
    floats: Any
    wholes: Any
    real_image: Any
    real_floats: Any
    real: Any
    noise: Any
    bounds: Any  # what wires may be off; readings of axes are compared with truth instead
    places: Any  # device -> (n,) f8: what true places may be off, mm or deg
    readings: Any  # device -> (n,) f8: what a reading may be off from truth
    state: Any  # (2,) i8: 1 = it acts, and is not yet beyond what may be; number of the fault whose wires lie to the real one only
    own: Any  # (len(PEOPLE),) i8: 1 = this fault writes it


@compiled
def shadow(beside, real_plant, out, cycle):
    """One cycle of the twin: it hears what the real machine hears, less what its own fault says, and people do the same to it."""
    for i in range(beside.plant.room.size):
        by_hand(beside.plant.room[i], real_plant.room[i], beside.own)
    for part in range(len(beside.real)):
        for word in range(beside.real[part].size):
            beside.wholes[part][word] = beside.real[part][word]
    for i in range(out.size):
        if out[i].fault == beside.state[1] and out[i].active == 1:
            put(beside.floats, beside.wholes, out[i].part, out[i].word, out[i].whole, out[i].clean)
    step_plant(beside.plant, beside.image, cycle)


@compiled
def by_hand(room, real, own):
    """In the order of PEOPLE."""
    room.door_closed = room.door_closed if own[0] == 1 else real.door_closed
    room.search_pressed = room.search_pressed if own[1] == 1 else real.search_pressed
    room.patient_present = room.patient_present if own[2] == 1 else real.patient_present
    room.estop_ok = room.estop_ok if own[3] == 1 else real.estop_ok
    room.motion_enable = room.motion_enable if own[4] == 1 else real.motion_enable
    room.touchguard_ok = room.touchguard_ok if own[5] == 1 else real.touchguard_ok
    room.key_on = room.key_on if own[6] == 1 else real.key_on
    room.mains_ok = room.mains_ok if own[7] == 1 else real.mains_ok
    room.room_monitor_ok = room.room_monitor_ok if own[8] == 1 else real.room_monitor_ok
    room.service_mode = room.service_mode if own[9] == 1 else real.service_mode
    room.bypass = room.bypass if own[10] == 1 else real.bypass


@compiled
def differs(beside, real_plant):
    """After both have stepped, before anybody disturbs what the real one says."""
    if beside.state[0] == 1:
        return strays(beside, real_plant)
    return wires_differ(beside.wholes, beside.real, beside.floats, beside.real_floats, beside.noise) or truths_differ(
        beside.plant, real_plant)


@compiled
def apart(a, b):
    """No place is as far away as can be."""
    for i in range(a.size):  # noqa: SIM110 - machine code has no any() over a generator
        if not abs(a[i].position - b[i].position) <= AWAY:
            return True
    return False


@compiled
def truths_differ(a, b):
    """What is true of the machine, beside what it says."""
    head = apart(a.gantry, b.gantry) or apart(a.collimator, b.collimator) or apart(a.jaws, b.jaws) or apart(a.mlc, b.mlc)
    others = apart(a.carriages, b.carriages) or apart(a.couch, b.couch) or apart(a.kv_arms, b.kv_arms) or apart(a.mv_arm, b.mv_arm)
    return head or others or other_truths_differ(a, b)


@compiled
def other_truths_differ(a, b):
    """Dose, permit, door, carousel."""
    if a.beam[0].true_total_mu != b.beam[0].true_total_mu or a.safety[0].permit != b.safety[0].permit:
        return True
    return a.room[0].door_closed != b.room[0].door_closed or not (
        abs(a.carousel[0].angle_deg - b.carousel[0].angle_deg) <= TURNED_DEG)


@compiled
def wires_differ(wholes, real, floats, real_floats, noise):
    """Bit by bit, so no number is equal to the same no number; readings by more than their noise."""
    for part in range(len(real)):
        for word in range(real[part].size):
            if wholes[part][word] != real[part][word]:
                most = noise[part][word]
                if not (most > 0.0 and abs(floats[part][word] - real_floats[part][word]) <= most):
                    return True
    return False


@compiled
def strays(beside, real):
    """Are they further apart than they may be?"""
    twin, heard, image, places, readings = beside.plant, beside.real_image, beside.image, beside.places, beside.readings
    if other_truths_differ(twin, real) or wires_stray(beside.wholes, beside.real, beside.floats, beside.real_floats, beside.bounds):
        return True
    turning = 2.0 if twin.gantry.size > 0 and abs(twin.gantry[0].velocity) > TURNING_DEG_PER_S else 1.0
    head = (off(real.gantry, twin.gantry, heard.gantry, image.gantry, places[0], turning, readings[0])
            or off(real.collimator, twin.collimator, heard.collimator, image.collimator, places[1], 1.0, readings[1])
            or off(real.jaws, twin.jaws, heard.jaws, image.jaws, places[2], 1.0, readings[2])
            or off(real.mlc, twin.mlc, heard.mlc, image.mlc, places[3], 1.0, readings[3]))
    return (head or off(real.carriages, twin.carriages, heard.carriages, image.carriages, places[4], 1.0, readings[4])
            or off(real.couch, twin.couch, heard.couch, image.couch, places[5], 1.0, readings[5])
            or off(real.kv_arms, twin.kv_arms, heard.kv_arms, image.kv_arms, places[6], 1.0, readings[6])
            or off(real.mv_arm, twin.mv_arm, heard.mv_arm, image.mv_arm, places[7], 1.0, readings[7]))


@compiled
def off(real, twin, heard, image, places, times, readings):
    """Axes of one device: a true place that is too far away, or a reading too far from its own truth."""
    for i in range(real.size):
        a, b = real[i].position, twin[i].position
        lie = (heard[i].readback - a) - (image[i].readback - b)
        lie_2 = (heard[i].readback_2 - a) - (image[i].readback_2 - b)
        if not (abs(a - b) <= places[i] * times and abs(lie) <= readings[i] and abs(lie_2) <= readings[i]):
            return True
    return False


@compiled
def wires_stray(wholes, real, floats, real_floats, bounds):
    """Wires that are no axis's: by more than they may be."""
    for part in range(len(real)):
        for word in range(real[part].size):
            if wholes[part][word] != real[part][word]:
                most = bounds[part][word]
                if most == 0.0 or beyond(real_floats[part][word], floats[part][word], most):
                    return True
    return False


def views(image: Image) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """All wires as floats and as whole numbers, part by part."""
    both = [words_of(part) for part in image]
    return tuple(f for f, _ in both), tuple(w for _, w in both)


def no_axes(image: Image) -> tuple[Any, ...]:
    """What wires may be off, those of axes left to `off`."""
    named = zip(image._fields, bounds(image))
    return tuple(np.full_like(bound, np.inf) if name in AXIS_DEVICES else bound for name, bound in named)


def most(image: Image) -> tuple[Any, Any, Any]:
    """What wires, places and readings may be off."""
    return no_axes(image), of_devices(PLACES, image), of_devices(READINGS, image)


def copied(parts: Any) -> Any:
    """A NamedTuple of arrays and NamedTuples with memory of its own."""
    return type(parts)._make(copied(part) if isinstance(part, tuple) else part.copy() for part in parts)


class Twin:
    """The machine as it would be without one fault."""

    def __init__(self, plant: Plant, image: Image, own: frozenset[str] = frozenset(), fault: int = -1,
                 like: Beside | None = None) -> None:
        """Before the fault writes: both machines are the same. `own`: paths of the words it will write; `fault`: its number.

        `like`: another twin of this machine, which may be off by as much.
        """
        self.plant = copied(plant)._replace(**{name: getattr(plant, name) for name in NEVER_WRITTEN})
        self.image, self.own = copied(image), own
        floats, wholes = views(self.image)
        mine = np.array([f"plant.room[0].{name}" in own for name in PEOPLE], np.int64)
        state = np.array([0, fault], np.int64)
        if like is not None:
            self.beside = like._replace(plant=self.plant, image=self.image, floats=floats, wholes=wholes, state=state, own=mine,
                                        noise=audible(like.noise, image, own))
            return
        real_floats, real = views(image)
        self.beside = Beside(self.plant, self.image, floats, wholes, image, real_floats, real, floors(image, plant), *most(image),
                             state, mine)

    @property
    def acts(self) -> bool:
        """It has had an effect."""
        return bool(self.beside.state[0])

    def go_on(self) -> None:
        """It has: from now on what is too much is looked for."""
        self.beside.state[0] = 1

    def write(self, word: Word, value: float) -> None:
        """Another fault's write to the plant: the twin is without its own fault only, and without any other that does the same."""
        if word.path in self.own:
            return
        flat, whole = words_of(getattr(self.plant, word.path.split(".")[1].partition("[")[0]))
        if word.whole:
            whole[word.word] = round(value)
        else:
            flat[word.word] = value
