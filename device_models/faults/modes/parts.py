"""What families of modes have in common: names of axes, settings as numbers and words, values that go by and by."""

from collections.abc import Callable

from ..action import Action, Ramp, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Range, Reaction

COUCH = Choice(("vertical", "longitudinal", "lateral", "rotation", "pitch", "roll"))
COUCH_MM = Choice(("vertical", "longitudinal", "lateral"))
LEAF = Range(0, 119, 17, whole=True)
WHICH = Choice(("primary", "secondary"))
BEAM_OFF_STOP: tuple[Reaction, ...] = ("beam_off", "motion_stop")
SHORTEST_S = 0.01  # what takes no longer than a cycle is a step


def number(given: Given, name: str) -> float:
    """A setting as a number."""
    return float(given[name])


def word(given: Given, name: str) -> str:
    """A setting as a word."""
    return str(given[name])


def to(path: str, value: float, seconds: float = 0.0) -> Action:
    """A parameter takes a value, at once or by and by."""
    return Write(path, value) if seconds < SHORTEST_S else Ramp(path, value, seconds)


def always_says(path: str, value: float) -> Wire:
    """A wire that says this value, whatever was put on it."""
    return Wire(path, Behaviour.CLIP, value, value)


def second(given: Given, name: str) -> str:
    """Name of a drive's field: of the second encoder when that one is meant."""
    return f"{name}_2" if word(given, "which") == "secondary" else name


def beyond(name: str, limit: float, fine: float | None = None) -> Callable[[Given], Demand]:
    """The machine has to react above `limit`, must not up to `fine`, and may do either in between; sizes without sign."""
    def demand(given: Given) -> Demand:
        size = abs(number(given, name))
        if size > limit:
            return "react"
        return "nothing" if fine is not None and size <= fine else "either"
    return demand
