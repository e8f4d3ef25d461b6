"""Work in a copy of this process: it begins with everything that is here now, and what it does stays its own."""

import ctypes
import gc
import os
import pickle
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
_libc = None if os.name != "posix" else ctypes.CDLL(None)


class CopyLost(Exception):
    """A copy ended without an answer; the text says how."""


def able() -> bool:
    """Can this system copy processes?"""
    return hasattr(os, "fork")


def in_copy(work: Callable[[], Any]) -> Any:
    """What `work` returns, done by a copy; CopyLost when that died before it could answer."""
    parent = os.getpid()
    with _memory() as answer:
        place = answer.fileno()
        pid = os.fork()
        if pid == 0:
            _answer(work, place, parent)
        status = _ended(pid)
        text = answer.read()
    if status or not text:  # it may have died in the middle of its answer
        raise CopyLost(how(status))
    well, found = pickle.loads(text)
    if not well:
        raise CopyLost(f"stopped by {found}")
    return found


def _ended(pid: int) -> int:
    """Its status; nobody is interrupted before the copy is gone.

    Called right after the copy was made: each page that is written to while both are there has to be copied, and a large one falls
    to pieces. Hence no pipe, which somebody would have to read meanwhile.
    """
    try:
        return os.waitpid(pid, 0)[1]
    except BaseException:
        os.waitpid(pid, 0)
        raise


def _memory() -> Any:
    """A file without a name, in memory where there are such files."""
    return os.fdopen(os.memfd_create("answer"), "rb") if hasattr(os, "memfd_create") else tempfile.TemporaryFile()


def _answer(work: Callable[[], Any], place: int, parent: int) -> None:
    """In the copy. It never returns: what the original has open is closed by the original."""
    code = 1
    try:
        gc.disable()  # a collection would touch, and so copy, every object there is
        die_with(parent)
        text, done = outcome(work), 0
        while done < len(text):
            done += os.pwrite(place, text[done:], done)
        code = 0
    finally:
        os._exit(code)


def outcome(work: Callable[[], Any]) -> bytes:
    """Pickled: (True, what it returns) or (False, what went wrong)."""
    try:
        return pickle.dumps((True, work()), pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        return pickle.dumps((False, f"{type(error).__name__}: {error}"[:500]))


def die_with(parent: int) -> None:
    """No copy outlives the process that waits for it. Linux only; elsewhere it ends with its session."""
    with suppress(OSError, AttributeError):
        assert _libc is not None
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def how(status: int) -> str:
    """For people."""
    code = os.waitstatus_to_exitcode(status)
    return f"killed by signal {-code}" if code < 0 else f"ended with code {code} and without an answer"
