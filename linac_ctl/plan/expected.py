"""What a plan has to be, said by somebody else than its file: the order, a second calculation of MU, the approved plan's hash."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from linac_ctl.plan.model import Plan

TOLERANCE_PERCENT = 5.0  # what an independent calculation of MU may differ by before somebody looks (AAPM TG-114)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is not given is not compared."""

    by: str  # who says so, for messages and the record
    sha256: str = ""  # of the file's bytes
    mu: float | None = None  # of the fraction, all beams together
    beams: Mapping[int, float] = field(default_factory=dict)  # MU of single beams
    fraction_gy: float | None = None  # prescribed; held against the plan's own doses of beams
    within_percent: float = TOLERANCE_PERCENT

    def other_file(self, plan: Plan) -> str:
        """Empty, or why this is not the file that was meant."""
        if not self.sha256 or plan.sha256.startswith(self.sha256):
            return ""
        return f"the file's sha256 is {plan.sha256[:16]}..., by {self.by} it is {self.sha256[:16]}..."

    def other_dose(self, plan: Plan, group: int | None) -> tuple[str, ...]:
        """What differs from the fraction's dose; empty when nothing does."""
        return tuple(self._differences(plan, group))

    def _differences(self, plan: Plan, group: int | None) -> Iterator[str]:
        beams = {beam.number: beam.mu for beam in plan.fraction(group)}
        if self.mu is not None:
            yield from self._compared("fraction", sum(beams.values()), self.mu, "MU")
        for number, mu in self.beams.items():
            if number not in beams:
                yield f"beam {number} is not there, {self.by} knows it with {mu:.2f} MU"
                continue
            yield from self._compared(f"beam {number}", beams[number], mu, "MU")
        if self.beams:
            yield from (f"beam {n} with {mu:.2f} MU is not known by {self.by}" for n, mu in beams.items() if n not in self.beams)
        if self.fraction_gy is not None and (gy := plan.fraction_gy(group)) is not None:
            yield from self._compared("fraction", gy, self.fraction_gy, "Gy")

    def _compared(self, what: str, is_now: float, said: float, unit: str) -> Iterator[str]:
        if not abs(is_now - said) <= self.within_percent / 100.0 * said:  # NaN is no match
            yield f"{what} has {is_now:.2f} {unit}, by {self.by} {said:.2f} {unit}, limit {self.within_percent:g} %"
