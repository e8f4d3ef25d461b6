"""All modes by id. A family file lists its own; this one only puts them together."""

from functools import cache

from ..errors import FaultError, nearest
from . import actuator, clock, controller, data, dose, imager, link, operator, plant, room, safety_chain, sensor
from .mode import Mode

FAMILIES = (
    plant.MODES, sensor.MODES, actuator.MODES, dose.MODES, link.MODES, clock.MODES, controller.MODES, operator.MODES, data.MODES,
    imager.MODES, room.MODES, safety_chain.MODES,
)


@cache
def catalogue() -> dict[str, Mode]:
    """id -> mode, in the order of the families."""
    found = [mode for family in FAMILIES for mode in family]
    names = [mode.id for mode in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise FaultError(f"fault modes: {', '.join(sorted(twice))} more than once")
    return {mode.id: mode for mode in found}


def find(name: str) -> Mode:
    """A mode by its id; FaultError with the nearest ones."""
    modes = catalogue()
    if name not in modes:
        raise FaultError(f"fault mode {name!r}: unknown{nearest(name, list(modes))}")
    return modes[name]
