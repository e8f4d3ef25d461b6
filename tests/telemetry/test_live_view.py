"""The live view on a terminal of its own: what it shows, what it says when the broker dies, and how it leaves."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pytest

from linac_ctl.telemetry.feed import end, start_broker
from tests.system.cli import environment
from tests.telemetry.brokers import LIMIT_S, embedded
from tests.telemetry.test_publisher import Control

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LEAVES_SCREEN, SHOWS_CURSOR = "\x1b[?1049l", "\x1b[?25h"


class Terminal:
    """`linac-ctl monitor` on a pty of 120 x 40."""

    def __init__(self, url: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.child = subprocess.Popen([sys.executable, "-m", "linac_ctl", "monitor", url], stdin=slave, stdout=slave, stderr=slave,
                                      start_new_session=True, env=environment() | {"TERM": "xterm-256color"})
        os.close(slave)
        self.seen = ""

    def read(self) -> None:
        """What is there."""
        while select.select([self.master], [], [], 0.0)[0]:
            try:
                self.seen += os.read(self.master, 1 << 16).decode(errors="replace")
            except OSError:
                return  # it has ended

    def until(self, condition: Callable[[str], object], what: str) -> None:
        """Of the text without its colours."""
        end_s = time.monotonic() + LIMIT_S
        while self.read() or not condition(ESCAPES.sub("", self.seen)):
            assert time.monotonic() < end_s, f"not within {LIMIT_S:g} s: {what}; seen {ESCAPES.sub('', self.seen)[-2000:]}"
            time.sleep(0.02)

    def press_ctrl_c(self) -> int:
        """-> exit code."""
        self.child.send_signal(signal.SIGINT)
        code = self.child.wait(LIMIT_S)
        self.read()
        return code

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        os.close(self.master)


@pytest.fixture
def broker() -> Iterator[str]:
    with embedded() as (url, _):
        yield url


def test_it_shows_places_and_age_and_leaves_the_terminal_as_it_was(broker: str) -> None:
    control, terminal = Control(broker), Terminal(broker)
    try:
        terminal.until(lambda text: control.snapshot(12.5, 1.0) or ("ONLINE" in text and "age" in text), "numbers")
        terminal.until(lambda text: "STALE" in text, "numbers that grow old")
        assert "not a medical device" in ESCAPES.sub("", terminal.seen)
        assert terminal.press_ctrl_c() == 130
        assert LEAVES_SCREEN in terminal.seen and SHOWS_CURSOR in terminal.seen
        assert terminal.seen.strip().endswith("linac-ctl: ended by Ctrl-C") and "Traceback" not in terminal.seen
    finally:
        terminal.close()
        control.gone()


def test_it_says_when_the_machine_is_gone_and_that_all_else_is_history(broker: str) -> None:
    control, terminal = Control(broker), Terminal(broker)
    try:
        terminal.until(lambda text: "ONLINE" in text, "online")
        control.gone()
        terminal.until(lambda text: "OFFLINE: all below is history  the control process is gone" in text, "offline")
    finally:
        terminal.close()


def test_a_broker_that_dies_is_said_and_one_that_comes_back_is_heard() -> None:
    process, port = start_broker(0)
    control, terminal = Control(f"mqtt://127.0.0.1:{port}"), Terminal(f"mqtt://127.0.0.1:{port}")
    try:
        terminal.until(lambda text: "ONLINE" in text, "online")
        end(process, wait_s=0.0)
        terminal.until(lambda text: "broker lost, trying again" in text, "lost")
        before = len(terminal.seen)
        process, _ = start_broker(port)
        terminal.until(lambda text: "ONLINE" in ESCAPES.sub("", terminal.seen[before:]).split("broker lost")[-1], "back")
        assert terminal.press_ctrl_c() == 130
    finally:
        terminal.close()
        end(process, wait_s=0.0)
        control.gone()
