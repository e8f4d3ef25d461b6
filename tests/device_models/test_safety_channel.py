"""The second channel: every bit inside, at and outside its limit, on NaN and on silence; its self-test."""

import pytest

from device_models.interface.image import ALL_TESTED, DT_S, Node, SafetyOpen
from tests.device_models.bench import Bench
from tests.device_models.machines import plant_config

NAN = float("nan")


@pytest.fixture
def bench() -> Bench:
    bench = Bench(plant_config("bench_one_axis"))
    bench.ready(preset_mu=100.0, time_limit_s=60.0)
    return bench


def test_a_machine_just_powered_up_gives_no_permit() -> None:
    bench = Bench(plant_config("bench_one_axis"))
    bench.close_room()
    bench.run(20)
    assert bench.open & SafetyOpen.LIMITS
    assert bench.image.safety["permit"][0] == 0.0


def test_armed_with_the_room_closed_the_chain_is_closed(bench: Bench) -> None:
    assert bench.open == 0
    assert bench.image.safety["permit"][0] == 1.0
    assert bench.image.safety["preset_echo_mu"][0] == 100.0
    assert bench.image.safety["time_limit_echo_s"][0] == 60.0


@pytest.mark.parametrize(("mu", "opens"), [
    (100.5, False), (101.0, False), (101.0000001, True), (150.0, True), (NAN, True),
])
def test_dose_opens_above_preset_and_margin(bench: Bench, mu: float, opens: bool) -> None:
    bench.plant.safety["mu_backup"] = mu
    bench.run(1)
    assert bool(bench.open & SafetyOpen.DOSE) is opens


def test_the_margin_of_a_large_preset_is_a_share_of_it(bench: Bench) -> None:
    bench.arm(preset_mu=2000.0)
    for mu, opens in ((2020.0, False), (2020.01, True)):
        bench.plant.safety["mu_backup"] = mu
        bench.run(1)
        assert bool(bench.open & SafetyOpen.DOSE) is opens


def test_dose_ends_a_beam_that_the_first_channel_does_not_end(bench: Bench) -> None:
    bench.plant.chambers["gain"][0] = 0.0
    bench.beam(1200)
    assert bench.open & SafetyOpen.DOSE
    assert 100.0 < bench.plant.beam["true_mu"][0] < 101.5
    assert not bench.on


@pytest.mark.parametrize(("beam_s", "opens"), [(59.9, False), (60.0, False), (60.001, True), (NAN, True)])
def test_timer_opens_above_its_limit(bench: Bench, beam_s: float, opens: bool) -> None:
    bench.plant.safety["beam_s"] = beam_s
    bench.run(1)
    assert bool(bench.open & SafetyOpen.TIMER) is opens


def test_the_timer_counts_permit_even_without_pulses(bench: Bench) -> None:
    bench.image.beam["hv_request"] = 0.0
    bench.beam(100)
    assert bench.image.safety["beam_s"][0] == pytest.approx(1.0)
    bench.beam_off(100)
    assert bench.image.safety["beam_s"][0] == pytest.approx(1.0)


def test_the_timer_ends_a_beam_whose_chambers_are_all_dead() -> None:
    bench = Bench(plant_config("bench_one_axis"))
    bench.ready(preset_mu=100.0, time_limit_s=2.0)
    bench.plant.chambers["gain"] = 0.0
    bench.beam(300)
    assert bench.open == SafetyOpen.TIMER
    assert not bench.on


@pytest.mark.parametrize(("silent", "opens"), [(4, False), (5, True), (6, True)])
def test_heartbeat_opens_after_fifty_milliseconds_of_silence(bench: Bench, silent: int, opens: bool) -> None:
    bench.alive = False
    bench.run(silent)
    assert bool(bench.open & SafetyOpen.HEARTBEAT) is opens


def test_a_frozen_controller_has_no_beam_after_sixty_milliseconds(bench: Bench) -> None:
    bench.beam(50)
    bench.alive = False  # and its wires stay as they are: permit on, last response
    bench.run(round(0.06 / DT_S) - 1)
    before = bench.plant.beam["true_mu"][0]
    bench.run(100)
    assert bench.plant.beam["true_mu"][0] == before
    assert bench.image.beam["permit"][0] == 1.0


def test_a_controller_that_only_repeats_itself_is_silent(bench: Bench) -> None:
    constant = int(bench.image.safety["response"][0])
    bench.alive = False
    bench.run(10, lambda i: bench.image.safety["response"].__setitem__(0, constant + i))
    assert bench.open & SafetyOpen.HEARTBEAT


def test_every_cycle_has_a_new_challenge_of_31_bits(bench: Bench) -> None:
    seen = set()
    for _ in range(500):
        bench.run(1)
        seen.add(int(bench.image.safety["challenge"][0]))
    assert len(seen) == 500
    assert min(seen) >= 0 and max(seen) < 2**31


