"""How a helper process behaves beside a control process that keeps real time."""

import os
import resource

MEMORY = 1 << 30  # bytes of address space: the most that a malicious peer can make us hold
NICE = 5


def be_modest() -> None:
    """Whatever priority the control process has is not ours, and neither is all of the memory."""
    try:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.nice(NICE)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (OSError, ValueError, AttributeError):
        pass  # not everywhere, and nothing depends on it
