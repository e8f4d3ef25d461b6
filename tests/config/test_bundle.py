"""Machine files: every shipped one is right, and the two halves of one must speak of the same machine."""

import pytest

from linac_ctl.config.loader import available, load, load_machine, validate
from linac_ctl.config.session import SessionConfig, WorkflowConfig
from linac_ctl.errors import ConfigError


@pytest.mark.parametrize("name", available("machines"))
def test_every_shipped_machine_is_right(name):
    machine = load_machine(name)
    assert machine.name == name and machine.description
    assert machine.controller.sizes()["mlc"] == 2 * machine.plant.leaf_pairs
    assert machine.interlocks in available("interlocks")


@pytest.mark.parametrize("name", available("sessions"))
def test_every_shipped_session_names_things_that_exist(name):
    session = validate(SessionConfig, load("sessions", name))
    assert session.name == name
    assert session.machine in available("machines") and session.workflow in available("workflows")


@pytest.mark.parametrize("name", available("workflows"))
def test_every_shipped_workflow_is_right(name):
    assert validate(WorkflowConfig, load("workflows", name)).name == name


@pytest.fixture
def variant(root, tmp_path, monkeypatch):
    """`variant(text)`: the small bench with a few lines changed, loaded."""
    folder = tmp_path / "configs" / "machines"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def make(text):
        (folder / "mine.yaml").write_text("extends: bench_small\nname: mine\n" + text)
        return load_machine("mine")

    return make


def test_a_machine_of_ones_own_extends_a_shipped_one(variant):
    machine = variant("plant: {initialise_s: 3.5}\n")
    assert machine.plant.initialise_s == 3.5
    assert str(machine.loaded.origin["plant.initialise_s"]) == "configs/machines/mine.yaml:3:9"


@pytest.mark.parametrize("text, message", [
    ("plant: {gantry: []}\n", "plant.gantry: 0 axes here, 1 in controller.gantry"),
    ("plant: {leaf_pairs: 9}\n", "plant.leaf_pairs: 9 here, 10 by controller.mlc.boundaries_mm"),
    ("plant: {leaf: null}\n", "plant.leaf: is missing"),
    ("controller: {mlc: null}\n", "plant.leaf_pairs: 10 here, 0 by"),
])
def test_halves_that_disagree_are_refused_with_the_place(variant, text, message):
    with pytest.raises(ConfigError, match=rf"^configs/machines/\w+\.yaml:\d+:\d+: {message}"):
        variant(text)


def test_modes_must_be_the_same_in_the_same_order(variant):
    with pytest.raises(ConfigError, match=r"plant\.modes: .* both must list the same modes in the same order"):
        variant("controller: {beam: {modes: {99X: {energy_mv: 9, max_dose_rate_mu_per_min: 9, mu_per_pulse: 0.1}}}}\n")


def test_a_wrong_figure_is_placed_in_the_file_that_says_it(variant):
    with pytest.raises(ConfigError, match=r"configs/machines/mine\.yaml:3:9: plant\.initialise_s: .*\(got -1\)"):
        variant("plant: {initialise_s: -1}\n")
