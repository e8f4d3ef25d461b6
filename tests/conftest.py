"""What all tests share: the folder of real data, and hypothesis without deadlines."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ("pytester", "linac_ctl.testing.plugin")  # the second by its entry point's name: installed or not, once

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder named by LINAC_CTL_REAL_DATA; tests that need real files are skipped without it."""
    folder = os.environ.get("LINAC_CTL_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data: LINAC_CTL_REAL_DATA names no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT
