"""RTK in a process of its own, asked one job at a time: so that both sides are timed in turns within one run.

LINAC_CTL_RTK_PYTHON names the interpreter of an environment that has itk-rtk; without it there is nothing to compare with.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

VARIABLE = "LINAC_CTL_RTK_PYTHON"
WORKER = Path(__file__).with_name("rtk_worker.py")


class Rtk:
    """Answers of `rtk_worker`."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen([python, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def __enter__(self) -> "Rtk":
        return self

    def __exit__(self, kind: type[BaseException] | None, what: BaseException | None, where: TracebackType | None) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def ask(self, job: str, **numbers: Any) -> dict[str, Any]:
        """What the worker's method of this name returns; its seconds are those of the computation alone."""
        if self._process.stdin is None:
            raise RuntimeError("RTK: no pipe to the worker")
        self._process.stdin.write(json.dumps({"job": job} | numbers) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("RTK: the worker has ended; its last words are above")
        found: dict[str, Any] = json.loads(line)
        return found


def installed() -> str | None:
    """The interpreter, if there is one."""
    python = os.environ.get(VARIABLE)
    if python and not Path(python).exists():
        sys.exit(f"{VARIABLE}: there is no {python}")
    return python or None
