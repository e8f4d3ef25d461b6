"""What one check of the conformance kit found: statements, each true or not, and the bytes that show it."""

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the page demands, whether the device does it, and what it did."""

    text: str
    true: bool
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """Bytes of the traffic: when, which way, and what the decoder makes of them."""

    t_ms: float
    sent: bool
    text: str
    problem: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number worth keeping, with its unit."""

    name: str
    value: float
    unit: str


@dataclass(slots=True)
class Finding:
    """A check that was made, or why it was not."""

    name: str
    claim: str
    clause: str
    statements: list[Statement] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    traffic: list[Heard] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def state(self) -> State:
        """A check that states nothing has not passed."""
        if self.skipped:
            return State.SKIPPED
        return State.PASSED if self.statements and all(s.true for s in self.statements) else State.FAILED

    @property
    def wrong(self) -> list[Statement]:
        """What the device does not do."""
        return [statement for statement in self.statements if not statement.true]
