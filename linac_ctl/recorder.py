"""What a session leaves behind while it runs: events, rows, a digest over both, and what is known of earlier deliveries."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from device_models.interface.image import DT_S

from .control.journal import JOURNAL, SLOTS
from .errors import RecordError
from .order import Order
from .records.digest import Digest
from .records.events import Event
from .records.folder import RunFolder
from .records.rows import Rows

ROWS_PER_CHUNK = 4096
SPACE_FOR_A_BEAM = 40_000_000  # bytes: rows of about ten minutes

Partials = dict[int, tuple[float, bool]]  # beam -> (MU on record, complete)


class Recorder:
    """The record of one session; its steps know it as `sequencer.session.Record`. Without a folder nothing touches the disk."""

    def __init__(self, order: Order, columns: Sequence[str], folder: RunFolder | None, partials: Partials,
                 on_lost: Callable[[], None]) -> None:
        """`partials`: of the run that this one resumes. `on_lost`: somebody who takes the beam away when nothing is recorded."""
        self.order, self.columns, self.folder, self.on_lost = order, columns, folder, on_lost
        self.partials, self.earlier = partials, dict(partials)  # what is known by now; what was when it began
        self.events: list[Event] = []
        self.digest, self.full_rows, self.rows_lost = Digest(), 0, False
        self.row_digest, self.counted_rows = Digest(), 0  # of rows; how many of the chunk in use are in it
        self.kept: list[Any] | None = None  # full chunks, of a run that keeps them in memory
        self.error: RecordError | None = None

    def new_journal(self) -> Any:
        """JOURNAL (SLOTS,): where there is a folder, memory that outlives the process."""
        return self.folder.journal.view(np.ndarray) if self.folder else np.zeros(SLOTS, JOURNAL)

    # --- events

    def write(self, event: Event) -> None:
        """To the digest, and to the folder if there is one."""
        self.events.append(event)
        if self.folder is None:
            self.digest.update(event.line())
            return
        try:
            self.digest.update(self.folder.append(event))
        except RecordError as error:
            self.lose(error)
        if self.folder.space_low and self.error is None:
            self.lose(RecordError(f"{self.folder.path}: disk full, the reserve is in use; free space, then resume"))

    def note(self, event: Event) -> None:
        """An event of the computer: on record, but no part of the digest, which is of the machine."""
        self.events.append(event)
        if self.folder is None:
            return
        try:
            self.folder.append(event)
        except RecordError as error:
            self.lose(error)

    def lose(self, error: RecordError) -> None:
        """No record, no beam: an inhibit before it, an interrupt during it."""
        self.error = self.error or error
        self.on_lost()

    # --- rows

    def new_rows(self) -> Any:
        """(ROWS_PER_CHUNK, columns) f4; RecordError when the folder has no room for them."""
        if self.folder is None:
            return np.zeros((ROWS_PER_CHUNK, len(self.columns)), np.float32)
        return np.asarray(self.folder.next_rows_chunk(ROWS_PER_CHUNK))

    def more_rows(self, full: Any) -> Any:
        """A chunk is full: count it into the digest and give the cycle a new one."""
        self.count_rows(full)
        self.counted_rows = 0
        if self.kept is not None:
            self.kept.append(np.array(full))
        self.full_rows += 0 if self.rows_lost else len(full)
        if self.folder is None:
            return full
        try:
            return self.new_rows()
        except RecordError as error:
            self.lose(error)
            self.rows_lost = True  # from here on, and the interlock says so
            return np.zeros_like(full)

    def count_rows(self, rows: Any) -> None:
        """Into the digest, those of the chunk in use that are not in it yet: at any time, as often as you like."""
        self.row_digest.update(rows[self.counted_rows:])
        self.counted_rows = len(rows)

    def rows(self, last: Any) -> Rows:
        """Every row so far, of a run that keeps them; `last`: those of the chunk in use."""
        return Rows(np.concatenate([*(self.kept or ()), np.array(last)]), tuple(self.columns), DT_S)

    def finish(self, rows: Any, state: Iterable[Any]) -> str:
        """`rows`: of the last chunk; `state`: arrays of machine and controller as they ended. -> digest over it all."""
        self.count_rows(rows)
        self.digest.update(self.row_digest.raw)
        for part in state:
            self.digest.update(np.asarray(part).view(np.ndarray))
        if self.folder:
            self.folder.finish_rows(self.full_rows + (0 if self.rows_lost else len(rows)))
        return self.digest.text

    def keep_latches(self, latches: dict[str, Any]) -> None:
        """For whoever runs on this machine next; RecordError."""
        if self.folder is None:
            return
        try:
            self.folder.write_latches(latches)
        except RecordError as error:
            self.lose(error)
            raise

    # --- as the steps need it

    def can_go_on(self) -> bool:
        """True if the folder takes what the next beam will write."""
        if self.folder is None:
            return True
        from .records.space import probe_space

        try:
            probe_space(self.folder.path, SPACE_FOR_A_BEAM)
        except RecordError as error:
            self.error = error
            return False
        self.error = self.error if self.folder.space_low else None
        return not self.folder.space_low

    def delivered_before(self, beam_number: int) -> tuple[float, bool]:
        """(MU on record, complete) from the run that this one resumes."""
        return self.partials.get(beam_number, (0.0, False))

    def counted(self, beam_number: int, mu: float) -> None:
        """The machine has counted more of a beam than is on record: that is what was given."""
        self.partials = {**self.partials, beam_number: (mu, False)}

    def earlier_mu(self, beam_number: int) -> float:
        """MU of the run that this one resumes."""
        return self.earlier.get(beam_number, (0.0, False))[0]

    def bytes_unchanged(self) -> tuple[bool, bool]:
        """(plan file, configuration files) against what was read at the start."""
        order = self.order
        plan = hashlib.sha256(order.plan_path.read_bytes()).hexdigest() == order.plan.sha256 if order.plan_path.exists() else False
        return plan, all(os.path.exists(f) and hashlib.sha256(Path(f).read_bytes()).hexdigest() == sha for f, sha in order.files)
