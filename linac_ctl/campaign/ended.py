"""A session that is over, as values: all that its row is made of. A copy of a process hands it back, and the original judges it.

Whatever a copy does for the first time costs it the pages that it touches. So a copy does nothing that the original can do as
well, and hands back only the part of the trace that it has written itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models.referee.columns import ROW

from ..errors import ControllerGone, DeviceError, RefusedError
from ..judged import Seen, seen
from .numbers import rounded
from .row import Outcome, why
from .track import MS
from .trips import before_faults

if TYPE_CHECKING:
    from ..interlocks.panel import Trip


@dataclass(frozen=True, slots=True)
class Ended:
    """`trips`: all of the panel; `early`: of those that were told before the first fault."""

    digest: str
    outcome: Outcome
    reason: str  # what ended the session, for people
    refused: bool  # a refusal ended it, or a device
    cycles: int
    excess_mu: float | None
    target_mm: float | None  # worst of all beams: the target off its place at the first pulse, truth; None without a patient
    trips: Sequence["Trip"]
    early: Sequence["Trip"]
    evidence: Sequence[Any]  # of the injector
    seen: Seen  # what the referee is told
    rows: Any  # ROW (n,)
    leaves: Any  # (m, leaves) mm

    @property
    def size(self) -> int:
        """Bytes of its trace."""
        return len(self.rows) + len(self.leaves)

    def since(self, rows: int, leaves: int) -> "Ended":
        """Without so much of the beginning of its trace, as plain bytes (n,) u1."""
        return replace(self, rows=plain(self.rows[rows:]), leaves=plain(self.leaves[leaves:]))

    def behind(self, rows: Any, leaves: Any) -> "Ended":
        """Whole again: behind this beginning."""
        return replace(self, rows=joined(rows, self.rows).view(ROW), leaves=joined(leaves, self.leaves).view(np.float32).reshape(
            -1, leaves.shape[1]))


def plain(array: Any) -> Any:
    """(n,) u1: the same memory."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def joined(begin: Any, more: Any) -> Any:
    """(n,) u1 of both."""
    return np.concatenate([plain(begin), more])


def end(sim: Any) -> Ended:
    """Of a session that is over; its record is closed."""
    trips = list(sim.linac.panel.history)
    evidence = () if sim.injector is None else sim.injector.evidence()
    how, words, over_mu = outcome(sim), reason(sim), excess_mu(sim)
    return Ended(sim.finish(), how, words, isinstance(sim.error, RefusedError | DeviceError), sim.engine.cycle, over_mu,
                 max((mm for mm, _ in sim.residuals.values()), default=None), trips, before_faults(sim.events, trips),
                 evidence, seen(sim), sim.trace.rows(), sim.trace.leaves())


def excess_mu(sim: Any) -> float | None:
    """The most that any beam has had above its prescription, by truth; below is negative. None without beam."""
    planned = {beam.number: beam.mu for beam in sim.order.plan.fraction(sim.order.group)}
    over = [mu - planned[number] for number, mu in sim.true_mu().items() if number in planned and mu > 0.0]
    return rounded(max(over)) if over else None


def outcome(sim: Any) -> Outcome:
    """How the session ended."""
    planned, done = sim.order.plan.fraction(sim.order.group), sim.session.outcomes
    if isinstance(sim.error, ControllerGone):
        return "killed"
    if sim.error is None:
        return "completed" if len(done) == len(planned) and all(one.complete for one in done) else "abandoned"
    if sim.engine.cycle * MS / 1000.0 >= sim.order.longest_s:
        return "stuck"
    return "refused" if isinstance(sim.error, RefusedError) and not any(sim.true_mu().values()) else "abandoned"


def reason(sim: Any) -> str:
    """What ended the session, for people."""
    return "" if sim.error is None else why(sim.error)
