"""The value that goes through the steps of a workflow: what is known so far. Steps take one in and give a new one out."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from ..plan.expected import Expected
from ..plan.model import Beam, Plan
from ..subsystems.linac import Linac
from .staff import Staff

if TYPE_CHECKING:  # sessions without images start without them
    from ..imaging.match import Match
    from .approval import Approval
    from .images import ImageSet, Imaging
    from .protocol import Decision


@dataclass(frozen=True, slots=True)
class BeamOutcome:
    """One beam of the fraction, delivered or not. MU include earlier partial deliveries."""

    number: int
    name: str
    planned_mu: float
    start_mu: float
    mu_1: float
    mu_2: float
    beam_on_s: float
    complete: bool
    interruptions: int


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Frozen: a step that fails leaves the session as it was."""

    plan: Plan | None = None
    beams: tuple[Beam, ...] = ()
    identified_by: tuple[str, ...] = ()
    outcomes: tuple[BeamOutcome, ...] = ()
    images: "ImageSet | None" = None  # the latest
    match: "Match | None" = None  # of the latest images
    decision: "Decision | None" = None  # what the protocol makes of the match
    approval: "Approval | None" = None  # of that match

    def with_outcome(self, outcome: BeamOutcome) -> "Session":
        """One more beam dealt with; a repeated number replaces the older entry."""
        rest = tuple(o for o in self.outcomes if o.number != outcome.number)
        return replace(self, outcomes=(*rest, outcome))


class Record(Protocol):
    """What steps need of the record."""

    def can_go_on(self) -> bool:
        """True if what the next beam will write fits and can be written."""

    def delivered_before(self, beam_number: int) -> tuple[float, bool]:
        """(MU on record, complete) of an earlier partial delivery; (0.0, False) if there is none."""

    def counted(self, beam_number: int, mu: float) -> None:
        """So much of a beam was given, by what the machine has counted since the record was written."""

    def bytes_unchanged(self) -> tuple[bool, bool]:
        """(plan file, configuration): do they still have the bytes that were read at the start?"""


@dataclass(frozen=True, slots=True)
class Suite:
    """A treatment room: the machine, the people, the record, and what was chosen for this session."""

    linac: Linac
    staff: Staff
    record: Record
    plan: Plan
    group: int | None
    session_number: int
    resumed: bool = False
    imaging: "Imaging | None" = None  # only in workflows that take images
    expected: Expected | None = None  # what the plan has to be; None = nobody but its file says so


class Step(Protocol):
    """One step of a workflow: frozen settings, a Session in and a new one out."""

    async def run(self, suite: Suite, session: Session) -> Session:
        """Do it, or raise RefusedError (will not) or DeviceError (could not)."""


Settings = dict[str, Any]
