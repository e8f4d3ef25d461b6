"""What people see of trips, who may reset them, and what survives a restart."""

from typing import Any

import pytest

from linac_ctl.control.phases import Phase, Reaction
from linac_ctl.control.signals import Guard, Signal
from linac_ctl.errors import RefusedError
from linac_ctl.interlocks.panel import MAY_RESET, Panel, shown, stop_of
from tests.control.rig import Rig, table

IDS = [row.id for row in table().rows]
LATCHED = [row for row in table().rows if table().latched(row)]
ROLES = ("therapist", "physician", "physicist", "engineer")


def trip(rig: Rig, *names: str, cycle: int | None = None, value: float = 9.0) -> None:
    """As `judge` does, without waiting for a cause."""
    for name in names:
        row = rig.control.interlocks[IDS.index(name) : IDS.index(name) + 1]
        row["tripped"], row["tripped_copy"], row["value"] = 1, 0, value
        row["first_cycle"] = rig.job["cycle"][0] if cycle is None else cycle


def reset(panel: Panel, name: str, role: str = "engineer", reason: str = "looked at it", who: str = "eve") -> None:
    panel.reset(name, who=who, role=role, reason=reason)


@pytest.fixture
def rig() -> Rig:
    it = Rig()
    it.cycle(5)
    return it


# --- first-out

def test_rows_in_force_are_shown_in_the_order_in_which_they_tripped(rig: Rig) -> None:
    trip(rig, "DOOR", cycle=12)
    trip(rig, "WDG", cycle=10)
    trip(rig, "MODE", cycle=11)
    assert [t.id for t in rig.panel.active()] == ["WDG", "MODE", "DOOR"]


def test_rows_of_the_same_cycle_are_shown_in_the_order_of_the_table(rig: Rig) -> None:
    trip(rig, "MODE", "MU2_TERM", "DOOR", cycle=10)
    assert [t.id for t in rig.panel.active()] == ["MU2_TERM", "DOOR", "MODE"]
    assert [t.id for t in rig.panel.note_new() if t.first_out] == ["MU2_TERM"]


def test_the_first_of_a_cascade_is_first_out_and_no_other(rig: Rig) -> None:
    trip(rig, "MODE", cycle=10)
    assert [t.first_out for t in rig.panel.note_new()] == [True]
    trip(rig, "MU2_TERM", cycle=11)
    assert [(t.id, t.first_out) for t in rig.panel.note_new()] == [("MU2_TERM", False)]
    assert [(t.id, t.first_out) for t in rig.panel.history] == [("MODE", True), ("MU2_TERM", False)]


def test_what_only_prevents_a_start_is_never_first_out(rig: Rig) -> None:
    trip(rig, "KEY", cycle=9)
    assert [t.first_out for t in rig.panel.note_new()] == [False]
    trip(rig, "MODE", "ACC", cycle=11)
    assert [(t.id, t.first_out) for t in rig.panel.note_new()] == [("MODE", True), ("ACC", False)]


def test_once_all_is_quiet_again_the_next_trip_is_first_out(rig: Rig) -> None:
    trip(rig, "MODE", cycle=10)
    rig.panel.note_new()
    reset(rig.panel, "MODE")
    trip(rig, "DOOR", cycle=20)
    assert [(t.id, t.first_out) for t in rig.panel.note_new()] == [("DOOR", True)]


def test_a_trip_is_news_once_and_again_when_it_trips_again(rig: Rig) -> None:
    trip(rig, "MODE", cycle=10)
    assert len(rig.panel.note_new()) == 1 and rig.panel.note_new() == []
    reset(rig.panel, "MODE")
    assert rig.panel.note_new() == []
    trip(rig, "MODE", cycle=15)
    assert len(rig.panel.note_new()) == 1 and len(rig.panel.history) == 2


def test_a_hold_that_escalates_is_news_but_no_second_first_out(rig: Rig) -> None:
    trip(rig, "MLC_POS", cycle=10)
    (held,) = rig.panel.note_new()
    rig.control.interlocks["escalated"][IDS.index("MLC_POS")] = 1
    (escalated,) = rig.panel.note_new()
    assert (held.stop, held.latched, held.first_out) == ("hold", False, True)
    assert (escalated.stop, escalated.latched, escalated.first_out) == ("interrupt", True, False)
    assert rig.panel.note_new() == []


