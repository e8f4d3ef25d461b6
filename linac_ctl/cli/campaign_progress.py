"""How a campaign gets on: a bar with rate, time to go and counts on a terminal, now and then a line elsewhere."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import click

from .progress_bar import ProgressBar

EVERY_S = 10.0
SHOWN = ("passed", "failed", "missed", "harmless", "not_activated", "not_reachable", "crashed")


class Progress:
    """Told of rows as they come."""

    def __init__(self, total: int, before: Iterable[Any], quiet: bool) -> None:
        self.total, self.quiet, self.done = total, quiet, 0
        self.counts: Counter[str] = Counter()
        self.count(before)
        self.at_start, self.begin, self.spoken = self.done, time.perf_counter(), time.perf_counter()
        self.bar = ProgressBar("runs", total, self.done, quiet=quiet)

    def __enter__(self) -> "Progress":
        self.bar.__enter__()
        self.bar.advance(0, note=self.text())  # of a campaign that goes on: what it has already
        return self

    def __exit__(self, *exc: object) -> None:
        self.bar.__exit__(*exc)
        if not self.bar.shown and not self.quiet and self.done > self.at_start:
            self.say()

    def count(self, rows: Iterable[Any]) -> None:
        """More of them."""
        for row in rows:
            self.done += 1
            self.counts[row.verdict] += 1

    def told(self, rows: list[Any]) -> None:
        """These are in the ledger."""
        self.count(rows)
        now = time.perf_counter()
        self.bar.advance(len(rows), rate=self.rate(now), note=self.text())
        if not self.bar.shown and not self.quiet and now - self.spoken >= EVERY_S:
            self.spoken = now
            self.say()

    def rate(self, now: float) -> str:
        """By the clock."""
        return f"{(self.done - self.at_start) / max(now - self.begin, 1e-6):.1f}/s"

    def text(self) -> str:
        """Counts that are not nought."""
        return ", ".join(f"{self.counts[name]} {name.replace('_', ' ')}" for name in SHOWN if self.counts[name])

    def say(self) -> None:
        """A line."""
        now = time.perf_counter()
        speed = (self.done - self.at_start) / max(now - self.begin, 1e-6)
        left = (self.total - self.done) / speed if speed > 0.0 else 0.0
        click.echo(f"{self.done} of {self.total} runs, {speed:.1f}/s, {left:.0f} s to go: {self.text()}", err=True)
