"""Keeps the chunks of a run, and hands the witness empty ones."""

from typing import Any

import numpy as np

from ..columns import ROW
from ..trace import Trace, new_leaves, new_rows, new_trace


class Recording:
    """`keep` False: nobody will judge this run, and one chunk is written over and over."""

    def __init__(self, leaves: int, keep: bool = True) -> None:
        self.trace: Trace = new_trace(leaves)
        self.keep = keep
        self._rows: list[Any] = []
        self._leaves: list[Any] = []

    def next_chunk(self) -> Trace:
        """Called when one of the chunks is full."""
        trace, state = self.trace, self.trace.state
        if int(state["row"][0]) >= len(trace.rows):
            trace = trace._replace(rows=self._exchange(self._rows, trace.rows, new_rows))
            state["row"] = 0
        if int(state["leaf_row"][0]) >= len(trace.leaves):
            leaves = trace.leaves.shape[1]
            trace = trace._replace(leaves=self._exchange(self._leaves, trace.leaves, lambda: new_leaves(leaves)))
            state["leaves_before"] += state["leaf_row"]
            state["leaf_row"] = 0
        self.trace = trace
        return trace

    def _exchange(self, kept: list[Any], full: Any, new: Any) -> Any:
        if not self.keep:
            return full
        kept.append(full)
        return new()

    def rows(self) -> Any:
        """ROW (n,): every cycle so far, to read; of one chunk no copy, so nobody may let the run go on meanwhile."""
        used = int(self.trace.state["row"][0])
        return whole([np.asarray(part).view(np.ndarray).view(ROW) for part in (*self._rows, self.trace.rows[:used])])

    def leaves(self) -> Any:
        """(m, leaves) mm: the rows that `leaf_row` points to; as `rows`."""
        used = int(self.trace.state["leaf_row"][0])
        return whole([*self._leaves, self.trace.leaves[:used]])


def whole(parts: list[Any]) -> Any:
    """One array of all."""
    found = parts[0].view() if len(parts) == 1 else np.concatenate(parts)
    found.flags.writeable = False
    return found
