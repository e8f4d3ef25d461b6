"""The catalogue holds what the taxonomy asks for, or says why not; its settings bite, and its interlocks exist."""

import csv
from pathlib import Path

import pytest

from device_models.faults.action import Write
from device_models.faults.modes import catalogue
from device_models.faults.modes.left_out import LEFT_OUT, PARTS_LEFT_OUT
from device_models.faults.modes.mode import Mode, Place
from tests.control.rig import table

TAXONOMY = {row["id"]: row for row in csv.DictReader((Path(__file__).parent / "taxonomy.csv").open())}
MODES = catalogue()
LAYERS = ("plant", "sensor", "actuator", "dose", "link", "clock", "controller", "operator", "data", "imager", "room",
          "safety_chain")
OURS = [name for name, row in TAXONOMY.items() if row["layer"] in LAYERS]
HERE = Place(leaves=120, seed=1, links=(), imaging=True)
LINED = Place(leaves=120, seed=1, links=("mlc", "gantry", "couch", "beam", "safety", "room"), imaging=True)
NAMES = {row.catalogue_name for row in table().rows} | {row.id for row in table().rows}
NOT_DECIDABLE = {name for names in table().not_decidable.values() for name in names}
SEVERAL = [mode for mode in MODES.values() if mode.layer in LAYERS]


@pytest.mark.parametrize("name", OURS)
def test_a_row_of_the_taxonomy_is_a_mode_or_is_left_out_with_a_reason(name: str) -> None:
    assert (name in MODES) + (name in LEFT_OUT) == 1


@pytest.mark.parametrize("mode", SEVERAL, ids=lambda mode: mode.id)
def test_a_mode_has_the_figures_of_its_row(mode: Mode) -> None:
    row = TAXONOMY[mode.id]
    assert (str(mode.tier), mode.layer, mode.severity) == (row["tier"], row["layer"], row["severity"])
    assert " ".join(mode.reaction) == row["reaction"]
    given = (mode.max_detection_ms, mode.max_reaction_ms)
    assert given == tuple(float(row[key]) if row[key] else None for key in ("detection_ms", "reaction_ms"))
    assert mode.max_mu == (float(row["mu"]) if row["mu"].replace(".", "").isdigit() else None)


@pytest.mark.parametrize("mode", SEVERAL, ids=lambda mode: mode.id)
def test_what_is_expected_of_a_mode_is_a_name_of_the_interlock_table(mode: Mode) -> None:
    assert mode.expected and set(mode.expected) <= NAMES | NOT_DECIDABLE
    assert set(mode.expected) & NAMES


@pytest.mark.parametrize("mode", SEVERAL, ids=lambda mode: mode.id)
@pytest.mark.parametrize("place", [HERE, LINED], ids=["in process", "behind lines"])
def test_every_size_of_every_setting_makes_actions(mode: Mode, place: Place) -> None:
    for name, kind in [("", None), *mode.settings.items()]:
        for value in [None] if kind is None else kind.sizes():
            settled = mode.settle({} if kind is None else {name: value})
            assert mode.actions(settled, place) or value == 0.0
            assert mode.demand(settled) in ("react", "either", "nothing") and mode.onset_ms(settled) >= 0.0


@pytest.mark.parametrize("mode", [mode for mode in SEVERAL if not mode.control_case], ids=lambda mode: mode.id)
def test_usual_settings_make_something_happen_and_a_control_case_asks_for_nothing(mode: Mode) -> None:
    for action in mode.actions(mode.settle({}), HERE):
        if isinstance(action, Write) and action.path.endswith((".bias", ".slides", ".freeze", ".stuck_on")):
            assert action.value != 0.0
    assert mode.demand(mode.settle({})) != "nothing"


def test_parts_that_are_left_out_are_of_modes_that_are_there() -> None:
    assert set(PARTS_LEFT_OUT) <= set(MODES) and not set(LEFT_OUT) & set(MODES)
