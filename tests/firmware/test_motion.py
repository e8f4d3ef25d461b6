"""How the axes of the reference firmware move, cycle by cycle in lockstep."""

import itertools

import pytest

from tests.firmware.bench import Line, Status
from tests.firmware.programs import on_a_socket

HOLD = 2
CYCLE_S = 0.01
VMAX = (25000, 45000, 25000)  # um/s
AMAX = (60000, 80000, 60000)  # um/s2
START = (0, -300000, -150000)


def track(line: Line, axis: int, cycles: int) -> list[int]:
    """Positions of one axis, cycle by cycle, um."""
    return [Status.of(line.ok("TK 1")).first[axis] for _ in range(cycles)]


def speeds(way: list[int]) -> list[int]:
    """um per cycle."""
    return [b - a for a, b in itertools.pairwise(way)]


def test_time_stands_until_asked(still):
    first = int(still.ask("ST").split()[1])
    still.listen(0.1)
    assert int(still.ask("ST").split()[1]) == first


def test_the_first_cycle_is_at_zero_and_the_next_ten_later(device):
    device.ok("LS 1")
    assert [int(device.ask("SV 0 nan nan nan").split()[1]) for _ in range(3)] == [0, 10, 20]
    assert int(device.ask("TK 100").split()[1]) == 1020


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("way_um", [1, -7, 90, -2500, 40000])
def test_a_move_keeps_its_limits_does_not_overshoot_and_ends_on_its_target(still, axis, way_um):
    target = START[axis] + way_um
    still.ok(f"MV {axis} {target}")
    way = [START[axis], *track(still, axis, 400)]
    assert way[-1] == target and still.status().state == HOLD
    assert all(min(START[axis], target) <= at <= max(START[axis], target) for at in way)
    assert max(map(abs, speeds(way))) <= VMAX[axis] * CYCLE_S + 1
    assert max(abs(b - a) for a, b in zip(speeds(way), speeds(way)[1:], strict=False)) <= AMAX[axis] * CYCLE_S**2 + 2


def test_a_short_long_move_is_as_quick_as_its_limits_allow(still):
    still.ok("MV 1 -255000")  # 45 mm: 0.5625 s up, 0.4375 s at 45 mm/s, 0.5625 s down
    way = track(still, 1, 200)
    assert 150 <= way.index(-255000) <= 162


def test_a_target_that_turns_back_is_reached_too(still):
    still.ok("MV 0 20000")
    track(still, 0, 60)
    still.ok("MV 0 -5000")
    assert track(still, 0, 400)[-1] == -5000


def test_cyclic_setpoints_are_followed_within_a_tenth_of_a_millimetre(still):
    at, worst = 0.0, 0.0
    for cycle in range(300):
        speed = 20000 * min(1.0, cycle / 80)
        at += speed * CYCLE_S
        readings = Status.of(still.ok(f"SV 1 {round(at)} -300000 -150000"))
        worst = max(worst, abs(readings.first[0] - at) if cycle > 5 else 0.0)
    assert worst <= 260, "one cycle at 20 mm/s is 200 um"


def test_no_target_means_stay(still):
    for _ in range(50):
        still.ok("SV 1 2000 -300000 -150000")
    moved = Status.of(still.ok("SV 1 nan nan nan")).first[0]
    for _ in range(100):
        last = Status.of(still.ok("SV 1 nan nan nan"))
    assert 0 < moved <= last.first[0] <= 2000 + 10 and last.state == HOLD


def test_without_power_nothing_is_followed_and_values_are_not_looked_at(device):
    device.ok("LS 1")
    for _ in range(20):
        status = Status.of(device.ok("SV 0 999999999 -999999999 5000"))
    assert status.first == START


def test_the_same_requests_give_the_same_bytes(program):
    told = []
    for _ in range(2):
        with on_a_socket(program) as line:
            line.ready("LS 1", "EN 1", "TM 50")
            begun = len(line.heard)
            for i in range(200):
                line.ok(f"SV 1 {i * 37 % 5000} {-300000 + i * 90} -150000")
            told.append(line.heard[begun:])
    assert told[0] == told[1]


def test_lockstep_can_be_left(still):
    still.ok("TK 10")
    assert not int(still.ok("LS 0")[0]) & 8
    first = int(still.ask("ST").split()[1])
    still.listen(0.1)
    assert int(still.ask("ST").split()[1]) > first
