"""Plans to try: made ones on disk, spoilt ones, machines from the configuration, real files where they are to be had."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from pydicom.dataset import FileDataset

from linac_ctl.config.loader import load_machine
from linac_ctl.config.machine import MachineConfig
from linac_ctl.plan.dicom_import import read_plan
from linac_ctl.plan.make import make_plan, write_plan
from linac_ctl.plan.model import Plan

MACHINE_OF = {
    "millennium_120": "c_arm_m120",
    "hd_120": "c_arm_hd120",
    "agility_160": "c_arm_agility160",
    "mlci_80": "c_arm_mlci80",
}


@pytest.fixture(scope="session")
def machines() -> dict[str, MachineConfig]:
    """By MLC model, and the one-axis bench as "bench"."""
    found = {mlc: load_machine(name).controller for mlc, name in MACHINE_OF.items()}
    return found | {"bench": load_machine("bench_one_axis").controller}


@pytest.fixture
def m120(machines: dict[str, MachineConfig]) -> MachineConfig:
    return machines["millennium_120"]


class Made(NamedTuple):
    """A made plan: its file, and what the importer reads in it."""

    path: Path
    plan: Plan


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """By kind and MLC; each is made once."""
    folder, kept = tmp_path_factory.mktemp("made"), {}

    def get(kind: str, mlc: str = "millennium_120") -> Made:
        if (kind, mlc) not in kept:
            path = folder / f"{kind}-{mlc}.dcm"
            write_plan(path, kind, mlc)
            kept[kind, mlc] = Made(path, read_plan(path))
        return kept[kind, mlc]

    return get


@pytest.fixture
def spoil(tmp_path: Path) -> Callable[..., Path]:
    """Make a plan, let a function change its dataset, write it."""

    def write(change: Callable[[FileDataset], object], kind: str = "box_3dcrt", mlc: str = "millennium_120") -> Path:
        plan = make_plan(kind, mlc)
        change(plan)
        path = tmp_path / "spoilt.dcm"
        plan.save_as(str(path))
        return path

    return write


@pytest.fixture(scope="session")
def real_plans(real_data: Path) -> Path:
    """Folder of real RT Plans."""
    return real_data / "rtplan"
