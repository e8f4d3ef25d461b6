"""A bar with count, times and words of the caller's own on a terminal's stderr; elsewhere, and when asked to be quiet, nothing."""

import sys
from typing import Any


class ProgressBar:
    """Of so many things that take long; to be entered."""

    def __init__(self, what: str, total: int, done: int = 0, *, quiet: bool = False) -> None:
        """`done`: by an earlier call."""
        self.what, self.total, self.done = what, total, done
        self.shown = not quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "ProgressBar":
        if self.shown:
            self._bar = new_bar(self.what)
            self._task = self._bar.add_task(self.what, total=self.total, completed=self.done, rate="", note="")
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int = 1, *, rate: str = "", note: str = "") -> None:
        """So many more; `rate` stands before the times, `note` behind."""
        self.done += count
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, rate=rate, note=note)


def new_bar(what: str) -> Any:
    """Rich's."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn(),
                    TextColumn("to go"), TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=Console(stderr=True))