def test_a_trip_during_a_hold_is_not_first_out_and_one_after_it_is(rig: Rig) -> None:
    trip(rig, "MLC_POS", cycle=10)
    rig.panel.note_new()
    trip(rig, "DOOR", cycle=12)
    assert [t.first_out for t in rig.panel.note_new()] == [False]


def test_a_trip_in_the_first_cycle_of_all_is_first_out(rig: Rig) -> None:
    trip(rig, "MODE", cycle=1)
    assert [t.first_out for t in rig.panel.note_new()] == [True]


def test_an_escalated_row_is_in_force_whatever_its_latch_says(rig: Rig) -> None:
    rig.control.interlocks["escalated"][IDS.index("MLC_POS")] = 1
    assert [(t.id, t.stop) for t in rig.panel.active()] == [("MLC_POS", "interrupt")]


def test_a_trip_tells_all_that_people_ask(rig: Rig) -> None:
    trip(rig, "DOOR_CHAIN", cycle=123, value=1.0)
    (it,) = rig.panel.active()
    assert (it.id, it.name, it.kind, it.cycle, it.value, it.signal) == ("DOOR_CHAIN", "DOOR", "I", 123, 1.0, "OPEN_DOOR")
    assert (it.fine, it.latched, it.reset_role, it.stop) == ("<= 0", True, "therapist", "interrupt")
    assert it.text == "DOOR_CHAIN: OPEN_DOOR 1.000, fine is <= 0, at 1.23 s"


@pytest.mark.parametrize(("name", "stop"), [
    ("KEY", "inhibit"), ("MLC_POS", "hold"), ("DOOR", "interrupt"), ("MOTION_EN", "interrupt"), ("MODE", "terminate"),
    ("MU2_TERM", "terminate"), ("ESTOP", "estop"), ("ESTOP_CHAIN", "estop"), ("COLLISION", "interrupt"), ("INPUT_DIS", "inhibit"),
])
def test_the_four_kinds_of_stop_and_the_fifth(rig: Rig, name: str, stop: str) -> None:
    trip(rig, name)
    assert [t.stop for t in rig.panel.active()] == [stop]


def test_the_kind_of_stop_is_the_strongest_reaction() -> None:
    row = next(r for r in table().rows if r.id == "DOOR")
    assert stop_of(row, int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF | Reaction.TERMINATE)) == "terminate"
    assert stop_of(row, int(Reaction.BEAM_HOLD | Reaction.BEAM_OFF)) == "interrupt"
    assert stop_of(row, int(Reaction.BEAM_HOLD | Reaction.PREVENT_START)) == "hold"
    assert stop_of(row, int(Reaction.PREVENT_MOTION)) == "inhibit"


def test_explain_names_the_rows_whose_reaction_was_asked_for(rig: Rig) -> None:
    trip(rig, "KEY", cycle=9)
    trip(rig, "MLC_POS", cycle=8)
    trip(rig, "COLLISION", cycle=7)
    assert [line.split(":")[0] for line in rig.panel.explain()] == ["COLLISION", "MLC_POS", "KEY"]
    assert [line.split(":")[0] for line in rig.panel.explain(int(Reaction.BEAM_OFF))] == ["COLLISION"]
    assert [line.split(":")[0] for line in rig.panel.explain(int(Reaction.BEAM_HOLD))] == ["MLC_POS"]
    rig.control.interlocks["escalated"][IDS.index("MLC_POS")] = 1
    assert [line.split(":")[0] for line in rig.panel.explain(int(Reaction.BEAM_OFF))] == ["COLLISION", "MLC_POS"]
    assert rig.panel.explain(int(Reaction.TERMINATE)) == []


def test_without_a_mask_everything_that_stops_or_prevents_beam_or_motion_is_explained(rig: Rig) -> None:
    for name in ("KEY", "MLC_POS", "DOOR", "MOTION_EN"):
        trip(rig, name)
    assert len(rig.panel.explain()) == 4


# --- resets

@pytest.mark.parametrize("row", LATCHED, ids=lambda row: row.id)
def test_only_the_right_roles_reset_a_latch(row: Any) -> None:
    needed = table().reset_role(row)
    for role in ROLES:
        it = Rig()
        it.cycle(3)
        trip(it, row.id)
        if role in MAY_RESET[needed]:
            reset(it.panel, row.id, role)
            assert it.panel.active() == []
        else:
            with pytest.raises(RefusedError, match=f"interlock {row.id}: a {role} may not reset it; call a {needed}"):
                reset(it.panel, row.id, role)
            assert [t.id for t in it.panel.active()] == [row.id]


