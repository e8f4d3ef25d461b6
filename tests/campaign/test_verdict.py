"""What counts as passed, and what never does."""

from dataclasses import dataclass, replace

import pytest

from linac_ctl.campaign.measure import Measures
from linac_ctl.campaign.notice import Noticed
from linac_ctl.campaign.verdict import Due, decide, fault_free, reacted


@dataclass(frozen=True)
class Mode:
    detect_by: str = "time"
    max_detection_ms: float | None = 100.0
    max_mu: float | None = 1.3
    reaction: tuple[str, ...] = ("beam_hold",)
    wanted: str = "react"
    onset: float = 0.0

    def settle(self, given):
        return given

    def demand(self, given):
        return self.wanted

    def onset_ms(self, given):
        return self.onset


def measures(ms=50.0, reactions=("beam_hold", "prevent_start"), mu=0.7, beam=100, motion=100, rate=10.0, **since):
    noticed = None if ms is None else Noticed("MLC_POS", 25)
    return Measures(noticed, frozenset(reactions), ms, ms, mu, beam, motion, None, None, None, rate, **since)


def verdict(m, mode=Mode(), **changes):
    acted = [(Due.of(mode), m)]
    given = {"injected": True, "acted": acted, "judged": True, "violated": (), "false_trip": "", "outcome": "abandoned"}
    return decide(**given | changes)[0]


def test_noticed_in_time_with_the_reaction_that_is_due_passes():
    assert verdict(measures()) == "passed"


@pytest.mark.parametrize("changes, expected", [
    ({"violated": ("SI-05",)}, "failed"), ({"false_trip": "DOOR"}, "failed"), ({"outcome": "stuck"}, "failed"),
    ({"judged": False}, "failed"), ({"injected": False}, "not_reachable"), ({"acted": []}, "not_activated"),
    ({"acted": [], "violated": ("SI-05",)}, "failed"), ({"injected": False, "false_trip": "DOOR"}, "failed"),
])
def test_what_is_never_passed(changes, expected):
    assert verdict(measures(), **changes) == expected


@pytest.mark.parametrize("ms, expected", [(100.0, "passed"), (110.0, "missed")])
def test_late_is_missed(ms, expected):
    assert verdict(measures(ms)) == expected


@pytest.mark.parametrize("beam, motion, expected", [(11, 0, "missed"), (0, 11, "missed"), (10, 10, "harmless"), (0, 0, "harmless")])
def test_unnoticed_is_missed_if_it_was_there_for_long_enough(beam, motion, expected):
    assert verdict(measures(None, (), beam=beam, motion=motion)) == expected


@pytest.mark.parametrize("due, mu, beam, expected", [
    (("beam_hold",), 0.0, 0, "passed"), (("beam_hold",), 0.1, 0, "failed"), (("beam_off",), 0.0, 0, "failed"),
    (("beam_hold", "motion_stop"), 0.0, 0, "failed")])
def test_a_start_that_is_prevented_is_a_hold_as_long_as_there_was_no_beam(due, mu, beam, expected):
    assert verdict(measures(reactions=("prevent_start",), mu=mu, beam=beam), Mode(reaction=due)) == expected


@pytest.mark.parametrize("beam, expected", [(5, "harmless"), (10, "harmless"), (11, "missed"), (100, "missed")])
def test_what_trips_late_beside_a_fault_that_is_not_owed_is_about_something_else(beam, expected):
    assert verdict(measures(1900.0, beam=beam, motion=0)) == expected


@pytest.mark.parametrize("beam", [0, 1, 3, 10, 100])
def test_a_weak_reaction_fails_though_it_has_ended_the_beam_at_once(beam):
    assert verdict(measures(10.0, beam=beam, motion=0), Mode(reaction=("beam_off", "motion_stop"))) == "failed"


@pytest.mark.parametrize("since", [{"start_ms": None}, {"gone": True}])
def test_what_does_little_beside_a_fault_that_was_never_too_much_or_has_gone_is_about_something_else(since):
    assert verdict(measures(beam=1, motion=0, **since), Mode(reaction=("beam_off", "motion_stop"))) == "harmless"


def test_a_fault_that_is_worse_noticed_late_than_not_at_all_would_be_absurd():
    for beam in range(20):
        late, never = verdict(measures(1900.0, beam=beam, motion=0)), verdict(measures(None, (), beam=beam, motion=0))
        assert late == never


def test_dose_counts_however_short_the_fault_was():
    assert verdict(measures(10.0, mu=5.0, beam=1, motion=0)) == "failed"


def test_what_trips_after_a_control_case_has_gone_is_no_false_trip():
    control = Mode("never", None, None, ("none",), "nothing")
    assert verdict(measures(1900.0, gone=True), control) == "passed" and verdict(measures(1900.0), control) == "failed"


def test_a_weak_reaction_fails():
    off = Mode(reaction=("beam_off", "motion_stop"))
    assert verdict(measures(), off) == "failed"
    assert verdict(measures(reactions=("beam_off", "motion_stop")), off) == "passed"


