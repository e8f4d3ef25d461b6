"""Whoever needs a kernel first on a computer computes with the same machine code as everybody after him."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import pytest

from tests.contracts.sources import ROOT

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


def begun(cache: Path, *words: str) -> "subprocess.Popen[str]":
    """A process with its own cache folder that needs a kernel."""
    home = os.environ | {"LINAC_CTL_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", "tests.imagers.one_kernel", *words], cwd=ROOT, env=home, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What it says."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(out)  # type: ignore[no-any-return]


def test_the_first_to_need_a_kernel_compiles_nothing_itself_and_gets_the_bits_of_the_next(tmp_path: Path) -> None:
    first, second = ended(begun(tmp_path)), ended(begun(tmp_path))
    assert first == second == {"bits": first["bits"], "hits": 1, "misses": 0}


def test_two_who_need_it_at_once_share_what_one_of_them_makes(tmp_path: Path) -> None:
    both = [begun(tmp_path), begun(tmp_path)]
    one, other = (ended(process) for process in both)
    assert one == other and one["misses"] == 0
    kept = [path for path in tmp_path.rglob("*") if path.suffix in (".nbc", ".nbi")]
    assert len(kept) == 4  # two kernels, code and index of each


@pytest.mark.parametrize("how", ["lost", "full"])
def test_where_nothing_can_be_kept_a_kernel_is_compiled_where_it_is_needed(tmp_path: Path, how: str) -> None:
    assert ended(begun(tmp_path, how))["misses"] == 2