def test_who_may_reset_what() -> None:
    assert {needed: set(roles) for needed, roles in MAY_RESET.items()} == {
        "therapist": set(ROLES), "physician": {"physician", "physicist"}, "physicist": {"physicist", "engineer"},
        "engineer": {"engineer"}}


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_a_reset_needs_a_reason(rig: Rig, reason: str) -> None:
    trip(rig, "DOOR")
    with pytest.raises(RefusedError, match="interlock DOOR: a reset needs a reason"):
        reset(rig.panel, "DOOR", reason=reason)
    assert rig.panel.active() and rig.panel.resets == []


def test_there_is_nothing_to_reset_on_a_row_that_is_not_in_force(rig: Rig) -> None:
    with pytest.raises(RefusedError, match="interlock DOOR: nothing to reset, it is not in force"):
        reset(rig.panel, "DOOR")


def test_a_row_that_does_not_exist_is_refused_by_name(rig: Rig) -> None:
    with pytest.raises(RefusedError, match="interlock 'NOPE': no such row"):
        reset(rig.panel, "NOPE")


def test_a_reset_is_refused_while_its_cause_is_there(rig: Rig) -> None:
    rig.spoil("room", "estop_ok", 0.0)
    rig.cycle()
    with pytest.raises(RefusedError, match=r"interlock ESTOP: its cause is still there: ESTOP 0\.000, fine is >= 1"):
        reset(rig.panel, "ESTOP")
    rig.heal()
    rig.cycle()
    assert rig.tripped() == ["ESTOP"]
    reset(rig.panel, "ESTOP", "therapist")
    rig.cycle(10)
    assert rig.tripped() == []


@pytest.mark.parametrize(("name", "part", "field", "bad"), [
    ("DOOR", "room", "door_closed", 0.0), ("DOOR_CHAIN", "safety", "open", 8), ("UTIL_WATER", "beam", "water_level_ok", 0.0),
    ("DOSE_HV", "beam", "chamber_hv_2_v", 0.0),
])
def test_a_cause_that_stands_forbids_the_reset_even_where_nobody_watches(rig: Rig, name: str, part: str, field: str,
                                                                         bad: float) -> None:
    trip(rig, name)
    rig.enter(Phase.STOPPED)
    rig.spoil(part, field, bad)
    rig.cycle(3)
    assert rig.control.interlocks["bad_cycles"][IDS.index(name)] == 0
    with pytest.raises(RefusedError, match="its cause is still there"):
        reset(rig.panel, name)
    rig.heal()
    rig.cycle(3)
    reset(rig.panel, name)
    assert name not in rig.tripped()


def test_a_cause_that_only_means_something_in_a_beam_does_not_forbid_the_reset_after_it(rig: Rig) -> None:
    rig.load()
    rig.job["mu_end"] = -5.0  # the field is over by five MU, and stays so until the counters are cleared
    trip(rig, "MU1_LATE")
    rig.enter(Phase.STOPPED)
    rig.cycle(3)
    assert rig.signal(Signal.MU_OVER) > 0.5
    reset(rig.panel, "MU1_LATE", "physicist")


def test_a_reset_is_written_down_with_who_why_and_what_it_was(rig: Rig) -> None:
    trip(rig, "DOOR", cycle=3, value=0.25)
    reset(rig.panel, "DOOR", "therapist", "patient is calm", who="anna")
    assert rig.panel.resets == [{"id": "DOOR", "who": "anna", "role": "therapist", "reason": "patient is calm",
                                 "cycle": int(rig.job["cycle"][0]), "value": 0.25, "tripped_cycle": 3}]


def test_a_reset_leaves_the_row_as_new(rig: Rig) -> None:
    i = IDS.index("MLC_POS")
    trip(rig, "MLC_POS")
    for field, value in (("escalated", 1), ("holds", 11)):
        rig.control.interlocks[field][i] = value
    reset(rig.panel, "MLC_POS")
    row = rig.control.interlocks[i : i + 1]
    assert [int(row[f][0]) for f in ("tripped", "tripped_copy", "escalated", "bad_cycles", "holds")] == [0, 1, 0, 0, 0]
    rig.cycle(10)
    assert rig.tripped() == [] and int(rig.job["reactions"][0]) == 0