@pytest.mark.parametrize("contact", ["door_stuck", "door_stuck_2"])
def test_either_door_contact_opens_the_chain(bench: Bench, contact: str) -> None:
    bench.beam(50)
    bench.plant.room[contact] = 1.0
    bench.plant.room["door_closed"] = 0.0
    bench.run(1)
    assert bench.open == SafetyOpen.DOOR
    assert not bench.on


@pytest.mark.parametrize("value", [0.0, 0.5, NAN])
@pytest.mark.parametrize(("field", "bit"), [("door_closed", SafetyOpen.DOOR), ("estop_ok", SafetyOpen.ESTOP)])
def test_a_contact_that_does_not_say_yes_opens_the_chain(bench: Bench, field: str, bit: SafetyOpen,
                                                         value: float) -> None:
    bench.beam(50)
    bench.plant.room[field] = value
    bench.run(1)
    assert bench.open & bit
    assert not bench.on


@pytest.mark.parametrize(("preset_mu", "limit_s", "start_mu", "opens"), [
    (100.0, 60.0, 0.0, False), (0.001, 0.01, 0.0, False), (10000.0, 1800.0, 0.0, False), (100.0, 60.0, 100.0, False),
    (0.0, 60.0, 0.0, True), (-1.0, 60.0, 0.0, True), (NAN, 60.0, 0.0, True), (10000.1, 60.0, 0.0, True),
    (float("inf"), 60.0, 0.0, True),
    (100.0, 0.0, 0.0, True), (100.0, -1.0, 0.0, True), (100.0, NAN, 0.0, True), (100.0, 1800.1, 0.0, True),
    (100.0, 60.0, NAN, True), (100.0, 60.0, -0.1, True), (100.0, 60.0, 100.1, True),
])
def test_limits_that_make_no_sense_open_the_chain(bench: Bench, preset_mu: float, limit_s: float, start_mu: float,
                                                  opens: bool) -> None:
    bench.arm(preset_mu, limit_s, start_mu)
    bench.run(1)
    assert bool(bench.open & SafetyOpen.LIMITS) is opens
    assert bench.image.safety["permit"][0] == (0.0 if opens else 1.0)
    bench.arm()
    assert bench.open == 0  # a good pair closes it again


def test_limits_are_not_taken_over_while_there_is_a_permit(bench: Bench) -> None:
    bench.beam(20)
    bench.image.safety["preset_mu"], bench.image.safety["arm"] = 5000.0, 1.0
    bench.run(5)
    assert bench.image.safety["preset_echo_mu"][0] == 100.0
    assert bench.image.safety["mu_backup"][0] > 0.5


def test_limits_on_the_wire_mean_nothing_without_arm(bench: Bench) -> None:
    bench.image.safety["preset_mu"] = 5000.0
    bench.run(5)
    assert bench.image.safety["preset_echo_mu"][0] == 100.0


def test_a_resumed_field_counts_on_from_its_start(bench: Bench) -> None:
    bench.arm(preset_mu=100.0, start_mu=95.0)
    bench.beam(200)
    assert bench.open & SafetyOpen.DOSE
    assert bench.plant.beam["true_mu"][0] == pytest.approx(6.0, abs=0.3)


def test_what_opened_stays_open_until_reset_with_its_cause_gone(bench: Bench) -> None:
    bench.plant.room["door_closed"] = 0.0
    bench.run(1)
    bench.image.safety["reset"] = 1.0
    bench.run(1)
    assert bench.open == SafetyOpen.DOOR  # the cause is still there
    bench.image.safety["reset"] = 0.0
    bench.plant.room["door_closed"] = 1.0
    bench.run(50)
    assert bench.open == SafetyOpen.DOOR  # nobody has reset
    bench.image.safety["reset"] = 1.0
    bench.run(1)
    assert bench.open == 0


def test_a_reset_under_a_permit_does_nothing(bench: Bench) -> None:
    bench.beam(50)
    bench.image.safety["reset"] = 1.0
    bench.plant.room["door_closed"] = 0.0
    bench.run(1)
    bench.plant.room["door_closed"] = 1.0
    bench.run(50)
    assert bench.open == SafetyOpen.DOOR
    assert not bench.on


def selftest(bench: Bench, cycles: int = 60) -> list[int]:
    """Ask for a self-test; -> the bits it opened in turn."""
    bench.image.safety["selftest"] = 1.0
    opened = []
    for _ in range(cycles):
        bench.run(1)
        if bench.open and (not opened or opened[-1] != bench.open):
            opened.append(bench.open)
    bench.image.safety["selftest"] = 0.0
    return opened


def test_the_self_test_opens_every_bit_in_turn_and_leaves_the_chain_closed(bench: Bench) -> None:
    assert selftest(bench) == list(SafetyOpen)
    assert bench.image.safety["passed"][0] == ALL_TESTED
    assert bench.image.safety["testing"][0] == 0.0
    assert bench.open == 0
    assert bench.image.safety["permit"][0] == 1.0


def test_there_is_no_permit_during_the_self_test(bench: Bench) -> None:
    bench.image.safety["selftest"] = 1.0
    for _ in range(30):
        bench.run(1)
        assert bench.image.safety["testing"][0] == 1.0
        assert bench.image.safety["permit"][0] == 0.0
    bench.run(1)
    assert bench.image.safety["permit"][0] == 1.0


