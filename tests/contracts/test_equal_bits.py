"""Same order, same code: the same bits, however the run is cut, paced, watched or compiled (K1).

Each test compares digests over rows, events and the last state of one session with pulses, a hold, an interrupt and a resume.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.contracts.bits import facts, session
from tests.contracts.sources import ROOT


@pytest.fixture(scope="module")
def usual() -> dict[str, Any]:
    return facts(session())


def in_another_process(*arguments: str, **environment: str) -> dict[str, Any]:
    """The same session, in a fresh process with these switches."""
    done = subprocess.run([sys.executable, "-m", "tests.contracts.bits", *arguments], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)} | environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_session_has_pulses_a_hold_an_interrupt_and_all_its_mu(usual) -> None:
    assert usual["cycles"] >= 1000 and usual["error"] == "None"
    assert usual["trips"][0] == "MLC_POS" and usual["trips"][-2:] == ["DOOR", "DOOR_CHAIN"]
    assert usual["mu"] == pytest.approx(16.0, abs=0.15)


def test_two_runs_are_equal_and_another_seed_is_not(usual) -> None:
    assert facts(session()) == usual
    assert facts(session(seed=8))["digest"] != usual["digest"]


@pytest.mark.parametrize("max_block", [1, 7, 1000])
def test_block_length_does_not_matter(usual, max_block: int) -> None:
    assert facts(session(max_block=max_block)) == usual


@pytest.mark.parametrize("max_block", [1, 7])
def test_block_length_does_not_matter_on_a_whole_machine(max_block: int) -> None:
    assert facts(session("c_arm_hd120", max_block=max_block)) == facts(session("c_arm_hd120"))


def test_pace_does_not_matter(usual) -> None:
    assert facts(session(speed=50.0)) == usual


@pytest.mark.parametrize("hz", [10.0, 100.0, 1000.0])
def test_being_watched_does_not_matter(usual, hz: float) -> None:
    assert facts(session(status_hz=hz)) == usual


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_hash_seeds_do_not_matter(usual, seed: str) -> None:
    assert in_another_process(PYTHONHASHSEED=seed) == usual


def test_bounds_are_never_crossed_and_checking_them_does_not_matter(usual) -> None:
    assert in_another_process(NUMBA_BOUNDSCHECK="1") == usual


def test_a_processor_without_anything_special_gives_the_same_bits(usual) -> None:
    assert in_another_process(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == usual


def test_plain_python_gives_the_same_bits_for_more_than_a_thousand_cycles(usual) -> None:
    assert in_another_process(NUMBA_DISABLE_JIT="1") == usual