@pytest.mark.parametrize("row", [row for row in table().rows if row.dose], ids=lambda row: row.id)
def test_the_same_dose_latch_a_second_time_in_a_field_is_for_an_engineer(row: Any) -> None:
    rig = Rig()
    rig.cycle()
    needed = table().reset_role(row)
    trip(rig, row.id)
    reset(rig.panel, row.id, needed)
    trip(rig, row.id)
    if needed != "engineer":
        with pytest.raises(RefusedError, match=rf"interlock {row.id}: reset 1 time\(s\) in this field already; .*engineer"):
            reset(rig.panel, row.id, needed)
        assert [t.id for t in rig.panel.active()] == [row.id]
    reset(rig.panel, row.id, "engineer")
    assert rig.panel.active() == [] and rig.panel.dose_resets == {row.id: 2}


def test_the_next_field_may_reset_a_dose_latch_again(rig: Rig) -> None:
    for _ in range(3):
        trip(rig, "MU_DIS")
        reset(rig.panel, "MU_DIS", "physicist")
        rig.panel.new_field()


def test_latches_that_are_not_about_dose_may_be_reset_again_and_again(rig: Rig) -> None:
    for _ in range(4):
        trip(rig, "DOOR")
        reset(rig.panel, "DOOR", "therapist")
    assert rig.panel.dose_resets == {}


def test_a_different_dose_latch_counts_by_itself(rig: Rig) -> None:
    for name in ("MU_DIS", "DOSE_SYM"):
        trip(rig, name)
        reset(rig.panel, name, "physicist")


def test_a_new_field_forgets_holds_and_keeps_latches(rig: Rig) -> None:
    trip(rig, "DOOR")
    rig.control.interlocks["holds"] = 7
    rig.panel.new_field()
    assert not rig.control.interlocks["holds"].any() and [t.id for t in rig.panel.active()] == ["DOOR"]


# --- through a restart

def test_latches_survive_a_restart_and_what_clears_by_itself_does_not_have_to() -> None:
    before, after = Rig(), Rig()
    before.cycle(50)
    trip(before, "DOOR", "MU_DIS", "KEY", "MLC_POS", cycle=44, value=2.5)
    saved = before.panel.latches()
    assert saved == {"MU_DIS": {"cycle": 44, "value": 2.5, "reset_role": "physicist"},
                     "DOOR": {"cycle": 44, "value": 2.5, "reset_role": "therapist"}}
    after.panel.restore(saved)
    after.cycle(1000)
    assert {t.id for t in after.panel.active()} == {"MU_DIS", "DOOR"}
    assert int(after.job["reactions"][0]) & int(Reaction.BEAM_OFF)
    assert all((t.cycle, t.value) == (0, 2.5) for t in after.panel.active())
    assert not after.control.interlocks["escalated"].any()
    assert after.signal(Signal.LATCH_SPLIT) == 0.0
    reset(after.panel, "MU_DIS", "physicist")
    reset(after.panel, "DOOR", "therapist")
    after.cycle(5)
    assert int(after.job["reactions"][0]) == 0


def test_a_hold_that_had_escalated_stays_in_force_through_a_restart() -> None:
    before, after = Rig(), Rig()
    before.cycle()
    trip(before, "MLC_POS")
    before.control.interlocks["escalated"][IDS.index("MLC_POS")] = 1
    after.panel.restore(before.panel.latches())
    after.cycle(1000)
    (it,) = after.panel.active()
    assert (it.id, it.stop, it.latched) == ("MLC_POS", "interrupt", True)
    assert list(after.control.interlocks["escalated"]) == [int(name == "MLC_POS") for name in IDS]
    reset(after.panel, "MLC_POS", "therapist")
    after.cycle(5)
    assert int(after.job["reactions"][0]) == 0 and after.panel.active() == []


def test_a_latch_whose_value_was_lost_is_still_a_latch() -> None:
    rig = Rig()
    rig.panel.restore({"WDG": {}})
    rig.cycle(5)
    (it,) = rig.panel.active()
    assert it.id == "WDG" and it.value != it.value


def test_a_latch_of_a_row_that_is_gone_is_refused_not_forgotten() -> None:
    with pytest.raises(RefusedError, match="no such row"):
        Rig().panel.restore({"GONE": {"value": 1.0}})


# --- two copies of every latch

