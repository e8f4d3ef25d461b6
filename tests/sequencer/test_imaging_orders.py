"""Which sessions image, what they need for it, and that others never hear of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from linac_ctl.config.files import read_file
from linac_ctl.config.loader import available, load, validate
from linac_ctl.config.session import PatientConfig, SessionConfig
from linac_ctl.errors import ConfigError, PlanError
from linac_ctl.imager_link import prepare
from linac_ctl.order import check_mv, resolve
from linac_ctl.sequencer.protocol import ProtocolConfig
from tests.sequencer.guided import protocol
from tests.support import order_for, plan_of, run, small_arc


@pytest.mark.parametrize("name", available("protocols"))
def test_every_protocol_that_we_ship_is_right(name: str) -> None:
    assert validate(ProtocolConfig, load("protocols", name)).scans["quick"].frames >= 40


@pytest.mark.parametrize("name", ["spine_igrt", "spine_igrt_quick"])
def test_a_session_with_imaging_names_patient_and_protocol(name: str, tmp_path: Path) -> None:
    order = resolve(name, scratch=tmp_path)
    assert order.imaging is not None and order.imaging.protocol.name == "spine_sbrt"
    assert "protocol" in order.configuration and any(path.stem == "spine_sbrt" for path, _ in order.files)


def test_the_same_session_without_imaging_builds_no_patient(tmp_path: Path) -> None:
    assert resolve("spine_igrt", workflow="no_image", scratch=tmp_path).imaging is None


def test_a_workflow_that_images_needs_a_session_that_says_whom(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes images, and these are missing: the session's `patient`, .*`protocol`.*no_image"):
        resolve("spine_sbrt", workflow="spine_igrt", scratch=tmp_path)


def test_a_machine_without_kv_arms_cannot_image(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="these are missing: kV arms of machine bench_small"):
        resolve("spine_igrt", machine="bench_small", scratch=tmp_path)


@pytest.mark.parametrize(("patient", "words"), [
    ("{}", "either `phantom`"), ("{phantom: spine, ct: x, structures: y}", "either `phantom`"), ("{ct: x}", "either `phantom`"),
    ("{phantom: liver}", "phantom"), ("{phantom: spine, motion: {kind: trace}}", "needs `file`"),
    ("{phantom: spine, set_up_error: {given: [1, 2, 3]}}", "given"), ("{phantom: spine, spacing_mm: 0.1}", "spacing_mm"),
])
def test_a_patient_that_makes_no_sense_is_refused_with_its_place(patient: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"kind: session\nname: a\nmachine: c_arm_hd120\nworkflow: spine_igrt\npatient: {patient}\n")
    with pytest.raises(ConfigError, match=words) as refused:
        validate(SessionConfig, read_file(path))
    assert "a.yaml:" in str(refused.value)


def test_a_ct_folder_that_holds_nothing_is_a_plan_error(tmp_path: Path) -> None:
    with pytest.raises(PlanError):
        prepare(PatientConfig(ct=str(tmp_path), structures=str(tmp_path / "rs.dcm")), plan_of([small_arc()]))


def test_a_session_without_images_needs_no_approval() -> None:
    sim = run(order_for())
    assert sim.error is None and sim.suite.imaging is None
    assert sim.control.job["token_needed"][0] == 0.0 and sim.residuals == {}


def test_a_session_without_images_loads_nothing_of_imaging() -> None:
    code = ("import sys; from tests.support import order_for, run; s = run(order_for()); assert s.error is None; "
            "heavy = ('linac_ctl.imaging.', 'device_models.patient', 'device_models.imagers'); "
            "sys.exit(any(m.startswith(heavy) for m in sys.modules))")
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_workflow_with_mv_images_needs_a_protocol_and_a_machine_that_have_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes MV images, but there is no `mv` in protocol conventional_pair"):
        resolve("palliative_igrt", workflow="mv_kv", scratch=tmp_path)
    order = resolve("mv_kv", scratch=tmp_path)
    assert order.imaging is not None and order.imaging.protocol.mv is not None
    with pytest.raises(ConfigError, match=r"mv\.mode is '18X', machine c_arm_m120 has .*6X"):
        check_mv(protocol("conventional_mv_kv", mv={"mode": "18X"}), order.machine, True, "mv_kv")