@pytest.mark.parametrize("mu, rate, expected", [
    (1.3, 10.0, "passed"), (1.31, 10.0, "failed"), (5.0, 40.0, "passed"), (1.31, 2.0, "failed"),
])
def test_dose_after_the_fault_is_bounded_at_the_rate_that_was_on(mu, rate, expected):
    assert verdict(measures(mu=mu, rate=rate)) == expected


@pytest.mark.parametrize("m, expected", [
    (measures(None, (), beam=2), "missed"), (measures(None, (), beam=1), "harmless"), (measures(None, (), beam=0), "harmless"),
    (measures(None, ("prevent_start",), beam=0), "passed"), (measures(5000.0, ("prevent_start",), mu=0.0), "passed"),
    (measures(5000.0, ("prevent_start",), mu=0.2), "missed"),
])
def test_what_must_be_noticed_before_beam_has_until_the_beam(m, expected):
    assert verdict(m, Mode("before_beam", 100.0, None, ("prevent_start",))) == expected


@pytest.mark.parametrize("beam, expected", [(0, "harmless"), (1, "missed")])
def test_what_is_due_at_a_start_is_not_due_where_none_came(beam, expected):
    assert verdict(measures(None, (), beam=beam, motion=50), Mode("at_start", None, None, ("prevent_start",))) == expected


@pytest.mark.parametrize("ms, expected", [(20.0, "passed"), (520.0, "passed"), (530.0, "missed")])
def test_what_is_due_before_a_beam_that_is_on_already_has_two_cycles_from_its_onset(ms, expected):
    assert verdict(measures(ms, ("prevent_start",)), Mode("before_beam", None, None, ("prevent_start",), onset=500.0)) == expected


@pytest.mark.parametrize("beam, expected", [(51, "harmless"), (52, "missed")])
def test_what_grows_until_it_counts_has_to_be_there_for_so_long(beam, expected):
    grows = Mode("before_beam", None, None, ("prevent_start",), onset=500.0)
    assert verdict(measures(None, (), beam=beam), grows) == expected


def test_nothing_may_happen_in_a_control_case():
    control = Mode("never", None, None, ("none",), "nothing")
    assert verdict(measures(None, ()), control) == "passed" and verdict(measures(), control) == "failed"


@pytest.mark.parametrize("ms, expected", [(50.0, "passed"), (None, "missed")])
def test_beside_a_fault_that_asks_for_it_a_trip_is_no_false_one_of_a_control_case(ms, expected):
    control = Mode("never", None, None, ("none",), "nothing")
    acted = [(Due.of(mode), measures(ms, () if ms is None else ("beam_hold",))) for mode in (control, Mode())]
    assert verdict(None, acted=acted) == expected
    assert verdict(None, acted=[acted[0], acted[0]]) == ("failed" if ms else "passed")


@pytest.mark.parametrize("first, second, expected", [
    (50.0, 200.0, "passed"), (110.0, 200.0, "missed"), (50.0, 210.0, "missed"), (None, 200.0, "passed"), (None, None, "harmless"),
])
def test_every_fault_has_its_own_clock_and_the_worst_verdict_counts(first, second, expected):
    slow = Mode(max_detection_ms=200.0)
    acted = [(Due.of(mode), measures(ms, () if ms is None else ("beam_hold",), beam=5 if ms is None else 100, motion=0))
             for mode, ms in ((Mode(), first), (slow, second))]
    assert verdict(None, acted=acted) == expected


def test_a_wire_that_is_no_mode_may_bring_any_reaction_at_any_time():
    assert verdict(measures(5000.0, ("motion_stop",)), None) == "passed"
    assert verdict(measures(5000.0, ()), None) == "failed"


@pytest.mark.parametrize("changes, expected", [
    ({}, "passed"), ({"false_trip": "DOOR"}, "failed"), ({"violated": ("SI-01",)}, "failed"), ({"outcome": "abandoned"}, "failed"),
    ({"judged": False}, "failed"),
])
def test_without_a_fault_a_session_is_delivered_and_nothing_trips(changes, expected):
    assert fault_free(**{"judged": True, "violated": (), "false_trip": "", "outcome": "completed"} | changes)[0] == expected


def test_a_reason_names_the_number_and_the_limit():
    due = Due.of(Mode())
    assert reacted(due, measures(110.0))[1] == "MLC_POS after 110 ms, limit 100 ms"
    assert "1.40 MU after it was due, limit 1.30 MU" in reacted(due, measures(mu=1.4))[1]
    assert "nobody noticed" in reacted(due, measures(None, ()))[1]


def test_a_slow_fault_is_due_from_where_it_is_beyond_what_is_allowed():
    slow = Mode(onset=200.0)
    assert verdict(measures(290.0, mu=3.0), slow) == "passed" and verdict(measures(310.0), slow) == "missed"
    assert verdict(measures(None, (), beam=30, motion=0), slow) == "harmless"


@pytest.mark.parametrize("m, expected", [(measures(5000.0), "passed"), (measures(None, ()), "harmless")])
def test_where_nobody_has_to_react_either_is_right(m, expected):
    assert verdict(m, Mode(wanted="either")) == verdict(m, Mode(detect_by="never")) == expected


