"""An alarm that select() can wait for: the kernel's timer as a descriptor (timerfd, Linux).

It rings at an absolute moment of the monotonic clock, so errors never add up, and the kernel gives it none of the slack
that sleeps have. Elsewhere there is none, and whoever wants to wait sleeps.
"""

import ctypes
import os
import time
from typing import Any, Protocol

py313: Any = os  # has functions that the oldest Python we run on does not know
NS = 1_000_000_000
ABSOLUTE = 1  # TFD_TIMER_ABSTIME; TFD_NONBLOCK and TFD_CLOEXEC are O_NONBLOCK and O_CLOEXEC by definition


class Alarm(Protocol):
    """Readable from the moment it was set to, until it is set again."""

    def set(self, due_ns: int) -> None:
        """Ring at this moment of the monotonic clock, ns; at once if that is past."""

    def fileno(self) -> int:
        """For select()."""

    def close(self) -> None:
        """Never rings again."""


class OsAlarm:
    """By the functions of Python 3.13."""

    def __init__(self) -> None:
        self._fd: int = py313.timerfd_create(time.CLOCK_MONOTONIC, flags=os.O_NONBLOCK | os.O_CLOEXEC)

    def set(self, due_ns: int) -> None:
        """See Alarm."""
        py313.timerfd_settime_ns(self._fd, flags=ABSOLUTE, initial=max(due_ns, 1), interval=0)

    def fileno(self) -> int:
        """See Alarm."""
        return self._fd

    def close(self) -> None:
        """See Alarm."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


class _Moment(ctypes.Structure):
    """struct itimerspec: every how often (0: once), and when."""

    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "at_s", "at_ns")]


class LibcAlarm:
    """By the C library, for older Pythons."""

    def __init__(self) -> None:
        """OSError or AttributeError where there is no such thing."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._moment = _Moment()
        self._where = ctypes.byref(self._moment)
        self._fd: int = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        self._check(self._fd)

    def set(self, due_ns: int) -> None:
        """See Alarm."""
        self._moment.at_s, self._moment.at_ns = divmod(max(due_ns, 1), NS)  # 0 would switch it off
        self._check(self._libc.timerfd_settime(self._fd, ABSOLUTE, self._where, None))

    def _check(self, answer: int) -> None:
        if answer < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def fileno(self) -> int:
        """See Alarm."""
        return self._fd

    def close(self) -> None:
        """See Alarm."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


def new_alarm() -> Alarm | None:
    """The best there is; None where there is none."""
    for kind in (OsAlarm, LibcAlarm):
        try:
            return kind()
        except (OSError, AttributeError, TypeError):  # no such function, or a system that refuses it
            continue
    return None
