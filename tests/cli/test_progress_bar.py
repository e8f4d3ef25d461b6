"""Bars are for people at a terminal."""

import io
import sys

import pytest

from linac_ctl.cli.progress_bar import ProgressBar


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_count_and_the_words_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    with ProgressBar("runs", 10, 3) as bar:
        bar.advance(4, rate="2.0/s", note="all passed")
    assert all(words in screen.getvalue() for words in ("runs", "7/10", "2.0/s", "all passed"))


@pytest.mark.parametrize(("stream", "quiet"), [(io.StringIO, False), (Terminal, True)])
def test_elsewhere_or_when_asked_to_be_quiet_nothing_is_written(monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO],
                                                                 quiet: bool) -> None:
    monkeypatch.setattr(sys, "stderr", screen := stream())
    with ProgressBar("runs", 10, quiet=quiet) as bar:
        bar.advance(4)
    assert screen.getvalue() == "" and bar.done == 4
