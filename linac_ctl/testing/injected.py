"""A fault that a test has put in: how far it has come, and how to take it out again."""

from typing import TYPE_CHECKING, Any

from ..injection.evidence import Evidence
from ..live.said_fault import free
from .moment import Moment

if TYPE_CHECKING:
    from .rig import Rig

OF_FAULT = ("id", "when", "lasts", "signal", "behaviour", "size", "size_2", "cycles", "chance", "other", "parameter", "value")


class Injected:
    """A handle; `id` is its name on record."""

    def __init__(self, linac: "Rig", name: str) -> None:
        self._linac, self.id = linac, name

    @property
    def evidence(self) -> Evidence:
        """As it stands now."""
        return next(one for one in self._linac.evidence() if one.id == self.id)

    @property
    def acted(self) -> bool:
        """Truth or a wire has been different because of it. A test of a fault that never acted proves nothing."""
        return self.evidence.activated

    @property
    def since_effective_ms(self) -> float | None:
        """Machine time since the first cycle in which anything was different; None before."""
        cycle = self.evidence.effective_cycle
        return None if cycle is None else (self._linac.cycle - cycle) * 10.0

    def clear(self) -> Moment:
        """Take it out."""
        return self._linac.clear(self.id)


def said(mode: str | None, how: dict[str, Any], taken: list[str]) -> dict[str, Any]:
    """The fault in the words of a schedule: what is no word of a fault is a setting of the mode."""
    fault = {key: value for key, value in how.items() if key in OF_FAULT}
    settings = {key: value for key, value in how.items() if key not in OF_FAULT}
    fault |= ({"mode": mode} if mode else {}) | ({"set": settings} if settings else {})
    name = str(fault.get("id") or mode or fault.get("signal") or fault.get("parameter") or "fault")
    return fault | {"id": name if "id" in fault else free(name, taken)}
