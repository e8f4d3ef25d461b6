"""Action levels at their limits, and protocols that make no sense."""

from typing import Any

import pytest
from pydantic import ValidationError

from linac_ctl.imaging.couch import CouchPosition
from linac_ctl.imaging.match import Binding, Match
from linac_ctl.sequencer.protocol import Level, ProtocolConfig, confirmed, decide
from tests.sequencer.guided import protocol

NAN = float("nan")
RULES = protocol(levels={"verify_mm": 10.0, "verify_deg": 2.0})


def match(shift_mm: float = 0.0, turn_deg: float = 0.0) -> Match:
    binding = Binding("test", "1.2", ("1.3",), "1.4", "1.5", CouchPosition(), 0.0, 0.0)
    return Match(binding, (0.0, shift_mm, 0.0, 0.0, 0.0, turn_deg), 6, "test", 1.0, -1.0, 0.0, ())


@pytest.mark.parametrize(("mm", "deg", "level"), [
    (0.0, 0.0, Level.NO_SHIFT), (1.0, 0.5, Level.NO_SHIFT), (1.001, 0.0, Level.SHIFT), (0.0, -0.501, Level.SHIFT),
    (10.0, 2.0, Level.SHIFT), (10.001, 0.0, Level.SHIFT_VERIFY), (0.0, 2.001, Level.SHIFT_VERIFY),
    (20.0, 3.0, Level.SHIFT_VERIFY), (20.001, 0.0, Level.SET_UP), (0.0, -3.001, Level.SET_UP), (30.0, 5.5, Level.SET_UP),
    (30.001, 0.0, Level.CALL), (0.0, 5.501, Level.CALL),
])
def test_every_level_begins_where_the_protocol_says(mm: float, deg: float, level: Level) -> None:
    assert decide(match(mm, deg), RULES).level is level


def test_a_protocol_that_always_verifies_never_just_shifts() -> None:
    levels = {decide(match(mm), protocol()).level for mm in (1.1, 5.0, 19.9)}
    assert levels == {Level.SHIFT_VERIFY}


def test_only_shifts_move_the_couch() -> None:
    moves = [decide(match(mm), RULES).moves for mm in (0.5, 5.0, 15.0, 25.0, 35.0)]
    assert moves == [False, True, True, False, False]


@pytest.mark.parametrize(("mm", "deg", "good"), [(0.7, 0.4, True), (0.701, 0.0, False), (0.0, 0.401, False)])
def test_a_position_is_confirmed_below_the_verify_limit(mm: float, deg: float, good: bool) -> None:
    assert confirmed(match(mm, deg), protocol()) is good


@pytest.mark.parametrize("changes", [
    {"levels": {"set_up_mm": 0.5}}, {"levels": {"call_deg": 2.0}}, {"approval": {"age_s": 901.0}}, {"approval": {"roles": ()}},
    {"approval": {"roles": ("patient",)}}, {"shift": {"stale_mm": 1.5}}, {"shift": {"axes": 5}}, {"technique": {"kv": 0.0}},
    {"registration": {"dof": 7}},
    {"pair": {"angles_deg": (0.0, 170.0)}}, {"pair": {"angles_deg": (10.0, -10.0)}},
    {"verify": {"most_shifts": -1}}, {"levels": {"no_such_level_mm": 1.0}},
])
def test_a_protocol_beyond_what_the_interlocks_allow_or_without_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        protocol("conventional_pair", **changes)


def test_a_decision_says_numbers_and_level() -> None:
    assert decide(match(6.1, 0.74), RULES).text == "6.10 mm, 0.74 deg: shift"
    assert isinstance(RULES, ProtocolConfig)


@pytest.mark.parametrize(("name", "part", "words"), [
    ("conventional_port", "mv", "port needs `mv`"), ("noncoplanar", "mv", "mv_pair needs `mv`"),
])
def test_a_protocol_that_wants_mv_images_says_how_to_take_them(name: str, part: str, words: str) -> None:
    data = protocol(name).model_dump()
    data[part] = None
    with pytest.raises(ValidationError, match=words):
        ProtocolConfig.model_validate(data)


def test_a_kv_pair_after_a_turn_needs_the_angles_of_a_pair() -> None:
    with pytest.raises(ValidationError, match="image: pair needs `pair`"):
        protocol("noncoplanar", after_turn={"image": "pair"})
