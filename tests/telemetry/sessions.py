"""Short sessions on the smallest machine, with and without an audience."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linac_ctl.sequencer.staff import Act
from tests.support import Run, order_for, quick, small_arc


class Kept:
    """A sink that keeps everything."""

    lost_numbers = lost_words = 0

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def put_numbers(self, frame: bytes) -> None:
        self.frames.append(frame)

    put_words = put_numbers


def session(folder: Path | None = None, script: Sequence[Act] = (), mu: float = 8.0, **kw: Any) -> Run:
    """About ten seconds of machine time, one small arc; not yet run."""
    return Run(order_for(quick(), [small_arc(quick(), mu=mu)], seed=3, script=script), folder, **kw)
