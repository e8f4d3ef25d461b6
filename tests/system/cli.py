"""The command line in processes of its own, in a working folder of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from linac_ctl.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--machine", "bench_small", "--workflow", "bench", "--no-report")  # a jaws-only field on the smallest machine


def inside(*words: Any) -> int:
    """The same command in this process, where everything is loaded already; -> exit code."""
    try:
        return main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)


def start(*words: Any, cwd: Path = ROOT) -> "subprocess.Popen[str]":
    """A running command."""
    return subprocess.Popen([sys.executable, "-m", "linac_ctl", *map(str, words)], cwd=cwd, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment())


def call(*words: Any, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """A finished command."""
    child = start(*words, cwd=cwd)
    out, err = child.communicate(timeout=240)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def environment() -> dict[str, str]:
    """Ours, with this checkout first on the path."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def result(folder: Path) -> dict[str, Any]:
    """result.json of a run."""
    return json.loads((folder / "result.json").read_text())  # type: ignore[no-any-return]


def run_quick(folder: Path, *more: Any) -> int:
    """`run palliative` on the smallest machine, in this process; -> exit code."""
    return inside("run", "palliative", *QUICK, "--out", folder, *more)
