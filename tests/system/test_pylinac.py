"""Our logs of real plans in the analyser that physicists use: gamma of what was delivered against the plan."""

import os
from pathlib import Path

import pytest

from tools.interop_gamma import PLANS, opinions


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter with pylinac."""
    name = os.environ.get("LINAC_CTL_INTEROP_PYTHON")
    if not name:
        pytest.skip("pylinac: LINAC_CTL_INTEROP_PYTHON names no interpreter with pylinac")
    return name


@pytest.mark.parametrize("plan", PLANS)
def test_pylinac_passes_what_was_delivered_against_the_plan(plan: str, python: str, real_data: Path, tmp_path: Path) -> None:
    for opinion in opinions(real_data / "rtplan" / plan, PLANS[plan], python, tmp_path):
        assert opinion.passed >= 99.0, opinion
        # slits of 1 mm: two pulses that fall into a neighbouring 20 ms snapshot are 0.7 % of such a slit's dose
        assert opinion.passed_plan >= 95.0 and opinion.mean_plan <= 0.15, opinion
