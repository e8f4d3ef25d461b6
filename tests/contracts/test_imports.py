"""Who may import whom (K11): layers by import-linter, the border between controller and machine by hand."""

import subprocess
import sys

import pytest

from device_models.interface.compiled import SOURCES
from device_models.interface.kernels import IMAGING
from tests.contracts.sources import ROOT, files, imported, name

SEAMS = {  # outside of these, linac_ctl sees nothing of the machine but its wires
    "linac_ctl/app.py": ("device_models",),
    "linac_ctl/outcome.py": ("device_models.referee.judging.verdict",),
    "linac_ctl/judged.py": ("device_models.referee",),
    "linac_ctl/imager_link.py": ("device_models",),
    "linac_ctl/mv_link.py": ("device_models",),
    "linac_ctl/told_frames.py": ("device_models.imagers",),
    "linac_ctl/imager_ends.py": ("device_models.serve",),
    "linac_ctl/hardware.py": ("device_models.serve",),
    "linac_ctl/served.py": ("device_models.serve", "device_models.plant"),
    "linac_ctl/warm.py": ("device_models",),
    "linac_ctl/patient_files.py": ("device_models.patient",),
    "linac_ctl/study": ("device_models.imagers", "device_models.patient"),
    "linac_ctl/runtime/block.py": ("device_models.plant", "device_models.referee.witness"),
    "linac_ctl/runtime/engine.py": ("device_models.referee.columns", "device_models.referee.judging.recording"),
    "linac_ctl/config/bundle.py": ("device_models.config",),
    "linac_ctl/injection": ("device_models.faults", "device_models.disturb", "device_models.hands"),
    "linac_ctl/injection/alterations": ("device_models.patient",),
    "linac_ctl/cli/fault.py": ("device_models.faults",),
    "linac_ctl/runtime/disturbed.py": ("device_models.disturb",),
    "linac_ctl/runtime/disturbed_block.py": ("device_models.plant", "device_models.referee.witness", "device_models.disturb"),
    "linac_ctl/live/said_fault.py": ("device_models.faults",),
    "linac_ctl/testing/referee.py": ("device_models.referee.judging",),
    "linac_ctl/campaign": ("device_models.faults", "device_models.referee"),
}


def below(module: str, allowed: tuple[str, ...]) -> bool:
    """Is a module one of these, or inside of one?"""
    return any(module == one or module.startswith(one + ".") for one in allowed)


def forbidden(path_name: str, modules: set[str]) -> set[str]:
    """Modules of the machine that a file of the controller may not see."""
    allowed = [seam for place, seam in SEAMS.items() if path_name == place or path_name.startswith(place + "/")]
    free = ("device_models.interface", *(module for seam in allowed for module in seam))
    return {m for m in modules if below(m, ("device_models",)) and m != "device_models" and not below(m, free)}


def test_requests_go_down_and_never_up():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("path", files("linac_ctl"), ids=name)
def test_the_controller_sees_only_the_wires_of_the_machine(path):
    assert not forbidden(name(path), imported(path))


def test_a_look_behind_the_wires_is_noticed():
    assert forbidden("linac_ctl/control/cycle.py", {"device_models.plant"}) == {"device_models.plant"}
    assert not forbidden("linac_ctl/app.py", {"device_models.plant"})
    assert forbidden("linac_ctl/config/bundle.py", {"device_models.beam"})


@pytest.mark.parametrize("path", files("device_models/interface"), ids=name)
def test_the_wires_know_nobody(path):
    ours = {m for m in imported(path) if below(m, ("linac_ctl", "device_models")) and m != "device_models"}
    assert not {m for m in ours if not below(m, ("device_models.interface",))}


@pytest.mark.parametrize("path", files("device_models/referee.py", "device_models/referee"), ids=name)
def test_the_referee_shares_nothing_with_those_it_judges(path):
    assert not {m for m in imported(path) if below(m, ("device_models.safety", "device_models.faults", "linac_ctl"))}


@pytest.mark.parametrize("path", files(), ids=name)
def test_compiled_code_is_only_where_the_key_of_its_cache_looks(path):
    if any(name(path) == source or name(path).startswith(source + "/") for source in SOURCES):
        return
    makers = {"device_models.interface.compiled.compiled", "device_models.interface.compiled.inlined"}
    found = {m for m in imported(path) if below(m, ("numba",)) or m in makers}
    loops = {"numba", "numba.prange"} if name(path).startswith(IMAGING) else set()  # kernels of images have a key of their own
    assert not found - loops
