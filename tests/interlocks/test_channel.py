"""The second channel by itself: its laws one by one, without the machine around it (tests/device_models has that)."""

from typing import Any

import numpy as np
import pytest

from device_models.beam import BEAM_STATE
from device_models.config import SafetyConfig
from device_models.interface.heartbeat import REFUSAL, answer
from device_models.interface.image import ALL_TESTED, BEAM, DT_S, NODE, SAFETY, SafetyOpen, records
from device_models.parts.chamber import CHAMBER
from device_models.parts.node import NODE_STATE
from device_models.room import ROOM_STATE
from device_models.safety import (
    SAFETY_STATE,
    begin_test,
    count,
    fed_bit,
    go_on_testing,
    latch,
    listen,
    new_safety,
    show,
    step_safety,
    switch_relays,
    take_over,
    valid,
    violated,
)

NAN, INF = float("nan"), float("inf")
CONFIG = SafetyConfig(backup_margin_mu=1.0, backup_margin_ratio=0.01, heartbeat_limit_s=0.05, selftest_step_s=0.05,
                      longest_limit_s=1800.0, largest_preset_mu=10_000.0)
DOSE, TIMER, HEARTBEAT, DOOR, ESTOP, LIMITS = (int(bit) for bit in SafetyOpen)


class Channel:
    """The channel's records and its wires, in a room that is fine."""

    def __init__(self) -> None:
        self.safeties, self.wires = new_safety(CONFIG, 7), records(1, SAFETY, preset_mu=100.0, time_limit_s=60.0)
        self.chambers = records(1, CHAMBER, gain=1.0, field_gain=1.0, hv_v=300.0, per_hv=1 / 300.0, most_mu_per_pulse=1e9)
        self.beams, self.beam_wires = records(1, BEAM_STATE), records(1, BEAM)
        self.rooms = records(1, ROOM_STATE, door_1=1.0, door_2=1.0, estop_ok=1.0)
        self.nodes, self.node_wires = records(1, NODE_STATE, local=1, healthy=1.0), records(1, NODE)
        self.sample, self.cycle, self.alive = np.zeros(2), 0, True
        self.safety, self.wire, self.room, self.beam = self.safeties[0], self.wires[0], self.rooms[0], self.beams[0]
        self.chamber, self.beam_wire = self.chambers[0], self.beam_wires[0]

    def set(self, **fields: Any) -> None:
        """Fields of the channel's own record."""
        for name, value in fields.items():
            self.safeties[name] = value

    def ask(self, **fields: Any) -> None:
        """Its wires."""
        for name, value in fields.items():
            self.wires[name] = value

    def run(self, cycles: int = 1) -> int:
        """-> SafetyOpen bits on the wire."""
        for _ in range(cycles):
            if self.alive:
                self.ask(response=answer(int(self.wire["challenge"])))
            self.cycle += 1
            step_safety(self.safety, self.chamber, self.wire, self.beam_wire, self.beam, self.room, self.nodes[0],
                        self.node_wires[0], self.sample, self.cycle)
        return int(self.wire["open"])

    def armed(self) -> "Channel":
        """Limits in force, chain closed."""
        self.ask(arm=1.0, reset=1.0)
        self.run(2)
        self.ask(arm=0.0, reset=0.0)
        assert self.run(1) == 0 and self.wire["permit"] == 1.0
        return self

    def permit(self, on: float = 1.0) -> None:
        """The controller's."""
        self.beam_wires["permit"] = on


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.mark.parametrize(("challenge", "says"), [(0, 11), (1, 48_282), (44_488, 2_147_480_259), (44_489, 44_883),
                                                 (2_147_483_646, 2_147_435_387)])
def test_the_answer_to_a_challenge_is_the_one_that_is_agreed(challenge: int, says: int) -> None:
    assert answer(challenge) == says


def test_a_new_channel_is_open_and_knows_nothing() -> None:
    it = new_safety(CONFIG, 7)
    assert len(it) == 1 and it.dtype.names == SAFETY_STATE.names
    known = {"open": LIMITS, "margin_mu": 1.0, "margin_ratio": 0.01, "silence_limit": 5, "step_cycles": 5, "longest_s": 1800.0,
             "largest_mu": 10_000.0, "key": 7, "timer_rate": 1.0, "silence_tested": 5, "motion": 1.0, "supplied": 1.0}
    assert {name: it[name][0] for name in SAFETY_STATE.names if it[name][0] != 0} == known
    quick = new_safety(CONFIG.model_copy(update={"selftest_step_s": 0.001}), 7)
    assert quick["step_cycles"][0] == 2