@pytest.mark.parametrize("bit", list(SafetyOpen))
def test_a_dead_comparator_fails_its_self_test_and_no_other(bench: Bench, bit: SafetyOpen) -> None:
    bench.plant.safety["dead"] = int(bit)
    assert selftest(bench) == [other for other in SafetyOpen if other != bit]
    assert bench.image.safety["passed"][0] == ALL_TESTED & ~bit


def test_a_dead_comparator_never_opens(bench: Bench) -> None:
    bench.plant.safety["dead"] = int(SafetyOpen.DOOR)
    bench.beam(50)
    bench.plant.room["door_closed"] = 0.0
    bench.run(20)
    assert bench.open == 0
    assert bench.on


def test_a_check_whose_cause_is_there_anyway_cannot_pass(bench: Bench) -> None:
    bench.plant.room["door_closed"] = 0.0
    selftest(bench)
    assert bench.image.safety["passed"][0] == ALL_TESTED & ~SafetyOpen.DOOR


def test_a_real_cause_during_the_self_test_is_not_forgotten(bench: Bench) -> None:
    bench.image.safety["selftest"] = 1.0
    bench.run(12)
    bench.plant.room["estop_ok"] = 0.0
    bench.run(1)
    bench.plant.room["estop_ok"] = 1.0
    bench.run(60)
    assert bench.open == SafetyOpen.ESTOP


def test_arming_asks_for_a_new_self_test(bench: Bench) -> None:
    selftest(bench)
    bench.arm()
    assert bench.image.safety["passed"][0] == 0


def test_a_permit_ends_the_self_test_unpassed(bench: Bench) -> None:
    bench.image.safety["selftest"] = 1.0
    bench.run(10)
    bench.beam(1)
    assert bench.image.safety["testing"][0] == 0.0
    assert bench.image.safety["passed"][0] != ALL_TESTED


def test_the_self_test_does_not_start_under_a_permit(bench: Bench) -> None:
    bench.beam(20)
    assert selftest(bench) == []
    assert bench.on


def test_the_self_test_runs_once_per_request(bench: Bench) -> None:
    bench.image.safety["selftest"] = 1.0
    bench.run(60)
    assert bench.image.safety["testing"][0] == 0.0
    bench.run(60)
    assert bench.image.safety["testing"][0] == 0.0


def test_latent_faults_of_the_channel_are_writes_to_its_record(bench: Bench) -> None:
    bench.plant.safety["keeps_limits"] = 1.0
    bench.arm(preset_mu=5.0)
    assert bench.image.safety["preset_echo_mu"][0] == 100.0  # the echo gives it away
    bench.beam(3)
    assert not bench.on and bench.open == SafetyOpen.LIMITS  # and the channel says that it was told of others
    bench.plant.safety["keeps_limits"] = 0.0
    bench.beam_off()
    bench.arm(preset_mu=5.0)
    bench.plant.safety["timer_rate"] = 0.0
    bench.beam(50)
    assert bench.image.safety["beam_s"][0] == 0.0
    bench.plant.safety["stuck_permit"] = 1.0
    bench.plant.room["door_closed"] = 0.0
    bench.beam(5)
    assert bench.on and bench.open == SafetyOpen.DOOR


def turning(bench: Bench, cycles: int = 200) -> None:
    """The gantry at 6 deg/s."""
    for _ in range(cycles):
        bench.image.gantry["setpoint"] += 6.0 * DT_S
        bench.run(1)


def test_drives_of_a_controller_that_is_gone_lose_their_power_within_60_ms_and_rest(bench: Bench) -> None:
    turning(bench)
    bench.alive = False  # its wires stay as they are: power wanted
    powered = []
    for _ in range(45):
        bench.image.gantry["setpoint"] += 6.0 * DT_S  # even if something went on writing them
        bench.run(1)
        powered.append(float(bench.image.nodes["powered"][Node.GANTRY]))
    assert powered == [1.0] * 5 + [0.0] * 40  # open after 50 ms; axes were stepped before the channel, so one cycle later
    assert bench.image.nodes["enable"][Node.GANTRY] == 1.0
    assert bench.plant.gantry["velocity"][0] == 0.0


def test_drive_power_comes_back_with_the_controller_and_a_reset(bench: Bench) -> None:
    bench.alive = False
    bench.run(10)
    bench.alive = True
    bench.run(10)
    assert bench.image.nodes["powered"][Node.GANTRY] == 0.0
    bench.image.safety["reset"] = 1.0
    bench.run(2)
    assert bench.image.nodes["powered"][Node.GANTRY] == 1.0


def test_the_self_test_leaves_the_drives_alone(bench: Bench) -> None:
    bench.image.safety["selftest"] = 1.0
    seen = set()
    for _ in range(60):
        bench.run(1)
        seen.add(float(bench.image.nodes["powered"][Node.GANTRY]))
    assert bench.image.safety["passed"][0] == ALL_TESTED and seen == {1.0}
