"""The room: what operators do and what the wires say."""

import pytest

from device_models.interface.image import Node
from tests.device_models.bench import Bench
from tests.device_models.machines import plant_config


@pytest.fixture
def bench() -> Bench:
    bench = Bench(plant_config("bench_one_axis"))
    bench.run(1)
    return bench


def test_the_room_starts_open_and_unready(bench: Bench) -> None:
    room = bench.image.room[0]
    assert room["door_closed"] == room["door_closed_2"] == room["last_person_out"] == room["key_on"] == 0.0
    assert room["motion_enable"] == room["motion_enable_2"] == room["service_mode"] == room["bypass"] == 0.0
    assert room["estop_ok"] == room["mains_ok"] == room["touchguard_ok"] == room["touchguard_ok_2"] == 1.0


@pytest.mark.parametrize("name", ["estop_ok", "key_on", "mains_ok", "room_monitor_ok", "service_mode", "bypass"])
def test_what_is_true_in_the_room_is_on_its_wire(bench: Bench, name: str) -> None:
    for value in (1.0, 0.0):
        bench.plant.room[name] = value
        bench.run(1)
        assert bench.image.room[name][0] == value


@pytest.mark.parametrize(("truth", "wires", "stuck"), [
    ("door_closed", ("door_closed", "door_closed_2"), ("door_stuck", "door_stuck_2")),
    ("motion_enable", ("motion_enable", "motion_enable_2"), ("bar_stuck", "bar_stuck_2")),
    ("touchguard_ok", ("touchguard_ok", "touchguard_ok_2"), ("guard_stuck", "guard_stuck_2")),
])
def test_one_welded_contact_leaves_the_other(bench: Bench, truth: str, wires: tuple[str, str],
                                             stuck: tuple[str, str]) -> None:
    for broken in (0, 1):
        bench.plant.room[stuck[broken]], bench.plant.room[stuck[1 - broken]] = 1.0, 0.0
        bench.plant.room[truth] = 0.0
        bench.run(1)
        assert bench.image.room[wires[broken]][0] == 1.0
        assert bench.image.room[wires[1 - broken]][0] == 0.0


@pytest.mark.parametrize(("stuck", "wire", "truth"), [
    ("door_stuck_2", "door_closed_2", "door_closed"), ("bar_stuck", "motion_enable", "motion_enable"),
    ("guard_stuck", "touchguard_ok", "touchguard_ok"),
])
def test_a_broken_contact_is_open_whatever_the_truth(bench: Bench, stuck: str, wire: str, truth: str) -> None:
    bench.plant.room[truth] = 1.0
    bench.run(1)
    assert bench.image.room[wire][0] == 1.0
    bench.plant.room[stuck] = -1.0
    bench.run(1)
    assert bench.image.room[wire][0] == 0.0


def test_last_person_out_needs_the_button_and_then_the_door(bench: Bench) -> None:
    bench.plant.room["search_pressed"] = 1.0
    bench.run(100)
    assert bench.image.room["last_person_out"][0] == 0.0
    bench.plant.room["door_closed"] = 1.0
    bench.run(1)
    assert bench.image.room["last_person_out"][0] == 1.0
    bench.run(1000)
    assert bench.image.room["last_person_out"][0] == 1.0


def test_an_open_door_forgets_the_search(bench: Bench) -> None:
    bench.plant.room["search_pressed"], bench.plant.room["door_closed"] = 1.0, 1.0
    bench.run(1)
    assert bench.image.room["last_person_out"][0] == 1.0
    bench.plant.room["door_closed"] = 0.0
    bench.run(1)
    bench.plant.room["door_closed"] = 1.0
    bench.run(1)
    assert bench.image.room["last_person_out"][0] == 0.0


def test_a_search_that_is_too_old_does_not_count(bench: Bench) -> None:
    bench.plant.room["search_pressed"] = 1.0
    bench.run(3001)
    bench.plant.room["door_closed"] = 1.0
    bench.run(1)
    assert bench.image.room["last_person_out"][0] == 0.0


def test_the_button_behind_a_closed_door_does_not_count(bench: Bench) -> None:
    bench.plant.room["door_closed"] = 1.0
    bench.run(2)
    bench.plant.room["search_pressed"] = 1.0
    bench.run(2)
    assert bench.image.room["last_person_out"][0] == 0.0


def test_contact_presses_the_touch_guards() -> None:
    bench = Bench(plant_config("bench_small"))
    bench.plant.collision["obstruction_mm"] = 0.0
    bench.run(12)
    assert bench.image.room["clearance_mm"][0] == 0.0
    assert bench.image.room["touchguard_ok"][0] == bench.image.room["touchguard_ok_2"][0] == 0.0


def test_a_silent_room_node_leaves_its_wires_and_its_stamp(bench: Bench) -> None:
    bench.plant.nodes["silent"][Node.ROOM] = 1.0
    stamp = bench.image.nodes["sampled_cycle"][Node.ROOM]
    bench.plant.room["estop_ok"] = 0.0
    bench.run(5)
    assert bench.image.room["estop_ok"][0] == 1.0
    assert bench.image.nodes["sampled_cycle"][Node.ROOM] == stamp