@pytest.mark.parametrize(("field", "value", "good"), [
    ("preset_mu", 0.0, False), ("preset_mu", 1e-9, True), ("preset_mu", 10_000.0, True), ("preset_mu", 10_000.1, False),
    ("preset_mu", -1.0, False), ("preset_mu", NAN, False), ("preset_mu", INF, False),
    ("time_limit_s", 0.0, False), ("time_limit_s", 1e-9, True), ("time_limit_s", 1800.0, True), ("time_limit_s", 1800.1, False),
    ("time_limit_s", NAN, False), ("time_limit_s", -5.0, False),
    ("start_mu", 0.0, True), ("start_mu", -1e-9, False), ("start_mu", 100.0, True), ("start_mu", 100.1, False),
    ("start_mu", NAN, False),
])
def test_limits_have_to_make_sense(channel: Channel, field: str, value: float, good: bool) -> None:
    channel.ask(**({"preset_mu": 100.0, "time_limit_s": 60.0, "start_mu": 0.0} | {field: value}))
    assert bool(valid(channel.safety, channel.wire)) is good


def test_limits_are_taken_over_while_armed_and_without_permit(channel: Channel) -> None:
    channel.ask(arm=1.0, start_mu=12.5)
    channel.set(mu_backup=3.0, beam_s=9.0, passed=5)
    take_over(channel.safety, channel.wire, False)
    s = channel.safety
    assert (s["loaded"], s["preset_mu"], s["time_limit_s"], s["mu_backup"], s["beam_s"]) == (1, 100.0, 60.0, 12.5, 0.0)
    assert s["passed"] == 0 and s["was_armed"] == 1.0


@pytest.mark.parametrize(("arm", "permit"), [(0.0, False), (1.0, True), (0.0, True), (2.0, False), (NAN, False)])
def test_limits_are_not_taken_over_otherwise(channel: Channel, arm: float, permit: bool) -> None:
    channel.ask(arm=arm)
    channel.set(mu_backup=3.0, beam_s=9.0)
    take_over(channel.safety, channel.wire, permit)
    s = channel.safety
    assert (s["loaded"], s["preset_mu"], s["mu_backup"], s["beam_s"]) == (0, 0.0, 3.0, 9.0)


def test_arming_asks_for_a_new_self_test_once(channel: Channel) -> None:
    channel.ask(arm=1.0)
    channel.set(passed=63)
    take_over(channel.safety, channel.wire, True)  # even under a permit
    assert channel.safety["passed"] == 0
    channel.set(passed=63)
    take_over(channel.safety, channel.wire, False)
    assert channel.safety["passed"] == 63  # still the same arming
    channel.ask(arm=0.0)
    take_over(channel.safety, channel.wire, False)
    assert channel.safety["passed"] == 63 and channel.safety["was_armed"] == 0.0
    channel.ask(arm=1.0)
    take_over(channel.safety, channel.wire, False)
    assert channel.safety["passed"] == 0


def test_limits_without_sense_unload_those_that_were_there(channel: Channel) -> None:
    channel.ask(arm=1.0)
    take_over(channel.safety, channel.wire, False)
    channel.ask(preset_mu=NAN, start_mu=NAN)
    take_over(channel.safety, channel.wire, False)
    s = channel.safety
    assert (s["loaded"], s["preset_mu"], s["time_limit_s"], s["mu_backup"]) == (0, 0.0, 0.0, 0.0)


def test_a_channel_that_keeps_its_limits_still_starts_its_counters_again(channel: Channel) -> None:
    channel.ask(arm=1.0)
    take_over(channel.safety, channel.wire, False)
    channel.set(keeps_limits=1.0, mu_backup=9.0, beam_s=9.0)
    channel.ask(preset_mu=5.0, start_mu=1.0)
    take_over(channel.safety, channel.wire, False)
    s = channel.safety
    assert (s["loaded"], s["preset_mu"], s["mu_backup"], s["beam_s"]) == (1, 100.0, 1.0, 0.0)


