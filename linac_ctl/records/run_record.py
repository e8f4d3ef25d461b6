"""A run folder, read: complete, interrupted or killed. What is missing or damaged is said in one error."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.config.machine import MachineConfig
from linac_ctl.control.journal import JOURNAL, SLOTS
from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Plan

from .events import Event, read_events
from .folder import CONFIG, EVENTS, JOURNAL_FILE, LATCHES, rows_name
from .jsonio import read_json
from .manifest import NAME as MANIFEST
from .manifest import Manifest, PlannedBeam, read_manifest
from .plan_file import read_plan
from .result import NAME as RESULT
from .result import Result, read_result
from .rows import Rows


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What is known of one beam up to the last cycle. Doses include earlier partial deliveries."""

    beam: int
    started: bool
    complete: bool
    mu: float  # what was given
    mu_1: float  # what each of the three counted
    mu_2: float
    mu_backup: float
    cycle: int


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """Values of a run folder; rows, plan and configuration are read when asked for."""

    path: Path
    manifest: Manifest
    result: Result | None  # None: the run was killed, or still goes on
    _events: tuple[Event, ...]
    _journal: tuple[JournalEntry, ...]

    @classmethod
    def open(cls, path: Path | str) -> "RunRecord":
        """RecordError lists everything that is wrong."""
        folder = Path(path)
        if not (folder / MANIFEST).exists():
            raise RecordError(f"{folder}: not a run folder: there is no {MANIFEST}")
        manifest = read_manifest(folder)
        wrong: list[str] = []
        events = _or_none(wrong, lambda: tuple(read_events(folder / EVENTS)))
        journal = _or_none(wrong, lambda: _read_journal(folder / JOURNAL_FILE))
        result = _or_none(wrong, lambda: read_result(folder)) if (folder / RESULT).exists() else None
        if wrong:
            raise RecordError("; ".join(wrong))
        return cls(folder, manifest, result, events, journal)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the row columns."""
        return self.manifest.columns

    def events(self) -> tuple[Event, ...]:
        """In order of their cycles."""
        return self._events

    def journal(self) -> tuple[JournalEntry, ...]:
        """Beams that were taken in hand, in order."""
        return self._journal

    def rows(self) -> Rows:
        """All rows that were written; RecordError when a finished run has lost some."""
        chunks = _read_chunks(self.path, len(self.columns))
        data = (
            np.concatenate(chunks)
            if len(chunks) > 1
            else chunks[0]
            if chunks
            else np.zeros((0, len(self.columns)), "f4")
        )
        good = written(data)
        if self.result is not None and good < len(data):
            raise RecordError(
                f"{self.path}: rows: row {good} of {len(data)} is not later than the one before it: damaged"
            )
        if good < len(data):  # killed: its last row may be half written
            good = max(good - 1, 0)
        return Rows(data[:good], self.columns, self.manifest.cycle_s)

    def planned(self, beam: int) -> PlannedBeam:
        """RecordError for a beam that was not part of this run."""
        found = [b for b in self.manifest.beams if b.number == beam]
        if not found:
            there = ", ".join(str(b.number) for b in self.manifest.beams) or "none"
            raise RecordError(f"{self.path}: no beam {beam} in this run; there are: {there}")
        return found[0]

    def delivered(self, beam: int) -> float:
        """MU of this beam so far, earlier partial deliveries included."""
        return max([self.planned(beam).start_mu, *(entry.mu for entry in self._journal if entry.beam == beam)])

    def imaged_mu(self) -> float:
        """MU given for images so far, earlier runs of the fraction included: journal records that are of no beam of the plan."""
        planned = {beam.number for beam in self.manifest.beams}
        return sum(entry.mu for entry in self._journal if entry.beam not in planned)

    def remaining(self, beam: int) -> float:
        """MU still to be given; 0 when the beam is complete."""
        if any(entry.beam == beam and entry.complete for entry in self._journal):
            return 0.0
        return max(self.planned(beam).planned_mu - self.delivered(beam), 0.0)

    def config(self) -> Any:
        """The resolved configuration as it was written."""
        return read_json(self.path / CONFIG)

    def machine(self) -> MachineConfig:
        """What the controller knew of its machine."""
        try:
            return MachineConfig.model_validate(self.config()["machine"]["data"]["controller"])
        except (KeyError, TypeError, ValueError) as e:
            raise RecordError(f"{self.path / CONFIG}: no usable machine/data/controller: {e}") from None

    def interlock_rows(self) -> Any:
        """The rows of the interlock table in force; empty when the record has none."""
        return self.config().get("interlocks", {}).get("data", {}).get("rows", [])

    def plan(self) -> Plan:
        """The plan this run delivered from."""
        return read_plan(self.path)

    def latches(self) -> Any:
        """Interlocks that were latched when they were last written; None if never."""
        return read_json(self.path / LATCHES) if (self.path / LATCHES).exists() else None


def written(data: NDArray[Any]) -> int:
    """How many rows were written: the cycle rises from row to row, and a phase is never 0."""
    good = (np.diff(data[:, 0], prepend=-1.0) > 0) & (data[:, 1] > 0)
    bad = np.flatnonzero(~good)
    return int(bad[0]) if len(bad) else len(data)


def _read_chunks(folder: Path, columns: int) -> list[NDArray[Any]]:
    """Whole rows of every chunk; a chunk whose reservation was cut short counts as far as it goes."""
    chunks: list[NDArray[Any]] = []
    while (path := folder / rows_name(len(chunks))).exists():
        rows = os.path.getsize(path) // (4 * columns)
        shape = (rows, columns)
        chunks.append(np.memmap(path, np.float32, mode="r", shape=shape) if rows else np.zeros(shape, np.float32))
    return chunks


def _read_journal(path: Path) -> tuple[JournalEntry, ...]:
    try:
        data = path.read_bytes()
    except OSError as e:
        raise RecordError(f"{path}: cannot be read: {e.strerror}") from None
    if len(data) != SLOTS * JOURNAL.itemsize:
        raise RecordError(f"{path}: damaged: {len(data)} bytes, expected {SLOTS * JOURNAL.itemsize}")
    slots = np.frombuffer(data, JOURNAL)
    return tuple(
        JournalEntry(
            int(s["beam"]),
            bool(s["started"]),
            bool(s["complete"]),
            float(s["mu"]),
            float(s["mu_1"]),
            float(s["mu_2"]),
            float(s["mu_backup"]),
            int(s["cycle"]),
        )
        for s in slots
        if s["started"]  # a DICOM beam may have the number 0
    )


def _or_none(wrong: list[str], read: Any) -> Any:
    try:
        return read()
    except RecordError as e:
        wrong.append(str(e))
        return None
