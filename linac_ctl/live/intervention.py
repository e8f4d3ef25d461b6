"""One thing that was done to a session from outside, between two cycles. Its event holds all that is needed to do it again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import RefusedError
from ..records.events import Event

if TYPE_CHECKING:
    from ..app import Simulation
    from ..injection.injector import Injector

DO = "do"  # key in an event's `new`
FAULT = "fault"  # who says that a fault has begun


@dataclass(frozen=True, slots=True)
class Intervention:
    """What, by whom, why, and after which cycle. `first`: before the session's own first event."""

    do: str  # act, inject or clear
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
        if self.do == "act":
            return str(self.what["act"])
        fault = self.what.get("fault", {})
        name, what = self.what.get("id") or fault.get("id"), fault.get("mode") or fault.get("signal") or fault.get("parameter")
        return f"{self.do} {name} ({what})" if name and what and name != what else f"{self.do} {name or what}"


def act(name: str, who: str, role: str, why: str) -> Intervention:
    """Hands do something."""
    return Intervention("act", {"act": name}, who, role, why)


def inject(fault: dict[str, Any], who: str, why: str) -> Intervention:
    """A fault, in the words of a schedule. Without `when` it is now; without `id` it is named after what it is."""
    return Intervention("inject", {"fault": fault}, who, why=why)


def clear(name: str, who: str, why: str) -> Intervention:
    """The fault of this name goes away."""
    return Intervention("clear", {"id": name}, who, why=why)


def _act(sim: "Simulation", what: dict[str, Any]) -> None:
    sim.staff.hands.do(what["act"])


def _inject(sim: "Simulation", what: dict[str, Any]) -> None:
    from .said_fault import fault_of, not_too_late

    armed = armed_injector(sim)
    fault = not_too_late(fault_of(what["fault"], list(armed.faults), sim.engine.cycle), sim.order)
    (armed.add if "when" in what["fault"] else armed.inject)(fault)


def _clear(sim: "Simulation", what: dict[str, Any]) -> None:
    armed_injector(sim).clear(what["id"])


DOING = {"act": _act, "inject": _inject, "clear": _clear}


def armed_injector(sim: "Simulation") -> "Injector":
    """RefusedError in a session that is not armed: nothing can go wrong in it that nobody asked for beforehand."""
    if sim.injector is None:
        raise RefusedError("faults: this session is not armed for them; start it with --faults FILE, or --faults none")
    return sim.injector


def on_record(events: Iterable[Event]) -> tuple[Intervention, ...]:
    """All interventions among these events, in order."""
    found: list[Intervention] = []
    first = True
    for event in events:
        if isinstance(event.new, dict) and DO in event.new:
            what = {key: value for key, value in event.new.items() if key != DO}
            found.append(Intervention(event.new[DO], what, event.who, event.role, event.why, event.cycle, first))
        elif event.who != FAULT:  # what the injection says of an intervention stands before it
            first = False
    return tuple(found)