@pytest.mark.parametrize("start", [0.0, 0.5, 99.0])
def test_a_field_counts_from_its_start(channel: Channel, start: float) -> None:
    channel.ask(arm=1.0, start_mu=start)
    take_over(channel.safety, channel.wire, False)
    assert channel.safety["mu_backup"] == start


def test_a_negative_start_counts_from_zero(channel: Channel) -> None:
    channel.ask(arm=1.0, start_mu=-4.0)
    take_over(channel.safety, channel.wire, False)
    assert channel.safety["mu_backup"] == 0.0 and channel.safety["loaded"] == 0


def test_dose_is_what_the_own_chamber_reads(channel: Channel) -> None:
    channel.chambers["gain"] = 0.5
    channel.beams["dose_mu"], channel.beams["pulses_now"] = 0.2, 2
    for _ in range(3):
        count(channel.safety, channel.chamber, channel.beam, False, channel.sample)
    assert channel.safety["mu_backup"] == pytest.approx(0.3)


@pytest.mark.parametrize(("permit", "pulses", "counts"), [(True, 0, True), (False, 1, True), (True, 3, True), (False, 0, False)])
def test_the_timer_counts_with_permit_or_pulses(channel: Channel, permit: bool, pulses: int, counts: bool) -> None:
    channel.beams["pulses_now"] = pulses
    channel.set(timer_rate=0.5, beam_s=1.0)
    count(channel.safety, channel.chamber, channel.beam, permit, channel.sample)
    assert channel.safety["beam_s"] == pytest.approx(1.0 + (0.5 * DT_S if counts else 0.0))


def test_silence_counts_cycles_without_the_right_answer(channel: Channel) -> None:
    for k in range(1, 4):
        listen(channel.safety, 5, k)
        assert channel.safety["silent_cycles"] == k
    listen(channel.safety, answer(int(channel.safety["challenge"])), 9)
    assert channel.safety["silent_cycles"] == 0


def test_challenges_are_31_bits_scattered_and_the_channels_own() -> None:
    a, b = new_safety(CONFIG, 7), new_safety(CONFIG, 8)
    listen(a[0], 0, 1)
    assert int(a["challenge"][0]) == ((0x9E3779B1 + 7) & 0xFFFFFFFF) >> 1
    listen(a[0], 0, 1000)
    assert int(a["challenge"][0]) == ((1000 * 0x9E3779B1 + 7) & 0xFFFFFFFF) >> 1
    seen = []
    for cycle in range(1, 200):
        listen(a[0], 0, cycle)
        listen(b[0], 0, cycle)
        seen.append(int(a["challenge"][0]))
        assert seen[-1] != int(b["challenge"][0]) or cycle % 2  # the last bit of the key may be shifted out
    assert len(set(seen)) == len(seen) and min(seen) >= 0 and 2**30 < max(seen) < 2**31


def fine(channel: Channel) -> Channel:
    """Nothing is violated."""
    channel.set(loaded=1, preset_mu=100.0, time_limit_s=60.0)
    return channel


def test_nothing_is_violated_when_all_is_fine(channel: Channel) -> None:
    assert violated(fine(channel).safety, channel.room, 0) == 0


@pytest.mark.parametrize(("field", "value", "bit"), [
    ("mu_backup", 101.0, 0), ("mu_backup", 101.001, DOSE), ("mu_backup", NAN, DOSE), ("preset_mu", NAN, DOSE),
    ("beam_s", 60.0, 0), ("beam_s", 60.001, TIMER), ("beam_s", NAN, TIMER), ("time_limit_s", NAN, TIMER),
    ("silent_cycles", 4, 0), ("silent_cycles", 5, HEARTBEAT), ("silent_cycles", 600, HEARTBEAT),
    ("loaded", 0, LIMITS), ("loaded", 2, LIMITS),
])
def test_every_limit_is_exact(channel: Channel, field: str, value: float, bit: int) -> None:
    fine(channel).set(**{field: value})
    assert violated(channel.safety, channel.room, 0) == bit


@pytest.mark.parametrize(("preset", "most"), [(50.0, 51.0), (100.0, 101.0), (200.0, 202.0), (2000.0, 2020.0)])
def test_the_margin_is_one_mu_or_a_share_whichever_is_more(channel: Channel, preset: float, most: float) -> None:
    fine(channel).set(preset_mu=preset, mu_backup=most - 1e-6)
    assert violated(channel.safety, channel.room, 0) == 0
    channel.set(mu_backup=most + 1e-6)
    assert violated(channel.safety, channel.room, 0) == DOSE