@pytest.mark.parametrize("ms, expected", [(430.0, "passed"), (440.0, "missed"), (90.0, "passed")])
def test_what_grows_slowly_has_the_cycles_that_confirm_it_from_where_it_is_too_much(ms, expected):
    assert verdict(measures(ms, start_ms=400.0, grew=True, mu_after_start=0.3)) == expected


@pytest.mark.parametrize("ms, expected", [(500.0, "passed"), (510.0, "missed")])
def test_what_is_there_before_anything_moves_or_radiates_has_its_limit_from_then_on(ms, expected):
    assert verdict(measures(ms, start_ms=400.0, mu_after_start=0.3)) == expected


@pytest.mark.parametrize("ms", [None, 20.0, 5000.0])
def test_what_is_never_too_much_is_no_miss_whenever_it_is_noticed(ms):
    reactions = () if ms is None else ("beam_hold",)
    assert verdict(measures(ms, reactions, beam=0, motion=0, start_ms=None, mu_after_start=0.0)) in ("harmless", "passed")


def test_the_dose_that_counts_is_that_since_somebody_had_to_notice():
    assert verdict(measures(430.0, mu=5.0, start_ms=400.0, grew=True, mu_after_start=0.6)) == "passed"
    assert verdict(measures(430.0, mu=5.0, start_ms=400.0, grew=True, mu_after_start=1.4)) == "failed"


@pytest.mark.parametrize("beam, expected", [(True, "missed"), (False, "passed")])
def test_a_silent_link_has_longer_where_nothing_radiates(beam, expected):
    link = Mode(max_detection_ms=40.0, max_mu=None)
    due = replace(Due.of(link), still_ms=110.0)
    assert reacted(due, measures(90.0, in_beam=beam))[0] == expected


@pytest.mark.parametrize("devices, reaction, motion", [
    (("gantry",), ("beam_off", "motion_stop"), True), (("beam",), ("beam_off", "motion_stop"), False),
    (("mlc",), ("beam_hold",), False), (("beam", "gantry"), ("beam_off", "motion_stop"), True),
])
def test_what_is_of_dose_only_is_due_with_beam_and_what_moves_with_either(devices, reaction, motion):
    assert Due.of(Mode(reaction=reaction), None, devices).exposure.motion is motion


@pytest.mark.parametrize("ms, alone_ms, expected", [
    (40.0, 0.0, "missed"), (30.0, 0.0, "passed"), (40.0, 10.0, "passed"), (50.0, 10.0, "missed"), (50.0, 50.0, "passed"),
    (60.0, 60.0, "missed")])
def test_time_without_a_controller_is_the_safety_channels_and_ends_after_50_ms(ms, alone_ms, expected):
    assert verdict(measures(ms, alone_ms=alone_ms), Mode(max_detection_ms=30.0)) == expected
    assert verdict(measures(ms, alone_ms=alone_ms), Mode("before_beam", max_detection_ms=30.0)) == expected


def test_a_limit_that_is_longer_stays_what_it_is_without_a_controller():
    assert verdict(measures(110.0, alone_ms=60.0)) == "missed" and verdict(measures(100.0, alone_ms=60.0)) == "passed"


@dataclass(frozen=True)
class OfImages(Mode):
    detect_by: str = "before_beam"
    max_detection_ms: float | None = None
    layer: str = "imager"


@pytest.mark.parametrize("target_mm, expected", [(1.0, "harmless"), (1.01, "missed"), (None, "missed")])
@pytest.mark.parametrize("ms", [None, 150_000.0])
def test_images_that_lie_are_missed_if_they_put_the_target_out_of_its_place_and_nobody_noticed_before(ms, target_mm, expected):
    reactions = () if ms is None else ("beam_hold",)
    assert verdict(measures(ms, reactions, target_mm=target_mm), OfImages()) == expected
    assert verdict(measures(ms, reactions, target_mm=target_mm), Mode("before_beam", max_detection_ms=None)) == "missed"


def test_images_that_lie_and_are_refused_pass_wherever_the_target_is():
    assert verdict(measures(None, mu=0.0, beam=0, target_mm=7.0), OfImages()) == "passed"


@pytest.mark.parametrize("devices, expected", [(("beam",), "passed"), (("couch",), "failed"), ((), "failed")])
def test_nothing_has_to_stop_moving_for_a_fault_of_the_dose(devices, expected):
    due = Due.of(Mode(reaction=("beam_off", "motion_stop")), {}, devices)
    assert reacted(due, measures(reactions=("beam_hold", "beam_off", "prevent_start")))[0] == expected


@pytest.mark.parametrize("spell, expected", [(None, "missed"), (11, "missed"), (10, "harmless")])
@pytest.mark.parametrize("ms", [None, 700.0])
def test_a_fault_that_comes_and_goes_is_missed_if_it_was_there_for_long_enough_at_once(ms, spell, expected):
    reactions = () if ms is None else ("beam_hold", "prevent_start")
    assert verdict(measures(ms, reactions, spell_cycles=spell)) == expected
