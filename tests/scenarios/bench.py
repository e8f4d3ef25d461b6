"""A session whose truth is looked at after every cycle, and whose machine breaks when a test says so.

    bench = Bench(order_for(beams=[small_arc()]), [at_mu(1, 3.0, dead_leaf)])
    bench.run()
    assert bench.applied == [cycle]      # the fault acted
    bench.truth()["mu"]                  # what left the machine, cycle by cycle
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from linac_ctl.order import Order
from linac_ctl.plan.model import Beam
from tests.support import Run

DT_S = 0.01
SHAPES = ("gantry", "collimator", "jaws", "mlc")
COLUMNS = ("cycle", "beam", "phase", "permit", "pulses", "mu", "total_mu", "gantry_deg", "gantry_deg_per_s")


@dataclass(frozen=True)
class Fault:
    """A write to the plant, the files or the controller's surroundings, once, as soon as `when` is true."""

    when: Callable[["Bench"], bool]
    do: Callable[["Bench"], None]


def at_mu(number: int, mu: float, do: Callable[["Bench"], None]) -> Fault:
    """When this beam has really given so many MU."""
    return Fault(lambda b: b.beam_number == number and float(b.plant.beam["true_mu"][0]) >= mu and b.pulses > 0, do)


def at_s(seconds: float, do: Callable[["Bench"], None]) -> Fault:
    """At a moment of machine time."""
    return Fault(lambda b: b.engine.cycle * DT_S >= seconds, do)


def after(event: str, seconds: float, do: Callable[["Bench"], None]) -> Fault:
    """So long after somebody wrote down an event that starts with these words."""
    return Fault(lambda b: any(e.what.startswith(event) and b.engine.cycle * DT_S >= e.t_s + seconds for e in b.events), do)


class Bench(Run):
    """See the module's first lines. `applied` holds the cycle in which each fault acted, in order."""

    def __init__(self, order: Order, faults: Sequence[Fault] = (), folder: Any = None, **kw: Any) -> None:
        super().__init__(order, folder, **kw)
        self.waiting, self.applied = list(faults), []
        self.seen: list[tuple[float, ...]] = []
        self.shapes: list[tuple[int, float, dict[str, Any]]] = []  # beam number, true MU, positions: cycles with dose
        self.observers.append((DT_S, self._look))

    @property
    def beam_number(self) -> int:
        """The field in hand."""
        return int(self.control.job["beam_number"][0])

    @property
    def pulses(self) -> int:
        """Pulses of the last cycle."""
        return int(self.plant.beam["pulses_now"][0])

    def _look(self) -> None:
        job, beam, gantry = self.control.job[0], self.plant.beam[0], self.plant.gantry[0]
        self.seen.append((job["cycle"], job["beam_number"], job["phase"], job["permit"], beam["pulses_now"], beam["true_mu"],
                          beam["true_total_mu"], gantry["position"], gantry["velocity"]))
        if beam["pulses_now"] > 0:
            places = {name: np.array(getattr(self.plant, name)["position"]) for name in SHAPES}
            self.shapes.append((int(job["beam_number"]), float(beam["true_mu"] + job["mu_offset"]), places))
        for fault in [f for f in self.waiting if f.when(self)]:
            self.waiting.remove(fault)
            fault.do(self)
            self.applied.append(int(job["cycle"]))

    def truth(self) -> dict[str, Any]:
        """Column -> (cycles,) of what really was."""
        return dict(zip(COLUMNS, np.array(self.seen, float).T))

    def tripped(self) -> list[str]:
        """Ids of all rows that tripped, in order; what only prevented a start is left out."""
        return [trip.id for trip in self.linac.panel.history if trip.stop != "inhibit"]

    def first_out(self) -> list[str]:
        """Ids of the rows that came first."""
        return [trip.id for trip in self.linac.panel.history if trip.first_out]

    def said(self, words: str) -> list[Any]:
        """Events whose text holds these words."""
        return [e for e in self.events if words in e.what or words in e.why]

    def outcome(self, number: int = 1) -> Any:
        """What the sequencer says of a beam."""
        return next(o for o in self.session.outcomes if o.number == number)

    def off_plan(self, beam: Beam) -> dict[str, float]:
        """Worst distance of each device from where the plan wants it at the MU really given; a pulse of leeway."""
        worst = dict.fromkeys(SHAPES, 0.0)
        pulse = float(self.plant.modes["mu_per_pulse"][int(self.image.beam["mode"][0])])
        for _, mu, places in [s for s in self.shapes if s[0] == beam.number]:
            wanted = [planned(beam, self, mu + d * pulse) for d in (-1.0, 0.0, 1.0)]
            for name, place in places.items():
                if place.size and wanted[0].get(name) is not None:
                    low, high = (f([w[name] for w in wanted], axis=0) for f in (np.min, np.max))
                    worst[name] = max(worst[name], float(np.max(np.maximum(low - place, place - high))))
        return worst

    def last_pulse_s(self) -> float:
        """Machine time of the last cycle with dose."""
        truth = self.truth()
        return float(truth["cycle"][truth["pulses"] > 0][-1] * DT_S)


def planned(beam: Beam, bench: Bench, mu: float) -> dict[str, Any]:
    """Device -> positions that the plan asks for at this dose."""
    def at(table: Any) -> Any:
        return np.array([np.interp(mu, beam.cumulative_mu, column) for column in np.atleast_2d(np.asarray(table).T)])

    jaws = [["X1", "X2", "Y1", "Y2"].index(axis.name) for axis in bench.order.machine.controller.jaws]
    return {"gantry": at(beam.gantry_deg), "collimator": at(beam.collimator_deg), "jaws": at(beam.jaw_mm[:, jaws]),
            "mlc": None if beam.leaf_mm is None else at(beam.leaf_mm)}