@pytest.mark.parametrize(("field", "bit"), [("door_1", DOOR), ("door_2", DOOR), ("estop_ok", ESTOP)])
@pytest.mark.parametrize("value", [0.0, 0.5, 2.0, NAN])
def test_a_contact_has_to_say_yes(channel: Channel, field: str, bit: int, value: float) -> None:
    fine(channel).rooms[field] = value
    assert violated(channel.safety, channel.room, 0) == bit


@pytest.mark.parametrize("bit", list(SafetyOpen))
def test_a_test_value_violates_its_own_check_only(channel: Channel, bit: SafetyOpen) -> None:
    fine(channel)
    assert violated(channel.safety, channel.room, int(bit)) == int(bit)
    channel.set(dead=int(bit))
    assert violated(channel.safety, channel.room, int(bit)) == 0  # a dead comparator says nothing, and nothing else does
    channel.set(dead=ALL_TESTED & ~int(bit))
    assert violated(channel.safety, channel.room, int(bit)) == int(bit)


@pytest.mark.parametrize("field", ["preset_mu", "time_limit_s"])
@pytest.mark.parametrize(("factor", "opens"), [(1.0, False), (1.0 + 1e-12, True), (0.0, True), (2.0, True), (NAN, True)])
def test_limits_that_the_controller_says_otherwise_than_they_are_open_the_chain(channel: Channel, field: str, factor: float,
                                                                                opens: bool) -> None:
    channel.armed().ask(**{field: float(channel.wire[field]) * factor})
    assert channel.run() == 0  # once may be the line
    assert channel.run() == (LIMITS if opens else 0)
    assert channel.wire["permit"] == (0.0 if opens else 1.0)
    channel.ask(**{field: float(channel.safety[field])})
    assert channel.run() == 0


def test_without_limits_in_force_there_is_nothing_to_differ_from(channel: Channel) -> None:
    channel.ask(preset_mu=5.0)
    channel.run(5)
    assert channel.safety["other_cycles"] == 0


# --- self-test

@pytest.mark.parametrize(("limit", "passes"), [(4, True), (5, True), (6, False), (500, False)])
def test_a_heartbeat_check_that_waits_longer_than_it_was_built_to_does_not_pass_its_test(channel: Channel, limit: int,
                                                                                        passes: bool) -> None:
    channel.armed().set(silence_limit=limit)
    channel.ask(selftest=1.0)
    channel.run(31)
    assert bool(channel.wire["passed"] & HEARTBEAT) is passes


def test_a_rising_request_starts_the_test_from_nothing_passed(channel: Channel) -> None:
    channel.set(passed=63, test_cycle=4, acted=1)
    begin_test(channel.safety, True, False)
    s = channel.safety
    assert (s["test_bit"], s["test_cycle"], s["acted"], s["passed"], s["was_asked"]) == (DOSE, 0, 0, 0, 1.0)


@pytest.mark.parametrize(("asked", "was", "permit"), [
    (True, 1.0, False), (True, 0.0, True), (False, 0.0, False), (False, 1.0, False)])
def test_nothing_else_starts_it(channel: Channel, asked: bool, was: float, permit: bool) -> None:
    channel.set(passed=63, was_asked=was, test_bit=0)
    begin_test(channel.safety, asked, permit)
    assert channel.safety["test_bit"] == 0 and channel.safety["passed"] == 63
    assert channel.safety["was_asked"] == (1.0 if asked else 0.0)


def test_a_permit_ends_it(channel: Channel) -> None:
    channel.set(test_bit=DOOR, was_asked=1.0)
    begin_test(channel.safety, True, False)
    assert channel.safety["test_bit"] == DOOR
    begin_test(channel.safety, True, True)
    assert channel.safety["test_bit"] == 0


@pytest.mark.parametrize(("cycle", "fed"), [(0, DOOR), (3, DOOR), (4, 0), (5, 0)])
def test_the_last_cycle_of_a_step_is_fed_the_truth_again(channel: Channel, cycle: int, fed: int) -> None:
    channel.set(test_bit=DOOR, test_cycle=cycle)
    assert fed_bit(channel.safety) == fed


