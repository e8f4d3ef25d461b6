"""What can be said of a machine at an instant: truth of the plant and the room, and the interlock rows in force.

A predicate is a question with a name, so that a test that fails can say what was asked and what was there instead.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rig import Rig

Question = Callable[["Rig"], Any]


class Predicate:
    """A question with a name; `&`, `|` and `~` make new ones. A plain function of the machine is one too."""

    def __init__(self, name: str, asks: Question, says: Callable[["Rig"], str] | None = None) -> None:
        """`says`: what is there at the moment, for the message of a test that fails."""
        self.name, self._asks, self._says = name, asks, says

    def __call__(self, linac: "Rig") -> bool:
        """Is it so now?"""
        return bool(self._asks(linac))

    def says(self, linac: "Rig") -> str:
        """What is there, in words; empty when there is nothing to add."""
        return self._says(linac) if self._says else ""

    def __and__(self, other: "Predicate") -> "Predicate":
        return Predicate(f"{self.name} and {other.name}", lambda m: self(m) and other(m), lambda m: both(m, self, other))

    def __or__(self, other: "Predicate") -> "Predicate":
        return Predicate(f"{self.name} or {other.name}", lambda m: self(m) or other(m), lambda m: both(m, self, other))

    def __invert__(self) -> "Predicate":
        return Predicate(f"not {self.name}", lambda m: not self(m), self._says)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def both(linac: "Rig", *predicates: Predicate) -> str:
    """What all of them say, each thing once."""
    return "; ".join(dict.fromkeys(filter(None, (p.says(linac) for p in predicates))))


def named(asked: Question) -> Predicate:
    """A predicate, or a plain function made into one."""
    if isinstance(asked, Predicate):
        return asked
    if not callable(asked):
        raise TypeError(f"{asked!r} is no question: give a predicate such as beam_off, or a function of the machine")
    return Predicate(getattr(asked, "__name__", "condition").replace("<lambda>", "the condition"), asked)


def _dose(linac: "Rig") -> str:
    return f"{linac.rate_mu_per_s:.2f} MU/s, permit {linac.permit}, channel {'closed' if linac.chain_closed else 'open'}"


def _active(linac: "Rig") -> str:
    rows = [trip.id for trip in linac.panel.active()]
    return f"in force: {', '.join(rows) or 'nothing'}"


def _history(linac: "Rig") -> str:
    trips = [f"{trip.id}{' (first-out)' if trip.first_out else ''}" for trip in linac.trips]
    return f"tripped so far: {', '.join(trips) or 'nothing'}"


def _door(linac: "Rig") -> str:
    return f"the door is {'shut' if linac.sim.plant.room['door_closed'][0] == 1.0 else 'open'}"


pulses = Predicate("pulses", lambda m: m.sim.plant.beam["pulses_now"][0] > 0, _dose)
"""A pulse has left the machine in this very cycle. At low dose rates most cycles of a beam have none: see `beam_on`."""

beam_on = Predicate("beam on", lambda m: m.emits, _dose)
"""Pulses leave the machine, or the next one may at any time. True to the source: no permit or message is asked."""

beam_off = Predicate("beam off", lambda m: not m.emits, _dose)
"""No pulse in this cycle, and none can come in the next."""

door_open = Predicate("door open", lambda m: m.sim.plant.room["door_closed"][0] != 1.0, _door)
door_closed = Predicate("door closed", lambda m: m.sim.plant.room["door_closed"][0] == 1.0, _door)
still = Predicate("still", lambda m: m.fastest == 0.0, lambda m: f"fastest axis {m.fastest:.3f} per s")
"""No axis moves, in truth."""

finished = Predicate("finished", lambda m: m.sim.finished, lambda m: f"phase {m.phase}")
"""The session is over and everything has come to rest."""


def at_mu(mu: float, beam: int | None = None) -> Predicate:
    """The field in hand (this DICOM beam number, if one is named) has really given so many MU."""
    which = "" if beam is None else f" of beam {beam}"
    return Predicate(f"at {mu:g} MU{which}", lambda m: m.mu >= mu and beam in (None, m.beam),
                     lambda m: f"beam {m.beam}, {m.mu:.3f} MU")


def phase(name: str) -> Predicate:
    """The controller is in this phase: idle, move, ready, beam or stopped."""
    return Predicate(f"phase {name}", lambda m: m.in_phase(name), lambda m: f"phase {m.phase}")


def interlock(name: str) -> Predicate:
    """This row of the interlock table is in force."""
    return Predicate(f"interlock {name} in force", lambda m: m.panel.in_force(m.panel.find(name)), _active)


def tripped(name: str) -> Predicate:
    """This row has tripped at some time in this run."""
    return Predicate(f"{name} tripped", lambda m: m.panel.find(name) >= 0 and name in [t.id for t in m.trips], _history)


def first_out(name: str) -> Predicate:
    """This row was the first to trip of those that stopped something, at some time in this run."""
    return Predicate(f"first-out {name}", lambda m: m.panel.find(name) >= 0 and name in m.first_out, _history)
