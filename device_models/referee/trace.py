"""The arrays that the witness writes to: a chunk of rows, the leaves of those with beam, and its own memory."""

from typing import Any, NamedTuple

import numpy as np

from ..interface.image import records
from .columns import CLAIMS, ROW, STATE

ROWS, LEAF_ROWS = 4096, 1024  # of one chunk: about 40 s, and 10 s of beam
SOME_FAULTS = 2  # as long as nobody says how many


class Trace(NamedTuple):
    """What one block of cycles needs."""

    rows: Any  # ROW (n,)
    leaves: Any  # (m, leaves) f4 mm: bank A then B, in cycles with pulses
    claims: Any  # CLAIMS (1,)
    state: Any  # STATE (1,)


def new_rows(n: int = ROWS) -> Any:
    """An empty chunk."""
    return records(n, ROW)


def new_leaves(leaves: int, n: int = LEAF_ROWS) -> Any:
    """An empty chunk."""
    return np.zeros((n, leaves), np.float32)


def new_trace(leaves: int) -> Trace:
    """Nothing written yet."""
    state = records(1, STATE, armed_total_mu=np.nan, clock=-1, faults=SOME_FAULTS)
    return Trace(new_rows(), new_leaves(leaves), records(1, CLAIMS, beam=-1, token_cycle=-1), state)
