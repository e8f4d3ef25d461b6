"""The surface monitor: late, noisy, independent of the controller; and what its faults do."""

import numpy as np
import pytest

from device_models.patient.surface import SurfaceConfig, SurfaceMonitor

DT_S = 0.01
CONFIG = SurfaceConfig(every_s=0.1, latency_s=0.1, noise_mm=0.1)


def answers(monitor: SurfaceMonitor, seconds: float = 3.0) -> list[tuple[int, int, np.ndarray]]:
    """(now, cycle of the picture, numbers) of a skin that rises by 1 mm per s."""
    found = []
    for cycle in range(0, round(seconds / DT_S), 10):
        monitor.take(cycle, np.array([0.0, 0.0, cycle * DT_S]), 0.0)
        if (answer := monitor.answer(cycle, DT_S)) is not None:
            found.append((cycle, *answer))
    return found


def test_an_answer_is_as_old_as_the_latency_and_says_so() -> None:
    for now, taken, numbers in answers(SurfaceMonitor(CONFIG, 1)):
        assert now - taken == 10 and numbers[2] == pytest.approx(taken * DT_S, abs=0.5)


def test_noise_has_its_sigma_and_comes_from_the_seed_alone() -> None:
    def rest(seed: int) -> np.ndarray:
        return np.array([numbers[:2] for _, _, numbers in answers(SurfaceMonitor(CONFIG, seed), 60.0)])

    assert rest(1).std() == pytest.approx(0.1, rel=0.1)
    assert (rest(1) == rest(1)).all() and not (rest(1) == rest(2)).all()


def test_numbers_stand_on_a_grid_so_that_no_last_bit_reaches_the_cycle() -> None:
    for _, _, numbers in answers(SurfaceMonitor(CONFIG, 1)):
        assert np.array_equal(np.round(numbers, 3), numbers)


def test_a_silent_monitor_says_nothing_and_a_held_one_says_the_same_with_a_new_stamp() -> None:
    assert answers(SurfaceMonitor(CONFIG, 1, silent=True)) == []
    held = answers(SurfaceMonitor(CONFIG, 1, held=True))
    assert len({tuple(numbers) for _, _, numbers in held}) == 1 and len({taken for _, taken, _ in held}) == len(held)


def test_a_late_monitor_is_later_by_so_much() -> None:
    assert {now - taken for now, taken, _ in answers(SurfaceMonitor(CONFIG, 1, late_s=0.4))} == {50}
