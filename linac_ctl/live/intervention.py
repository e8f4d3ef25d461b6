"""One thing that was done to a session from outside, between two cycles. Its event holds all that is needed to do it again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records.events import Event

if TYPE_CHECKING:
    from ..app import Simulation

DO = "do"  # key in an event's `new`


@dataclass(frozen=True, slots=True)
class Intervention:
    """What, by whom, why, and after which cycle. `first`: before the session's own first event."""

    do: str  # act
    what: dict[str, Any]
    who: str
    role: str = ""
    why: str = ""
    cycle: int = 0
    first: bool = False

    def carry_out(self, sim: "Simulation") -> None:
        """Now: the next cycle is the first that sees it. What cannot be done raises, and is on no record."""
        DOING[self.do](sim, self.what)
        sim.log(self.who, self.text, role=self.role, why=self.why, new={DO: self.do, **self.what})

    @property
    def text(self) -> str:
        """For the event log."""
        return str(self.what["act"])


def act(name: str, who: str, role: str, why: str) -> Intervention:
    """Hands do something."""
    return Intervention("act", {"act": name}, who, role, why)


def _act(sim: "Simulation", what: dict[str, Any]) -> None:
    sim.staff.hands.do(what["act"])


DOING = {"act": _act}


def on_record(events: Iterable[Event]) -> tuple[Intervention, ...]:
    """All interventions among these events, in order."""
    found: list[Intervention] = []
    first = True
    for event in events:
        if isinstance(event.new, dict) and DO in event.new:
            what = {key: value for key, value in event.new.items() if key != DO}
            found.append(Intervention(event.new[DO], what, event.who, event.role, event.why, event.cycle, first))
        else:
            first = False
    return tuple(found)
