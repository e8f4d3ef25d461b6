"""The run folder while it is being written. Whatever kills the process, what was written stays readable.

manifest.json, config.json, plan.json and journal.bin are there before the first cycle; events.jsonl grows line by line;
rows-0000.f32 and so on are reserved in whole chunks and filled by the cycle; result.json comes last.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from linac_ctl.control.journal import JOURNAL, SLOTS
from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Plan

from .events import Event, EventLog
from .jsonio import write_json
from .manifest import NAME as MANIFEST
from .manifest import Manifest
from .plan_file import write_plan
from .space import allocate, mapped

RESERVE = 4_000_000  # bytes kept back, so that a run on a full disk can still say how it ended
JOURNAL_FILE, EVENTS, CONFIG, LATCHES, RESERVE_FILE = (
    "journal.bin",
    "events.jsonl",
    "config.json",
    "latches.json",
    "reserve",
)


def rows_name(chunk: int) -> str:
    """File name of a chunk of rows."""
    return f"rows-{chunk:04d}.f32"


class RunFolder:
    """One writer per run. Every method raises RecordError when the disk says no."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Use `create`."""
        self.path = path
        self.manifest = manifest
        self.space_low = False  # True once the reserve had to be given away: stop the beam and finish
        self.events = EventLog(path / EVENTS, self._give_reserve)
        self.journal: np.memmap[Any, Any] = mapped(path / JOURNAL_FILE, (SLOTS,), JOURNAL)
        self._chunks: list[int] = []  # rows of each chunk

    @classmethod
    def create(cls, path: Path | str, manifest: Manifest, *, declared: bool = True) -> "RunFolder":
        """A new folder, or an empty one; never one that already holds a run.

        `declared` False leaves the manifest for `declare`, once all that a later reader needs is there.
        """
        folder = Path(path)
        if (folder / MANIFEST).exists():
            raise RecordError(f"{folder}: already holds a run; choose another --out")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise RecordError(f"{folder}: cannot be made: {e.strerror}; choose another --out") from None
        allocate(folder / RESERVE_FILE, RESERVE)
        run = cls(folder, manifest)
        if declared:
            run.declare()
        return run

    def declare(self) -> None:
        """Write the manifest: from here on this folder holds a run."""
        self.manifest.write(self.path)

    def write_config(self, parts: Mapping[str, Any]) -> None:
        """The resolved configuration: part name ("machine", "session", ...) -> {name, data, origin}."""
        write_json(self.path / CONFIG, parts)

    def write_plan(self, plan: Plan) -> None:
        """What is to be delivered."""
        write_plan(self.path, plan)

    def write_latches(self, latches: Any) -> None:
        """Interlocks that are latched now; they stay latched through a restart."""
        write_json(self.path / LATCHES, latches)

    def append(self, event: Event) -> bytes:
        """-> the line on record, for the digest."""
        return self.events.append(event)

    def next_rows_chunk(self, n_rows: int) -> np.memmap[Any, Any]:
        """(n_rows, columns) float32, zeroed. The run has to stop when it cannot be had."""
        path = self.path / rows_name(len(self._chunks))
        try:
            chunk = mapped(path, (n_rows, len(self.manifest.columns)), np.float32)
        except RecordError:
            self._give_reserve()
            raise
        self._chunks.append(n_rows)
        return chunk

    def finish_rows(self, total_rows: int) -> None:
        """Cut the last chunk to what was written. Do not touch its array afterwards."""
        if not 0 <= total_rows <= sum(self._chunks):
            raise RecordError(f"{self.path}: {total_rows} rows written, but room for {sum(self._chunks)}")
        for number, rows in enumerate(self._chunks):
            used = min(rows, total_rows)
            total_rows -= used
            os.truncate(self.path / rows_name(number), used * len(self.manifest.columns) * 4)

    def close(self) -> None:
        """Give the reserve back and close the event log; result.json is written before or after."""
        self._give_reserve(low=False)
        self.events.close()

    def _give_reserve(self, low: bool = True) -> bool:
        reserve = self.path / RESERVE_FILE
        there = reserve.exists()
        reserve.unlink(missing_ok=True)
        self.space_low = self.space_low or (low and there)
        return there
