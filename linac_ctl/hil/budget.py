"""How often an exchange per cycle fits through a line: the same figures as on the protocol page, for this device."""

from dataclasses import dataclass

from device_models.interface.wire.fields import EVERY_UNIT
from device_models.interface.wire.sizes import highest_rate_hz, sizes

from .description import Description

BAUDS = (9600, 57_600, 115_200, 230_400, 460_800, 921_600)
CYCLE_HZ = 100.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes of the longest `SV` and answer, and the highest rate at each baud rate."""

    asked_bytes: int
    answered_bytes: int
    rate_hz: dict[int, float]

    def enough(self, baud: int) -> bool:
        """For a cycle of 10 ms."""
        return self.rate_hz.get(baud, 0.0) >= CYCLE_HZ


def budget(told: Description, baud: int) -> Budget | None:
    """None for a unit that the page does not know."""
    unit = EVERY_UNIT.get(told.unit)
    if unit is None or (unit.axes and not told.axes):
        return None
    limits = [(axis.low, axis.high) for axis in told.axes]
    bauds = sorted({*BAUDS, *([baud] if baud else [])})
    return Budget(*sizes(unit, limits), {rate: highest_rate_hz(unit, limits, rate) for rate in bauds})
