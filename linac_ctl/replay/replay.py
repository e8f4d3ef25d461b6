"""Runs a run again and says whether it is the same one."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from device_models.interface.image import DT_S

from ..errors import RecordError
from ..live.intervention import on_record
from ..records.events import Event
from ..records.rows import Rows
from ..records.run_record import RunRecord
from ..runtime.until import run_until
from .again import faults_again, length, order_again
from .compare import Divergence, first_divergence
from .instant import Instant
from .player import Player


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it. `digest` is empty when it was not run to the end of what is on record."""

    run: str
    against: str
    cycle: int
    digest: str
    digest_on_record: str
    divergence: Divergence | None
    rows: int
    events: int
    sim: Player

    @property
    def equal(self) -> bool:
        """No difference anywhere, the final state included where there is a digest of it."""
        return self.divergence is None and (not self.digest or not self.digest_on_record or self.digest == self.digest_on_record)


def replay(run: Path, until: Instant | None = None, other: Path | None = None) -> Replay:
    """Run it again, up to an instant or to the end of its record, and compare with its record, or with another run's."""
    record = RunRecord.open(run)
    against = RunRecord.open(other) if other else record
    order, start = order_again(run, record)
    sim = Player(order, told(record, on_record(record.events())), faults=faults_again(run), **start)
    if record.manifest.stop_after_s is not None:
        sim.stop_after(record.manifest.stop_after_s)
    play(sim, length(record), until, run)
    whole = until is None or sim.engine.cycle >= length(record)
    rows, events = sim.rows(), list(sim.events)
    found = first_divergence((rows, events), so_far(against, sim.engine.cycle, whole))
    digest = sim.finish() if whole else ""
    on_file = against.result.digest if against.result and whole else ""
    return Replay(str(run), str(other or run), sim.engine.cycle, digest, on_file, found, len(rows), len(events), sim)


def told(record: RunRecord, done: tuple[Any, ...]) -> tuple[Any, ...]:
    """What was done to a run, the operator's Ctrl-C among it: that left no event but its trip."""
    stops = [event.cycle for event in record.events() if event.who == "interlock" and event.what == "ABORT"]
    pressed = [event.cycle for event in record.events() if event.what == "press_stop"]
    unexplained = [cycle for cycle in stops if cycle - 1 not in pressed and cycle not in pressed]
    return done if not unexplained else tuple(sorted((*done, Stopped(unexplained[0] - 1)), key=lambda one: one.cycle))


@dataclass(frozen=True, slots=True)
class Stopped:
    """Ctrl-C, or whatever else called `Simulation.abort`."""

    cycle: int
    first: bool = False

    def carry_out(self, sim: Player) -> None:
        """Again."""
        sim.abort()


def play(sim: Player, end: int, until: Instant | None, run: Path) -> None:
    """RecordError for an instant that the run never comes to."""
    if until is None:
        sim.step(end)
    elif not run_until(sim, lambda: until.reached(sim), end):
        raise RecordError(f"{run}: never comes there; it has {end} cycles ({end * DT_S:.2f} s), "
                          f"and beams of {', '.join(f'{beam.mu:g} MU' for beam in sim.order.plan.fraction(sim.order.group))}")


def so_far(record: RunRecord, cycle: int, whole: bool) -> tuple[Rows, list[Event]]:
    """Rows and events of a record up to a cycle."""
    rows, events = record.rows(), list(record.events())
    if whole:
        return rows, events
    return replace(rows, data=rows.data[rows["cycle"] <= cycle]), [event for event in events if event.cycle <= cycle]
