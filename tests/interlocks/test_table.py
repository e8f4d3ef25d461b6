"""What the table's file may say, what it means as scan records, and what is refused."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from linac_ctl.control.phases import ANY_PHASE, Phase, Reaction
from linac_ctl.control.signals import N_SIGNALS, Signal, signal_index, signal_names
from linac_ctl.control.state import LIVE
from linac_ctl.interlocks.table import (
    Interlock,
    InterlockTable,
    compile_parameters,
    compile_table,
    phase_bits,
    reaction_bits,
)
from tests.control.rig import table
from tests.support import machine

DATA: dict[str, Any] = table().model_dump(by_alias=True)
ROW: dict[str, Any] = {"id": "A", "signal": "ESTOP", "fine": ">= 1", "class": "H", "source": "here"}


def with_rows(*rows: dict[str, Any]) -> InterlockTable:
    return InterlockTable.model_validate(DATA | {"rows": [ROW | row for row in rows]})


def compiled(**row: Any) -> Any:
    return compile_table(with_rows(row))[0]


def test_a_row_takes_what_it_does_not_say_from_its_class() -> None:
    the_table = with_rows({})
    row = compile_table(the_table)[0]
    assert row["signal"] == signal_index("ESTOP") and row["sense"] == -1.0 and row["threshold"] == 1.0
    assert row["debounce"] == 2 and row["phases"] == int(ANY_PHASE)
    assert row["reaction"] == int(Reaction.BEAM_OFF | Reaction.MOTION_STOP) and row["latched"] == 1
    assert row["clear_cycles"] == 1 and row["most_holds"] == 0 and row["longest"] == 0
    assert row["escalates_to"] == int(Reaction.BEAM_OFF)
    assert row["tripped"] == 0 and row["tripped_copy"] == 1 and row["escalated"] == 0
    assert the_table.reset_role(the_table.rows[0]) == "therapist"


def test_a_row_may_say_everything_itself() -> None:
    own = {"fine": "<= -2.5", "debounce": 7, "phases": ["move", "beam"], "class": "R", "reaction": ["prevent_motion", "terminate"],
           "latched": True, "clear_cycles": 9, "reset": "engineer", "name": "B"}
    the_table = with_rows(own)
    row = compile_table(the_table)[0]
    assert (row["sense"], row["threshold"], row["debounce"]) == (1.0, -2.5, 7)
    assert row["phases"] == int(Phase.MOVE | Phase.BEAM)
    assert row["reaction"] == int(Reaction.PREVENT_MOTION | Reaction.TERMINATE)
    assert (row["latched"], row["clear_cycles"], row["most_holds"], row["longest"]) == (1, 9, 10, 500)
    assert the_table.reset_role(the_table.rows[0]) == "engineer"
    assert the_table.rows[0].catalogue_name == "B"


def test_a_row_may_take_back_the_latch_of_its_class() -> None:
    assert compiled(latched=False)["latched"] == 0
    assert compiled(latched=None)["latched"] == 1
    assert compiled(**{"class": "R"})["latched"] == 0


def test_rows_are_compiled_in_the_order_of_the_file() -> None:
    rows = compile_table(with_rows({"id": "A"}, {"id": "B", "signal": "DOOR"}, {"id": "C", "signal": "START"}))
    assert list(rows["signal"]) == [signal_index(name) for name in ("ESTOP", "DOOR", "START")]


@pytest.mark.parametrize(("change", "says"), [
    ({"signal": "ESTOPP"}, "no signal 'ESTOPP'; did you mean ESTOP?"),
    ({"signal": "zzzzzz"}, "no signal 'zzzzzz'"),
    ({"fine": "< 1"}, "fine"),
    ({"fine": "<= one"}, "fine"),
    ({"debounce": 0}, "debounce"),
    ({"class": "X"}, "A: class 'X' is not among H, I, M, P, R, T"),
    ({"reaction": ["explode"]}, "no reaction 'explode'; reactions are beam_hold, beam_off"),
    ({"phases": ["lunch"]}, "no phase 'lunch'; phases are idle, move, ready, beam, stopped"),
    ({"reset": "nobody"}, "reset"),
    ({"id": "lower"}, "id"),
    ({"colour": "red"}, "colour"),
])
def test_a_row_that_makes_no_sense_is_refused_and_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        with_rows(change)
    assert says in str(refused.value)


def test_two_rows_of_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="ids used twice: A, B"):
        with_rows({"id": "B"}, {"id": "A"}, {"id": "A"}, {"id": "B"}, {"id": "C"})


def test_a_signal_far_from_any_name_gets_no_suggestion() -> None:
    with pytest.raises(ValidationError) as refused:
        with_rows({"signal": "zzzzzz"})
    assert "did you mean" not in str(refused.value)


def test_phases_and_reactions_are_bits() -> None:
    assert phase_bits(("idle", "beam")) == 9
    assert phase_bits(()) == 31
    assert phase_bits(("READY",)) == 4
    assert reaction_bits(()) == 0
    assert reaction_bits(("beam_hold", "terminate")) == 33


@pytest.mark.parametrize(("fine", "value", "is_fine"), [
    ("<= 2", 2.0, True), ("<= 2", 2.1, False), ("<= 2", float("nan"), False),
    (">= 2", 2.0, True), (">= 2", 1.9, False), (">= 2", float("nan"), False),
])
def test_a_row_knows_what_is_fine(fine: str, value: float, is_fine: bool) -> None:
    assert Interlock.model_validate(ROW | {"fine": fine}).is_fine(value) is is_fine


def test_parameters_are_scaled_for_the_cycle() -> None:
    config = machine("bench_small").controller
    own = DATA["parameters"] | {"gantry_hold_deg": 0.5, "leaf_hold_mm": 4.0, "jaw_hold_mm": 0.25}
    the_table = InterlockTable.model_validate(DATA | {"parameters": own})
    (param,) = compile_parameters(the_table, config)
    p = the_table.parameters
    assert param["servo_gain"] == config.beam.dose_servo_gain and param["slow_down_at"] == config.beam.slow_down_at
    assert (param["split_floor_mu"], param["split_ratio"], param["chamber_hv_v"]) == (1.0, 0.05, 300.0)
    assert param["settle_cycles"] == 20
    assert param["per_gantry_hold"] * p.gantry_hold_deg == 1.0
    assert param["per_leaf_hold"] * p.leaf_hold_mm == 1.0 and param["per_jaw_hold"] * p.jaw_hold_mm == 1.0
    for i, name in enumerate(LIVE):
        low, high = p.bands[name]
        for edge in (low, high):
            assert abs(edge - param["live_middle"][i]) * param["live_per_half"][i] == pytest.approx(1.0)


def test_a_table_does_not_change_after_it_was_read() -> None:
    with pytest.raises(ValidationError):
        table().rows[0].debounce = 100  # type: ignore[misc]


def test_every_signal_and_guard_has_one_place_in_the_vector() -> None:
    names = signal_names()
    assert len(names) == len(set(names)) == N_SIGNALS
    assert [signal_index(name) for name in names] == list(range(N_SIGNALS))
    assert all(signal_index(s.name) == int(s) for s in Signal)
    with pytest.raises(KeyError):
        signal_index("NOTHING")


def test_a_compiled_table_starts_at_rest() -> None:
    rows = compile_table(table())
    assert len(rows) == len(table().rows)
    for name in ("bad_cycles", "good_cycles", "tripped", "escalated", "holds"):
        assert not np.asarray(rows[name]).any()
    assert (rows["tripped_copy"] == 1).all()
