"""Plans, records and configuration that are damaged or wrong: refused where they are read, or before the beam."""

from typing import Any

import pytest

from linac_ctl.errors import LinacError
from linac_ctl.order import Order, resolve
from tests.injection.alter import Altering, alter, at_mu, at_s, loaded, run, static
from tests.scenarios.bench import after

BEFORE_BEAM_S = 2.0
AT_START_S = 0.01


@pytest.fixture(scope="module")
def modulated(tmp_path_factory: pytest.TempPathFactory) -> Order:
    return resolve("sliding_window", scratch=tmp_path_factory.mktemp("plans"))


@pytest.fixture(scope="module")
def conformal(tmp_path_factory: pytest.TempPathFactory) -> Order:
    return resolve("box", scratch=tmp_path_factory.mktemp("plans"))


LOST = [
    ("plan_file_damaged", {"kind": "truncate"}, "truncated"),
    ("plan_file_damaged", {"kind": "missing_tag"}, "GantryAngle is missing"),
    ("other_mlc", {}, "LeafPositionBoundaries describe 30 pairs"),
    ("points_lost", {"kind": "mlc_missing"}, "names its leaves"),
    ("entry", {"field": "mu_negative"}, "is -"), ("entry", {"field": "nan"}, "is nan MU"),
    ("entry", {"field": "angle_999"}, "999"), ("entry", {"field": "leaf_cross"}, "leaves"),
    ("infeasible", {"kind": "mu_non_monotone"}, "falls from"), ("infeasible", {"kind": "out_of_range"}, "400 mm"),
    ("infeasible", {"kind": "duplicate_index"}, "collimator"),
]


@pytest.mark.parametrize("which", ["modulated", "conformal"])
@pytest.mark.parametrize(("name", "settings", "words"), LOST, ids=lambda value: str(value)[:30])
def test_a_plan_that_lost_something_is_refused_before_there_is_a_session(which: str, name: str, settings: Any, words: str,
                                                                         request: pytest.FixtureRequest) -> None:
    with pytest.raises(LinacError, match=words):
        Altering(loaded(request.getfixturevalue(which), name, **settings))


@pytest.mark.parametrize(("kind", "words"), [("last_cp_only", "control points were lost"), ("jaws_max", "parked open")])
def test_a_modulated_plan_that_lost_its_modulation_is_refused(modulated: Order, kind: str, words: str) -> None:
    with pytest.raises(LinacError, match=words):
        Altering(loaded(modulated, "points_lost", kind=kind))


def test_no_file_but_a_copy_is_ever_touched(conformal: Order) -> None:
    before = conformal.plan_path.read_bytes()
    with pytest.raises(LinacError):
        loaded(conformal, "plan_file_damaged", kind="truncate")
    bench = run(static(), at_s(BEFORE_BEAM_S, alter("plan_changes", kind="bitflip")))
    assert conformal.plan_path.read_bytes() == before and bench.record.order.plan_path != static().plan_path


@pytest.mark.parametrize("kind", ["bitflip", "truncate", "checksum", "swap"])
def test_a_plan_file_that_changes_under_the_session_prevents_the_beam(kind: str) -> None:
    bench = run(static(), at_s(BEFORE_BEAM_S, alter("plan_changes", kind=kind)))
    assert bench.effective and bench.mu(1) == 0.0 and "PLAN_INTEGRITY" in str(bench.error)


def test_a_plan_file_that_is_put_back_before_anybody_reads_it_is_the_old_one() -> None:
    bench = run(static(), at_s(BEFORE_BEAM_S, alter("plan_changes", kind="bitflip")),
                at_s(BEFORE_BEAM_S + 1.0, lambda bench: bench.altered[0]()))
    assert bench.altered and bench.altered[0].cycle is None and bench.error is None


@pytest.mark.parametrize("file", ["tolerances", "interlock_table", "mu_per_cgy", "leaf_offsets"])
@pytest.mark.parametrize("kind", ["edited", "older", "other_machine"])
def test_a_configuration_file_that_is_not_the_one_of_the_start_prevents_the_beam(file: str, kind: str) -> None:
    bench = run(static(), at_s(AT_START_S, alter("config_changes", file=file, kind=kind)))
    assert bench.effective and bench.mu(1) == 0.0 and "CFG_INTEGRITY" in str(bench.error)


@pytest.mark.parametrize("kind", ["disk", "db_locked", "power", "log_write_error", "fds"])
def test_a_record_that_is_lost_interrupts_the_beam_and_prevents_the_next(kind: str) -> None:
    bench = run(static(), at_mu(1, 10.0, alter("record_fails", kind=kind)))
    assert "LOG_LOST" in bench.tripped() and bench.last_pulse_ms <= 30.0 and bench.mu_after <= 0.3
    assert bench.error is not None and bench.error.exit_code == 5


def test_a_record_that_is_lost_after_the_last_beam_is_said() -> None:
    bench = run(static(), after("beam 1 complete", 0.0, alter("record_fails", kind="disk")))
    assert bench.effective and bench.error is not None and "disk full" in str(bench.error) and bench.error.exit_code == 5


def test_a_fraction_that_is_on_record_is_not_given_again() -> None:
    bench = run(static(), at_s(AT_START_S, alter("given_before")))
    assert bench.effective and bench.mu(1) == 0.0 and "30.00 MU of this fraction are on record as given" in str(bench.error)


@pytest.mark.parametrize("kind", ["counter_reset", "partial_forgotten"])
def test_a_session_does_not_need_its_journal_to_know_what_it_gave(kind: str) -> None:
    def lose(bench: Any) -> None:
        alter("journal_lost", kind=kind)(bench)
        alter("act_for", do="open_door", undo="close_door", ms=1000.0)(bench)

    bench = run(static(), at_mu(1, 10.0, lose))
    assert bench.effective and bench.error is None and bench.mu(1) == pytest.approx(30.0, abs=0.15)
    assert float(bench.control.journal["mu_1"][0]) == pytest.approx(30.0, abs=0.1)