def step_of_test(channel: Channel, opened: list[bool], bit: int = DOOR) -> Any:
    """One check, with what was found in each of its five cycles."""
    channel.set(test_bit=bit, test_cycle=0, acted=0, passed=DOSE)
    for is_open in opened:
        go_on_testing(channel.safety, (bit | ESTOP) if is_open else ESTOP)
    return channel.safety


@pytest.mark.parametrize(("opened", "passes"), [
    ([True, True, True, True, False], True),
    ([False, False, False, True, False], True),  # the last test value counts
    ([True, True, True, False, False], False),
    ([True, True, True, True, True], False),  # it never closed again
    ([False] * 5, False),
])
def test_a_check_has_passed_when_it_opened_and_closed_again(channel: Channel, opened: list[bool], passes: bool) -> None:
    s = step_of_test(channel, opened)
    assert s["passed"] == (DOSE | DOOR if passes else DOSE)
    assert (s["test_bit"], s["test_cycle"], s["acted"]) == (ESTOP, 0, 0)  # the next check


def test_the_last_check_ends_the_test(channel: Channel) -> None:
    s = step_of_test(channel, [True, True, True, True, False], LIMITS)
    assert s["test_bit"] == 0 and s["passed"] == DOSE | LIMITS


def test_without_a_test_nothing_goes_on(channel: Channel) -> None:
    channel.set(test_bit=0, test_cycle=2)
    go_on_testing(channel.safety, 63)
    assert (channel.safety["test_bit"], channel.safety["test_cycle"], channel.safety["passed"]) == (0, 2, 0)


# --- the latch

@pytest.mark.parametrize(("was", "found", "reset", "is_open"), [
    (0, 0, False, 0), (0, DOOR, False, DOOR), (DOOR, 0, False, DOOR), (DOOR, DOSE, False, DOOR | DOSE), (DOOR, 0, True, 0),
    (DOOR, DOOR, True, DOOR), (DOOR | DOSE, DOSE, True, DOSE), (LIMITS, 0, False, 0), (0, LIMITS, False, LIMITS),
    (LIMITS | DOOR, 0, False, DOOR), (LIMITS, LIMITS, True, LIMITS), (DOOR, LIMITS, False, DOOR | LIMITS),
])
def test_what_opened_stays_open_but_for_limits(channel: Channel, was: int, found: int, reset: bool, is_open: int) -> None:
    channel.set(open=was)
    latch(channel.safety, found, reset)
    assert channel.safety["open"] == is_open


# --- the whole step

def test_armed_it_says_yes_and_shows_what_is_in_force(channel: Channel) -> None:
    channel.ask(start_mu=2.0)
    w = channel.armed().wire
    assert [float(w[n]) for n in ("mu_backup", "beam_s", "preset_echo_mu", "time_limit_echo_s", "permit", "testing")] == [
        2.0, 0.0, 100.0, 60.0, 1.0, 0.0]
    assert w["challenge"] == channel.safety["challenge"] and channel.safety["permit"] == 1.0
    assert channel.node_wires["sampled_cycle"][0] == channel.cycle and channel.node_wires["powered"][0] == 1.0


def test_reset_works_without_permit_only(channel: Channel) -> None:
    channel.armed().rooms["estop_ok"] = 0.0
    assert channel.run() == ESTOP
    channel.rooms["estop_ok"] = 1.0
    channel.permit()
    channel.ask(reset=1.0)
    assert channel.run() == ESTOP
    channel.permit(0.0)
    channel.ask(reset=0.5)
    assert channel.run() == ESTOP
    channel.ask(reset=1.0)
    assert channel.run() == 0 and channel.wire["permit"] == 1.0


@pytest.mark.parametrize("bit", list(SafetyOpen))
def test_open_or_not_loaded_or_testing_there_is_no_permit(channel: Channel, bit: SafetyOpen) -> None:
    channel.armed().set(open=int(bit), loaded=0 if bit is SafetyOpen.LIMITS else 1)
    channel.run()
    assert channel.wire["permit"] == 0.0 and channel.safety["permit"] == 0.0


def test_without_limits_there_is_no_permit_even_if_their_check_is_dead(channel: Channel) -> None:
    channel.armed().set(loaded=0, dead=LIMITS)
    assert channel.run() == 0 and channel.wire["permit"] == 0.0


