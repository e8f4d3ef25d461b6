"""Sessions in which something is altered from outside at a moment, in truth and on a machine that is quick."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from linac_ctl.injection.alterations import ALTERATIONS, AT_LOAD
from linac_ctl.injection.alterations.altered import Altered
from linac_ctl.order import Order
from linac_ctl.sequencer.staff import Act
from tests.scenarios.bench import DT_S, Bench, Fault, at_mu, at_s
from tests.sequencer.guided import SHORT, guided, room
from tests.support import machine, order_for, small_arc, small_static

M = machine()
Do = Callable[[Bench], None]


class Altering(Bench):
    """A bench that keeps what alterations hand back."""

    def __init__(self, order: Order, faults: Any = (), **kw: Any) -> None:
        self.altered: list[Altered] = []
        super().__init__(order, faults, **kw)

    @property
    def effective(self) -> int:
        """First cycle in which anybody could tell; fails where nobody could."""
        found = [it.cycle for it in self.altered if it.cycle is not None]
        assert found, "the alteration never acted"
        return min(found)

    @property
    def mu_after(self) -> float:
        """True MU from the cycle on in which it acted."""
        return sum(float(row[6] - before[6]) for before, row in zip(self.seen, self.seen[1:]) if row[0] >= self.effective)

    @property
    def last_pulse_ms(self) -> float:
        """From the effect to the last pulse; below zero when there was none after it."""
        cycles = [row[0] for row in self.seen if row[4] > 0]
        return (cycles[-1] - self.effective) * DT_S * 1000.0 if cycles else -1.0


def alter(name: str, **settings: float | str) -> Do:
    """Do it, and keep what comes back."""
    def do(bench: Any) -> None:
        bench.altered.append(ALTERATIONS[name](bench, settings))
    return do


def loaded(order: Order, name: str, **settings: float | str) -> Order:
    """The order as the alteration leaves it."""
    return AT_LOAD[name](order, settings)


def static(mu: float = 30.0, mode: str = "6X", **kw: Any) -> Order:
    """One open field of a few seconds."""
    return order_for(M, [small_static(M, mu=mu, mode=mode)], reaction_s=0.2, **kw)


def in_phase(phase: int, do: Do, after_s: float = 0.0) -> Fault:
    """So long after the first cycle in this phase of the controller."""
    since: list[int] = []

    def ripe(bench: Bench) -> bool:
        if int(bench.control.job["phase"][0]) == phase and not since:
            since.append(bench.engine.cycle)
        return bool(since) and bench.engine.cycle >= since[0] + round(after_s / DT_S)

    return Fault(ripe, do)


def run(order: Order, *faults: Fault, **kw: Any) -> Altering:
    """Build and run."""
    bench = Altering(order, list(faults), **kw)
    bench.run()
    return bench


__all__ = [
    "SHORT",
    "Act",
    "Altering",
    "M",
    "alter",
    "at_mu",
    "at_s",
    "guided",
    "in_phase",
    "loaded",
    "replace",
    "room",
    "run",
    "small_arc",
    "static",
]
