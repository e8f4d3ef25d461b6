"""The record: it cannot be written any more, or it is wrong about what has been given."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linac_ctl.errors import RecordError

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

WRITTEN = ("complete", "mu", "mu_1", "mu_2", "mu_backup")
NOWHERE = Path(os.devnull) / "record"
WORDS = {"disk": "disk full", "db_locked": "locked by another process", "power": "the store has no power",
         "log_write_error": "input/output error", "fds": "too many open files"}


class LostFolder:
    """In place of a run folder: nothing can be written to it any more."""

    def __init__(self, why: str, path: Path, keeps: Any) -> None:
        self.why, self.path, self._keeps, self.space_low = why, path, keeps, True

    def _fail(self, *_: Any) -> Any:
        raise RecordError(f"{self.path}: {self.why}")

    append = next_rows_chunk = write_latches = _fail

    def finish_rows(self, total_rows: int) -> None:
        """What is on disk already is cut to what was written."""
        if self._keeps is not None:
            self._keeps.finish_rows(total_rows)


def record_fails(sim: "Simulation", given: Settings) -> Altered:
    """From now on nothing is written. A run without a folder loses the one that it never had."""
    before = sim.record.folder
    path = before.path if before else NOWHERE
    sim.record.folder = LostFolder(WORDS[str(given["kind"])], path, before)  # type: ignore[assignment]
    sim.log("record", "write")  # the next line there is to be written

    def back() -> None:
        sim.record.folder = before

    return done(sim, back)


class Watched(dict[int, tuple[float, bool]]):
    """What is on record of each beam; `read` is called when somebody asks."""

    read: Callable[[], None] | None = None

    def get(self, *key: Any) -> Any:
        """As always, and somebody is told."""
        if self.read is not None:
            self.read()
        return super().get(*key)


def given_before(sim: "Simulation", given: Settings) -> Altered:
    """The record says that this fraction has been given already, today. It tells nobody who does not ask."""
    before, altered = sim.record.partials, Altered()
    partials = Watched({beam.number: (beam.mu, True) for beam in sim.order.plan.fraction(sim.order.group)})
    partials.read = lambda: altered.mark(sim.engine.cycle + 1)
    sim.record.partials = partials

    def back() -> None:
        sim.record.partials = before

    altered.undo = back
    return altered


def journal_lost(sim: "Simulation", given: Settings) -> Altered:
    """The journal of what has been given is blank again (counter_reset), or its open entry is (partial_forgotten)."""
    journal, at = sim.control.journal, int(sim.control.job["slot"][0])
    slots = slice(None) if given["kind"] == "counter_reset" else slice(at, at + 1) if at >= 0 else slice(0)
    known = any(float(journal[name][slots].sum()) > 0.0 for name in WRITTEN)
    for name in WRITTEN:
        journal[name][slots] = 0
    return done(sim) if known else Altered()  # nothing was on record that could be lost


ALTERATIONS = {"record_fails": record_fails, "given_before": given_before, "journal_lost": journal_lost}