@pytest.mark.parametrize("dead", list(SafetyOpen))
def test_a_dead_check_is_not_shown_to_open_in_its_test_and_has_not_passed(channel: Channel, dead: SafetyOpen) -> None:
    channel.armed().set(dead=int(dead))
    channel.ask(selftest=1.0)
    seen = {channel.run() for _ in range(31)}
    assert dead not in seen and seen >= set(SafetyOpen) - {dead}
    assert channel.wire["passed"] == ALL_TESTED & ~int(dead)


@pytest.mark.parametrize(("supplied", "closed"), [(1.0, 1.0), (0.0, 0.0)])
def test_relays_without_power_fall_whatever_was_loaded(channel: Channel, supplied: float, closed: float) -> None:
    channel.set(supplied=supplied, open=0, loaded=1)
    switch_relays(channel.safety, False)
    assert channel.safety["permit"] == channel.safety["motion"] == closed


def test_a_welded_relay_says_yes_to_everything(channel: Channel) -> None:
    channel.armed().set(open=DOOR, stuck_permit=1.0)
    assert channel.run() == DOOR and channel.safety["permit"] == 1.0


def test_the_whole_self_test_opens_each_check_and_passes_all(channel: Channel) -> None:
    channel.armed().ask(selftest=1.0)
    seen: list[int] = []
    for k in range(30):
        seen.append(channel.run())
        assert channel.wire["permit"] == 0.0 and channel.wire["testing"] == 1.0, k
    assert seen == [bit for bit in SafetyOpen for bit in (int(bit),) * 4 + (0,)]
    assert channel.run() == 0 and channel.wire["permit"] == 1.0 and channel.wire["testing"] == 0.0
    assert channel.wire["passed"] == ALL_TESTED and channel.safety["open"] == 0


def test_a_half_asked_test_is_not_asked_for(channel: Channel) -> None:
    channel.armed().ask(selftest=0.5)
    channel.run(3)
    assert channel.wire["testing"] == 0.0


def test_a_real_cause_of_another_kind_is_kept_during_the_test(channel: Channel) -> None:
    channel.armed().ask(selftest=1.0)
    channel.run(2)
    channel.rooms["door_1"] = 0.0
    assert channel.run() == DOSE | DOOR
    channel.rooms["door_1"] = 1.0
    channel.run(40)
    assert channel.wire["open"] == DOOR and channel.wire["permit"] == 0.0


def test_a_silent_controller_opens_the_chain_in_its_fifth_cycle(channel: Channel) -> None:
    channel.armed().alive = False
    channel.run(4)
    assert channel.wire["permit"] == 1.0
    assert channel.run() == HEARTBEAT and channel.wire["permit"] == 0.0


def test_under_a_permit_neither_dose_nor_time_starts_again(channel: Channel) -> None:
    channel.armed().permit()
    channel.beams["dose_mu"], channel.beams["pulses_now"] = 0.5, 5
    channel.ask(arm=1.0, preset_mu=5000.0)
    channel.run(10)
    assert channel.wire["mu_backup"] == pytest.approx(5.0) and channel.wire["beam_s"] == pytest.approx(0.1)
    assert channel.wire["preset_echo_mu"] == 100.0


def test_a_permit_is_exactly_one(channel: Channel) -> None:
    channel.armed().permit(0.5)
    channel.run(10)
    assert channel.wire["beam_s"] == 0.0


def test_a_channel_that_is_silent_or_behind_a_port_shows_nothing(channel: Channel) -> None:
    channel.armed()
    before = channel.wires.copy()
    channel.nodes["silent"] = 1.0
    channel.rooms["door_2"] = 0.0
    channel.alive = False
    channel.run()
    assert channel.wires.tobytes() == before.tobytes() and channel.safety["open"] == DOOR and channel.safety["permit"] == 0.0


def test_the_wires_show_each_thing_in_its_place(channel: Channel) -> None:
    channel.set(challenge=1, mu_backup=2.0, beam_s=3.0, preset_mu=4.0, time_limit_s=5.0, permit=1.0, passed=6)
    show(channel.safety, channel.wire, 7, True)
    w = channel.wire
    assert [float(w[n]) for n in ("challenge", "mu_backup", "beam_s", "preset_echo_mu", "time_limit_echo_s", "open", "permit",
                                  "passed", "testing")] == [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 1.0, 6.0, 1.0]
    show(channel.safety, channel.wire, 0, False)
    assert w["testing"] == 0.0


