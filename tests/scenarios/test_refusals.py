"""What prevents a start, and what it says: nothing is delivered, and the person at the console knows why."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linac_ctl.errors import ConfigError, PlanError, RefusedError
from linac_ctl.sequencer.staff import Act
from linac_ctl.sequencer.workflow import build
from tests.scenarios.bench import Bench, Fault, at_s
from tests.support import machine, order_for, small_static

M = machine()
BEFORE_BEAM_S = 20.0  # beam-on would be pressed about 33 s after the start


def refused(order: Any, faults: list[Fault] | None = None) -> Bench:
    """A run in which nothing was delivered."""
    bench = Bench(order, faults or [])
    bench.run()
    assert bench.error is not None
    assert bench.truth()["pulses"].sum() == 0
    return bench


@pytest.mark.parametrize("act, row", [("key_off", "KEY"), ("service_mode_on", "SERVICE_MODE"), ("fit_bypass", "BYPASS")])
def test_what_somebody_left_in_the_wrong_state_prevents_the_start_and_is_named(act: str, row: str) -> None:
    bench = refused(order_for(beams=[small_static(M)], script=[Act(act, "ben", at_s=BEFORE_BEAM_S)]))
    assert len(bench.said(act)) >= 1
    assert "beam 1" in str(bench.error) and f"{row}:" in str(bench.error) and "fine is" in str(bench.error)
    assert bench.tripped() == []


def test_a_room_that_nobody_searched_prevents_the_start() -> None:
    script = [Act("open_door", "ben", at_s=BEFORE_BEAM_S), Act("close_door", "ben", at_s=BEFORE_BEAM_S + 5)]
    bench = refused(order_for(beams=[small_static(M)], script=script))
    assert "LAST_OUT" in str(bench.error)


def test_a_plan_file_that_changed_on_the_disk_prevents_the_start(tmp_path: Path) -> None:
    path = tmp_path / "plan.dcm"
    path.write_bytes(b"as planned")

    def edit(bench: Bench) -> None:
        path.write_bytes(b"edited")

    bench = refused(order_for(beams=[small_static(M)], plan_path=path), [at_s(BEFORE_BEAM_S, edit)])
    assert bench.applied and "PLAN_INTEGRITY" in str(bench.error)


def test_a_plan_file_that_is_gone_prevents_the_start(tmp_path: Path) -> None:
    path = tmp_path / "plan.dcm"
    path.write_bytes(b"as planned")
    bench = refused(order_for(beams=[small_static(M)], plan_path=path), [at_s(BEFORE_BEAM_S, lambda b: path.unlink())])
    assert bench.applied and "PLAN_INTEGRITY" in str(bench.error)


def test_a_configuration_file_that_changed_on_the_disk_prevents_the_start(tmp_path: Path) -> None:
    path = tmp_path / "machine.yaml"
    path.write_bytes(b"speed: 6\n")
    order = replace(order_for(beams=[small_static(M)]), files=((path, hashlib.sha256(path.read_bytes()).hexdigest()),))

    def edit(bench: Bench) -> None:
        path.write_bytes(b"speed: 60\n")

    bench = refused(order, [at_s(BEFORE_BEAM_S, edit)])
    assert bench.applied and "CFG_INTEGRITY" in str(bench.error)


def test_an_accessory_that_the_plan_does_not_ask_for_prevents_the_start() -> None:
    def fit(bench: Bench) -> None:
        bench.plant.beam["accessory"] = 3

    bench = refused(order_for(beams=[small_static(M)]), [at_s(BEFORE_BEAM_S, fit)])
    assert bench.applied and "ACC:" in str(bench.error)


def test_one_therapist_alone_cannot_identify_a_patient() -> None:
    bench = refused(order_for(beams=[small_static(M)], people=(("anna", "therapist"),)))
    assert "2 therapist(s) needed, 1 here" in str(bench.error)


def test_a_session_that_takes_too_long_is_ended() -> None:
    bench = refused(order_for(beams=[small_static(M)], longest_s=10.0))
    assert "not over after 10 s" in str(bench.error)


def test_latches_of_an_earlier_run_refuse_the_session_before_anything_moves() -> None:
    latches = {"MU_DIS": {"cycle": 1, "value": 2.0, "reset_role": "physicist"}}
    bench = Bench(order_for(beams=[small_static(M)]), latches=latches)
    bench.run()
    assert isinstance(bench.error, RefusedError) and "MU_DIS" in str(bench.error) and "--role physicist" in str(bench.error)
    assert bench.truth()["pulses"].sum() == 0 and (abs(bench.plant.mlc["position"]) > 54.5).all()  # still parked
    assert "MU_DIS" in bench.linac.panel.latches()  # and it stays latched


@pytest.mark.parametrize("script, words", [
    ([Act("open_dor", "ben", at_s=1.0)], "open_dor"), ([Act("open_door", "zoe", at_s=1.0)], "zoe"),
    ([Act("open_door", "ben")], "either at_s or on"),
])
def test_a_script_that_makes_no_sense_is_refused_before_the_run(script: list[Act], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        Bench(order_for(beams=[small_static(M)], script=script))


def test_a_step_that_does_not_exist_is_refused_with_the_one_that_is_meant() -> None:
    with pytest.raises(ConfigError, match=r"flow: step 2: no step 'cbct'; did you mean acquire_cbct\? Steps are load, .*close"):
        build([{"step": "load"}, {"step": "cbct"}], "flow")


@pytest.mark.parametrize("step, words", [
    ({"step": "tret"}, "did you mean treat"), ({"step": "treat", "auto_sequenc": True}, "did you mean auto_sequence"),
    ({"step": "treat", "auto_sequence": 1}, "auto_sequence is 1"), ({"step": "identify", "people": True}, "people is True"),
    ({"step": "xyz"}, "Steps are load"), ({}, "no step ''"),
])
def test_a_step_or_setting_that_does_not_exist_is_refused_with_the_nearest_name(step: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build([step], "flow")


def test_a_beam_that_the_machine_cannot_give_is_refused_before_anything_is_built() -> None:
    with pytest.raises(PlanError, match="18X"):
        Bench(order_for(beams=[small_static(M, mode="18X")]))
