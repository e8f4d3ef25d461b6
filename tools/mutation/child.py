"""A judgement in a process of its own."""

import os
import signal
from collections.abc import Callable


def forked(work: Callable[[], int], limit_s: int) -> int:
    """The exit code of this work in a copy of this process; 1 if it raises, dies, or takes too long."""
    child = os.fork()
    if child == 0:
        signal.alarm(limit_s)
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1