# --- the hold on drive power

@pytest.mark.parametrize("bit", [DOSE, TIMER, HEARTBEAT, DOOR, ESTOP, LIMITS])
def test_a_lost_controller_and_an_emergency_stop_take_drive_power_and_nothing_else_does(channel: Channel, bit: int) -> None:
    channel.armed().set(open=bit if bit != LIMITS else 0, loaded=0 if bit == LIMITS else 1)
    assert channel.run() == bit and channel.wire["permit"] == 0.0
    assert channel.safety["motion"] == (0.0 if bit in (HEARTBEAT, ESTOP) else 1.0)


def test_a_refusal_opens_at_once_and_takes_drive_power(channel: Channel) -> None:
    channel.armed().alive = False
    channel.ask(response=REFUSAL)
    assert channel.run() == HEARTBEAT and channel.wire["permit"] == channel.safety["motion"] == 0.0


def test_a_refusal_after_long_silence_makes_it_no_shorter(channel: Channel) -> None:
    channel.set(silent_cycles=600)
    listen(channel.safety, REFUSAL, 9)
    assert channel.safety["silent_cycles"] == 601


def test_a_channel_whose_watchdog_is_dead_does_not_hear_a_refusal_either(channel: Channel) -> None:
    channel.armed().set(dead=HEARTBEAT)
    channel.alive = False
    channel.ask(response=REFUSAL)
    assert channel.run() == 0 and channel.wire["permit"] == 1.0


@pytest.mark.parametrize(("silent", "motion"), [(4, 1.0), (5, 0.0), (6, 0.0)])
def test_drive_power_goes_with_the_beam_after_50_ms_of_silence(channel: Channel, silent: int, motion: float) -> None:
    channel.armed().alive = False
    channel.run(silent)
    assert channel.safety["motion"] == channel.wire["permit"] == motion


def test_drive_power_stays_away_until_somebody_resets_with_the_controller_there_again(channel: Channel) -> None:
    channel.armed().alive = False
    channel.run(5)
    channel.alive = True
    channel.run(50)
    assert channel.safety["motion"] == 0.0
    channel.ask(reset=1.0)
    channel.run()
    assert channel.safety["motion"] == 1.0


def test_the_self_test_of_the_watchdog_takes_no_drive_power(channel: Channel) -> None:
    channel.armed().ask(selftest=1.0)
    opened = 0
    for _ in range(60):
        opened |= channel.run()
        assert channel.safety["motion"] == 1.0
    assert opened & HEARTBEAT and opened & ESTOP and channel.wire["passed"] == ALL_TESTED


def test_a_controller_that_dies_during_the_self_test_loses_drive_power_when_its_step_is_over(channel: Channel) -> None:
    channel.armed().ask(selftest=1.0)
    channel.run(2 * 5)
    channel.alive = False
    cycles = 0
    while channel.safety["motion"] == 1.0:
        channel.run()
        cycles += 1
    assert cycles <= 5 + 4


def test_a_channel_without_power_lets_both_relays_fall_and_knows_nothing_afterwards(channel: Channel) -> None:
    channel.armed().set(passed=ALL_TESTED, supplied=0.0)
    assert channel.run() == LIMITS and channel.wire["permit"] == channel.safety["motion"] == 0.0
    channel.set(supplied=1.0)
    assert channel.run() == LIMITS and channel.wire["permit"] == 0.0 and channel.wire["passed"] == 0
    assert channel.safety["motion"] == 1.0
    channel.armed()


def test_a_channel_that_nobody_can_answer_does_not_hold_drive_power(channel: Channel) -> None:
    channel.set(dead=int(new_safety(CONFIG, 7, answered=False)["dead"][0]))
    channel.alive = False
    channel.run(100)
    assert channel.safety["motion"] == 1.0
    channel.rooms["estop_ok"] = 0.0
    channel.run()
    assert channel.safety["motion"] == 0.0


@pytest.mark.parametrize("challenge", [0, 1, 77, 2**31 - 1])
def test_a_refusal_is_minus_one_on_the_wire_and_no_answer_is(challenge: int) -> None:
    assert REFUSAL == -1 and answer(challenge) >= 0
