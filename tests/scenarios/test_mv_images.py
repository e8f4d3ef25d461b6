"""Sessions that use the MV imager: judged on the truth, and on the MU that nobody may lose or book on a beam of the plan."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linac_ctl.outcome import complete_record, create_folder
from linac_ctl.records.run_record import RunRecord
from tests.scenarios.bench import Bench, after
from tests.sequencer.guided import APPROVE, BEFORE, CLOSE, MATCH, SHIFT, TREAT, guided, protocol, room, soon
from tests.support import STAND_IN, Run, run

MV_KV = soon("acquire_mv_kv")
TRANSLATED = (5.0, -4.0, 3.0, 0.0, 0.0, 0.0)
RULES = protocol("conventional_mv_kv")


def session(steps: Any, error: Any = TRANSLATED, rules: Any = RULES, **kw: Any) -> Run:
    return run(guided(error=error, steps=[*BEFORE, *steps], rules=rules, **kw), prepared=room())


@pytest.fixture(scope="module")
def whole() -> Run:
    return session([MV_KV, MATCH, APPROVE, SHIFT, {"step": "retract_imager"}, TREAT, CLOSE])


def test_an_mv_kv_pair_from_one_angle_brings_the_target_within_half_a_millimetre(whole: Run) -> None:
    assert whole.error is None and whole.residuals[1][0] <= 0.5
    (images,) = whole.suite.imaging.images
    kv, mv = images.frames
    assert kv.gantry_deg == pytest.approx(mv.gantry_deg, abs=0.1)
    assert kv.source_angle_deg - mv.source_angle_deg == pytest.approx(90.0, abs=0.1)


def test_imaging_mu_are_counted_and_the_plans_beam_gets_none_of_them(whole: Run) -> None:
    imaging = whole.suite.imaging
    assert imaging.imaging_mu == pytest.approx(3.0, abs=0.05)
    assert whole.mu(1) == pytest.approx(8.0, abs=0.15)
    assert float(whole.plant.beam["true_total_mu"][0]) == pytest.approx(whole.mu(1) + whole.mu(2))
    assert whole.control.journal["mu_1"][0] == pytest.approx(8.0, abs=0.15)
    assert [outcome.number for outcome in whole.session.outcomes] == [1]


def test_nothing_trips_when_nothing_is_wrong(whole: Run) -> None:
    assert [trip.id for trip in whole.linac.panel.history if trip.stop != "inhibit"] == []


def test_both_panels_are_away_before_the_treatment(whole: Run) -> None:
    assert whole.plant.kv_arms["position"] == pytest.approx([1000.0, -900.0, 0.0, 800.0], abs=1.0)
    assert whole.plant.mv_arm["position"] == pytest.approx([-850.0, 0.0, 0.0], abs=1.0)


@pytest.mark.parametrize(("steps", "words"), [
    ([MV_KV, TREAT], "approval: there is none"),
    ([MV_KV, MATCH, TREAT], "approval: there is none"),
    ([MV_KV, MATCH, APPROVE, SHIFT, MV_KV, TREAT], "approval: there is none"),  # newer images; their beam needed no approval
])
def test_an_imaging_field_leaves_no_beam_that_needs_no_approval(steps: Any, words: str) -> None:
    sim = session(steps)
    assert words in str(sim.error) and sim.mu(1) == 0.0
    assert sim.suite.imaging.imaging_mu == pytest.approx(3.0 * steps.count(MV_KV), abs=0.1)


def test_the_table_itself_still_wants_an_approval_after_an_imaging_field() -> None:
    def blind(bench: Bench) -> None:
        bench.linac.control.job["token_cycle"] = bench.linac.cycle  # the sequencer believes in an approval that nobody gave

    bench = Bench(guided(error=TRANSLATED, steps=[*BEFORE, MV_KV, MATCH, APPROVE, SHIFT, MV_KV, MATCH, TREAT], rules=RULES),
                  [after("mv_kv 2", 0.5, blind)], prepared=room())
    bench.run()
    assert bench.mu(1) == 0.0 and len(bench.applied) == 1
    assert bench.control.job["token_needed"][0] == 1.0


def test_turns_are_found_so_that_they_do_not_pass_for_shifts() -> None:
    hidden = (4.0, -3.0, 2.0, 1.0, -0.5, 0.8)
    sim = session([MV_KV, MATCH], error=hidden)
    found = np.array(sim.suite.imaging.matches[0].error)
    assert np.abs(found - hidden).max() < 0.4


def test_a_resumed_run_goes_on_counting_imaging_mu_where_the_earlier_one_stopped(tmp_path: Path) -> None:
    order = guided(error=TRANSLATED, steps=[*BEFORE, MV_KV, MATCH, APPROVE, SHIFT, TREAT], rules=RULES)
    folder, order = create_folder(replace(order, plan_path=STAND_IN), tmp_path / "a", started="2026-01-01T00:00:00")
    first = run(order, folder, prepared=room())
    complete_record(first, folder, 1.0, 1.0, report=False)
    given = RunRecord.open(tmp_path / "a").imaged_mu()
    assert given == pytest.approx(first.suite.imaging.imaging_mu, abs=0.01) and given > 2.9
    folder, order = create_folder(order, tmp_path / "b", started="2026-01-01T00:00:00")
    again = run(order, folder, prepared=room(), imaged_mu=given)
    complete_record(again, folder, 1.0, 1.0, report=False)
    assert again.suite.imaging.imaging_mu == pytest.approx(2.0 * given, abs=0.1)
    assert RunRecord.open(tmp_path / "b").imaged_mu() == pytest.approx(2.0 * given, abs=0.1)


def test_what_an_earlier_run_gave_for_images_counts_against_the_limit() -> None:
    sim = run(guided(error=TRANSLATED, steps=[*BEFORE, MV_KV], rules=RULES), prepared=room(), imaged_mu=10.0)
    assert "3 MU on top of 10.00 MU" in str(sim.error) and float(sim.plant.beam["true_total_mu"][0]) == 0.0


def test_the_same_session_gives_the_same_bits_and_blocks_of_cycles_do_not_matter() -> None:
    steps = [MV_KV, MATCH, APPROVE, SHIFT, TREAT]
    short = run(guided(error=TRANSLATED, steps=[*BEFORE, *steps], rules=RULES), prepared=room(), max_block=7)
    assert session(steps).finish() == short.finish()
