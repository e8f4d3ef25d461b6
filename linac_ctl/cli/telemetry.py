"""Telemetry of a session from the command line: where it goes, what became of it. Talks on standard error only."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

FIRST_WORD_S = 4.0


class Silent:
    """No telemetry was asked for."""

    @contextmanager
    def attached(self, sim: Any) -> Iterator[None]:
        """Nothing happens."""
        yield


SILENT = Silent()


class Telemetry:
    """A feed that says what it does."""

    def __init__(self, feed: Any) -> None:
        self.feed = feed

    @contextmanager
    def attached(self, sim: Any) -> Iterator[None]:
        """From here to there the session can be watched. A broker that is not there is said, and changes nothing."""
        self.feed.attach(sim)
        say(f"telemetry  {self.feed.where}\n  watch it with: linac-ctl monitor {self.feed.address.text}")
        if trouble := self.feed.first_word(FIRST_WORD_S):
            say(f"telemetry: {trouble}\n  the run goes on, and the publisher keeps trying; what is lost is counted")
        try:
            yield
        finally:
            for line in account(self.feed.close(ending(sim))):
                say(line)


def open_telemetry(url: str | None) -> "Telemetry | Silent":
    """UsageError or BrokerError before anything else has started; nothing without a URL."""
    if url is None:
        return SILENT
    from ..telemetry.address import parse
    from ..telemetry.feed import Feed

    return Telemetry(Feed(parse(url)))


def ending(sim: Any) -> str:
    """Why it went offline."""
    return f"session ended: {sim.error}" if sim.error is not None else "session ended"


def account(counts: dict[str, Any]) -> Iterator[str]:
    """What was published and what was not."""
    lost = {name: counts[name] for name in ("lost_snapshots", "lost_words", "dropped_telemetry", "dropped_events") if counts[name]}
    text = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in lost.items()) or "nothing lost"
    yield f"telemetry  {counts['published']} messages, {counts['connections']} connection(s), {text}"
    if counts["trouble"]:
        yield f"telemetry: last trouble: {counts['trouble']}"


def say(text: str) -> None:
    """Standard output belongs to the result."""
    click.echo(text, err=True)
