"""The accident of New York, 2005: a modulated plan whose leaf data were lost."""

from dataclasses import replace

import numpy as np
import pytest

from linac_ctl.plan.check import check, errors

LOST = "leaf data were lost"


def lost(plan, machine):
    return [f for f in errors(check(plan, machine)) if LOST in f.advice]


@pytest.fixture(scope="session")
def read(made):
    return lambda kind, mlc="millennium_120": made(kind, mlc).plan


def changed(plan, **changes):
    return replace(plan, beams=tuple(replace(beam, **{k: v(beam) for k, v in changes.items()}) for beam in plan.beams))


def parked(beam, open_mm=150.0):
    pairs = beam.leaf_mm.shape[1] // 2
    return np.tile(np.repeat([open_mm, -open_mm], pairs), (len(beam.leaf_mm), 1))


@pytest.mark.parametrize("kind", ["spine_sbrt", "sliding_window", "step_and_shoot", "arc_conformal"])
def test_a_modulated_plan_without_leaves_is_refused(read, m120, kind):
    plan = read(kind)
    found = lost(changed(plan, leaf_mm=lambda beam: None), m120)
    assert [f.beam for f in found] == [beam.number for beam in plan.beams]
    assert found[0].keyword == "LeafJawPositions" and found[0].point == 0
    assert "no leaf positions" in found[0].value


@pytest.mark.parametrize("kind", ["spine_sbrt", "sliding_window", "arc_conformal"])
def test_a_modulated_plan_with_all_leaves_parked_open_is_refused(read, m120, kind):
    found = lost(changed(read(kind), leaf_mm=parked), m120)
    assert found and "parked open behind the jaws" in found[0].value


def test_an_arc_with_one_leaf_in_the_field_is_not_parked_open(read, m120):
    plan = read("arc_conformal")

    def one_leaf_in(beam):
        leaves = parked(beam)
        leaves[:, 30] = beam.jaw_mm[0, 1] - 5.0
        return leaves

    assert lost(changed(plan, leaf_mm=one_leaf_in), m120) == []


def test_a_leaf_that_the_jaws_hide_does_not_count(read, m120):
    def hidden_leaf_in(beam):
        leaves = parked(beam)
        leaves[:, 0] = 0.0  # at -Y, far outside the Y jaws
        return leaves

    assert lost(changed(read("arc_conformal"), leaf_mm=hidden_leaf_in), m120)


def test_a_constant_aperture_that_conforms_is_fine_in_arc_and_field(read, m120):
    arc = changed(read("arc_conformal"), leaf_mm=lambda beam: np.tile(beam.leaf_mm[0], (len(beam.leaf_mm), 1)))
    assert lost(arc, m120) == []
    assert lost(read("box_3dcrt"), m120) == []


def test_an_open_static_field_is_fine_unless_it_was_declared_dynamic(read, m120):
    palliative = read("palliative")
    assert lost(palliative, m120) == []
    assert lost(changed(palliative, beam_type=lambda beam: "DYNAMIC"), m120)
    assert lost(changed(read("box_3dcrt"), leaf_mm=parked), m120) == []


def test_many_segments_at_rest_with_parked_leaves_are_a_lost_imrt_field(read, m120):
    field = changed(read("sliding_window"), leaf_mm=parked, technique=lambda beam: "static", beam_type=lambda beam: "")
    assert lost(field, m120)


def test_without_x_jaws_open_means_as_far_as_leaves_go(read, machines):
    plan = read("arc_conformal", "agility_160")
    assert lost(changed(plan, leaf_mm=lambda beam: parked(beam, 200.0)), machines["agility_160"])
    assert lost(changed(plan, leaf_mm=lambda beam: parked(beam, 100.0)), machines["agility_160"]) == []


def test_a_machine_without_leaves_may_turn_an_open_field(read, m120):
    bare = m120.model_copy(update={"mlc": None})
    plan = changed(read("arc_conformal"), leaf_mm=lambda beam: None, leaf_boundaries_mm=lambda beam: None)
    assert errors(check(plan, bare)) == []
