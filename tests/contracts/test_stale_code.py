"""Machine code is never older than any source it was made of: the trap of numba's cache, closed by its folder's name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.contracts.sources import ROOT

PROGRAM = """
import numpy as np
from device_models.interface.image import records
from device_models.parts.chamber import CHAMBER, collect
from device_models.safety import SAFETY_STATE, count
from device_models.beam import BEAM_STATE
safety, chamber, beam = records(1, SAFETY_STATE), records(1, CHAMBER, gain=1.0, field_gain=1.0, hv_v=1.0, per_hv=1.0,
                                                         most_mu_per_pulse=9.0), records(1, BEAM_STATE, dose_mu=2.0, pulses_now=1)
count(safety[0], chamber[0], beam[0], True, np.zeros(4))
print(float(safety["mu_backup"][0]), sum(count.stats.cache_hits.values()))
"""


def run(tree: Path, cache: Path) -> list[str]:
    """What PROGRAM prints with this copy of the sources."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tree, capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(tree), "LINAC_CTL_CACHE_DIR": str(cache)})
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


def test_an_edit_of_a_callee_in_another_module_takes_effect_in_the_next_run(tmp_path: Path) -> None:
    tree, cache = tmp_path / "tree", tmp_path / "cache"
    for package in ("device_models", "linac_ctl"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    callee = tree / "device_models" / "parts" / "chamber.py"
    text = callee.read_text()
    assert float(run(tree, cache)[0]) == 2.0
    mu, hits = run(tree, cache)
    assert float(mu) == 2.0 and hits == "1"  # the second run took the machine code from the cache
    line = "reading = dose_mu * gain_of(chamber) * (1.0"
    assert text.count(line) == 1
    callee.write_text(text.replace(line, line.replace("dose_mu", "3.0 * dose_mu")))
    assert float(run(tree, cache)[0]) == 6.0
    callee.write_text(text)
    assert float(run(tree, cache)[0]) == 2.0


def test_every_compile_switch_has_its_own_folder() -> None:
    """Code with bounds checks, or for another processor, is never mixed up with the usual one."""
    keys = {usual()}
    for name, value in (("NUMBA_BOUNDSCHECK", "1"), ("NUMBA_CPU_NAME", "generic"), ("NUMBA_CPU_FEATURES", "+sse2")):
        keys.add(usual(**{name: value}))
    assert len(keys) == 4


def usual(**environment: str) -> str:
    """The key of the cache folder in a process with these switches."""
    code = "from device_models.interface.compiled import source_key; print(source_key())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)} | environment)
    return done.stdout.strip()
