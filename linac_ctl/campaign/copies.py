"""Work in a copy of this process: it begins with everything that is here now, and what it does stays its own."""

import ctypes
import gc
import os
import pickle
import signal
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
    ours, theirs = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _answer(work, theirs, parent)
    os.close(theirs)
    try:
        with os.fdopen(ours, "rb") as pipe:
            text = pipe.read()
    finally:
        _, status = os.waitpid(pid, 0)
    if not text:
        raise CopyLost(how(status))
    well, answer = pickle.loads(text)
    if not well:
        raise CopyLost(f"stopped by {answer}")
    return answer


def _answer(work: Callable[[], Any], pipe: int, parent: int) -> None:
    """In the copy. It never returns: what the original has open is closed by the original."""
    try:
        gc.disable()  # a collection would touch, and so copy, every object there is
        die_with(parent)
        text = outcome(work)
        with os.fdopen(pipe, "wb") as answer:
            answer.write(text)
    finally:
        os._exit(0)


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
