"""The referee's word on the machine of a test: truth and wires against every property, whatever the controller says of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device_models.referee.judging.verdict import Verdict, Verdicts

    from .rig import Rig


class Referee:
    """`asked`: somebody wanted to know. A test that has a referee and never asks it has proved nothing."""

    def __init__(self, linac: "Rig") -> None:
        self._linac, self.asked = linac, False

    def verdicts(self) -> "Verdicts":
        """On the run so far, all properties."""
        self.asked = True
        return self._linac.sim.verdicts()

    def __getitem__(self, name: str) -> "Verdict":
        """On one property, like "SI-20"; KeyError for one that there is not."""
        found = self.verdicts()
        if name not in (known := [one.id for one in found]):
            raise KeyError(f"referee: no property {name!r}; there are {', '.join(known)}")
        return found[name]

    @property
    def violated(self) -> tuple[str, ...]:
        """Ids of the properties that the run has violated so far."""
        return tuple(one.id for one in self.verdicts().violated)

    def passes(self) -> "Verdicts":
        """To the end of the session; then every fault has to have acted, and no property may be violated. AssertionError else."""
        __tracebackhide__ = True
        self._linac.finish()
        idle = [one.id for one in self._linac.evidence() if not one.activated]
        found = self.verdicts()
        if idle:
            raise AssertionError(f"referee: {', '.join(idle)} never had an effect, so this run proves nothing; "
                                 "inject where it bites")
        if found.violated:
            raise AssertionError(f"referee: {found.line}")
        return found


def worst(linac: "Rig") -> list[str]:
    """What a failed test says of the referee: all that is violated, else what came closest, one for each unit."""
    found = linac.sim.verdicts()
    if found.violated:
        return [str(one) for one in found.violated]
    near = [one for one in found.judged if one.margin is not None and one.cycle is not None]
    closest: dict[str, Verdict] = {}
    for one in sorted(near, key=lambda one: one.margin or 0.0):
        closest.setdefault(one.unit, one)
    return [found.line, *map(str, closest.values())]