@pytest.mark.parametrize(("field", "value"), [("tripped", 1), ("tripped_copy", 0), ("tripped", 7), ("tripped_copy", 3)])
def test_a_latch_whose_copies_differ_is_in_force_and_trips(rig: Rig, field: str, value: int) -> None:
    i = IDS.index("MU_DIS")
    rig.control.interlocks[field][i] = value
    rig.cycle()
    assert "LATCH_DIS" in rig.tripped()
    assert int(rig.job["reactions"][0]) & int(Reaction.MOTION_STOP)  # CTL-08: nothing moves either
    assert "MU_DIS" in [t.id for t in rig.panel.active()]  # itself acts as well


def test_a_latch_that_loses_a_bit_does_not_let_go(rig: Rig) -> None:
    rig.spoil("room", "estop_ok", 0.0)
    rig.cycle()
    rig.heal()
    rig.cycle()
    rig.control.interlocks["tripped"][IDS.index("ESTOP")] = 0
    rig.cycle()
    assert "LATCH_DIS" in rig.tripped()
    assert int(rig.job["reactions"][0]) & int(Reaction.MOTION_STOP)
    assert "ESTOP" in [t.id for t in rig.panel.active()]


def test_a_latch_that_loses_both_copies_is_known_by_its_count_until_somebody_resets_it(rig: Rig) -> None:
    rig.spoil("room", "estop_ok", 0.0)
    rig.cycle()
    rig.heal()
    rig.cycle()
    i = IDS.index("ESTOP")
    rig.control.interlocks["tripped"][i], rig.control.interlocks["tripped_copy"][i] = 0, 1
    rig.cycle()
    assert "ESTOP" in [t.id for t in rig.panel.active()]  # what still acts is shown
    assert "ESTOP" in rig.panel.latches()  # and survives a restart
    reset(rig.panel, "ESTOP")
    assert "ESTOP" not in [t.id for t in rig.panel.active()]


def test_a_row_that_clears_itself_is_over_when_both_copies_say_so(rig: Rig) -> None:
    i = IDS.index("MLC_POS")
    rig.control.interlocks["holds"][i] = 2
    assert rig.panel.active() == []
    with pytest.raises(RefusedError, match="it is not in force"):
        reset(rig.panel, "MLC_POS")


@pytest.mark.parametrize(("field", "value"), [("tripped", 1), ("tripped_copy", 0), ("escalated", 1)])
def test_whatever_says_that_a_row_is_in_force_it_can_be_reset(rig: Rig, field: str, value: int) -> None:
    i = IDS.index("MLC_POS")
    rig.control.interlocks[field][i] = value
    assert [t.id for t in rig.panel.active()] == ["MLC_POS"]
    reset(rig.panel, "MLC_POS")
    assert rig.panel.active() == []


def test_latches_whose_copies_differ_are_reset_one_after_the_other_by_an_engineer(rig: Rig) -> None:
    rig.control.interlocks["tripped_copy"][IDS.index("COUCH_DIS")] = 0
    rig.cycle(3)
    with pytest.raises(RefusedError, match="its cause is still there: LATCH_SPLIT 1"):
        reset(rig.panel, "LATCH_DIS")
    reset(rig.panel, "COUCH_DIS")
    rig.cycle()
    reset(rig.panel, "LATCH_DIS")
    rig.cycle(5)
    assert rig.panel.active() == [] and int(rig.job["reactions"][0]) == 0


def test_the_operators_stop_is_a_latch_that_a_therapist_resets(rig: Rig) -> None:
    rig.guard(Guard.NOT_ABORTED, 0.0)
    rig.cycle()
    assert rig.tripped() == ["ABORT"]
    rig.guard(Guard.NOT_ABORTED, 1.0)
    rig.cycle()
    reset(rig.panel, "ABORT", "therapist")


@pytest.mark.parametrize(("value", "said"), [
    (0.12345, "0.123"), (-1.0, "-1.000"), (999999.5, "999999.500"), (1.7e308, "1.7e+308"), (-1e9, "-1e+09"), (float("nan"), "nan"),
    (float("inf"), "inf")])
def test_a_value_is_said_to_a_thousandth_or_by_its_size_where_it_is_absurd(value: float, said: str) -> None:
    assert shown(value) == said


def test_a_row_stands_when_the_table_has_it_and_it_is_in_force() -> None:
    rig = Rig()
    assert not rig.panel.stands("COUCH_DIS") and not rig.panel.stands("NO_SUCH_ROW")
    trip(rig, "COUCH_DIS")
    assert rig.panel.stands("COUCH_DIS") and not rig.panel.stands("GANTRY_DIS") and not rig.panel.stands("NO_SUCH_ROW")
