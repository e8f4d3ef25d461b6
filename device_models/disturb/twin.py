"""A twin of the plant without one fault: as long as truth and wires of both are equal, the fault has done nothing yet.

Until then the twin hears the very setpoints of the real machine, so both runs are the same run: the first difference is
the moment in which the fault became effective, exactly.
"""

from typing import Any

import numpy as np

from ..interface.compiled import compiled
from ..interface.image import Image
from ..plant import Plant, step_plant
from .noise_floor import floors
from .words import Word, words_of

TRUTH = {  # what is true of the machine, beside what it says, and how much of a difference is more than noise
    "gantry": ("position", 0.02), "collimator": ("position", 0.02), "jaws": ("position", 0.02), "mlc": ("position", 0.02),
    "carriages": ("position", 0.02), "couch": ("position", 0.02), "kv_arms": ("position", 0.02), "mv_arm": ("position", 0.02),
    "beam": ("true_total_mu", 0.0), "carousel": ("angle_deg", 0.01), "safety": ("permit", 0.0), "room": ("door_closed", 0.0),
}

PEOPLE = ("door_closed", "search_pressed", "patient_present", "estop_ok", "motion_enable", "touchguard_ok", "key_on", "mains_ok",
          "room_monitor_ok", "service_mode", "bypass")  # of the room, written by hands


@compiled
def shadow(plant, image, wholes, real, cycle):
    """One cycle of the twin: it hears what the real machine hears."""
    for part in range(len(real)):
        for word in range(real[part].size):
            wholes[part][word] = real[part][word]
    step_plant(plant, image, cycle)


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


def views(image: Image) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """All wires as floats and as whole numbers, part by part."""
    both = [words_of(part) for part in image]
    return tuple(f for f, _ in both), tuple(w for _, w in both)


def copied(parts: Any) -> Any:
    """A NamedTuple of arrays and NamedTuples with memory of its own."""
    return type(parts)._make(copied(part) if isinstance(part, tuple) else part.copy() for part in parts)


class Twin:
    """The machine as it would be without one fault."""

    def __init__(self, plant: Plant, image: Image, own: frozenset[str] = frozenset()) -> None:
        """Before the fault writes: both machines are the same. `own`: paths of the words it will write."""
        self.own = own
        self.real_plant, self.plant, self.image = plant, copied(plant), copied(image)
        self.real_floats, self.real = views(image)
        self.floats, self.wholes = views(self.image)
        self.noise = floors(image, plant)

    def step(self, cycle: int) -> None:
        """After the controller has spoken, before the real machine steps. What people do, they do to both machines."""
        for field in PEOPLE:
            if f"plant.room[0].{field}" not in self.own:
                self.plant.room[field] = self.real_plant.room[field]
        shadow(self.plant, self.image, self.wholes, self.real, np.int64(cycle))

    def differs(self) -> bool:
        """After the real machine has stepped, before anybody disturbs what it says."""
        return bool(wires_differ(self.wholes, self.real, self.floats, self.real_floats, self.noise)) or self._truth_differs()

    def write(self, word: Word, value: float) -> None:
        """Another fault's write to the plant: the twin is without its own fault only."""
        flat, whole = words_of(getattr(self.plant, word.path.split(".")[1].partition("[")[0]))
        if word.whole:
            whole[word.word] = round(value)
        else:
            flat[word.word] = value

    def _truth_differs(self) -> bool:
        for name, (field, noise) in TRUTH.items():
            a, b = getattr(self.plant, name)[field], getattr(self.real_plant, name)[field]
            if len(a) and not float(np.abs(a - b).max()) <= noise:
                return True
        return False
