"""Recorded traces: read, played, and refused when they lie."""

import pytest

from device_models.patient.errors import PatientError
from device_models.patient.trace import load_trace

GOOD = "\n".join(f"{0.2 * k:g} {0.1 * k:g} {-0.2 * k:g} 0" for k in range(20))


def written(folder, text):
    path = folder / "trace.txt"
    path.write_text(text)
    return path


def test_between_samples_it_is_a_straight_line(tmp_path):
    trace = load_trace(written(tmp_path, GOOD))
    assert trace.at(0.3).t_mm == pytest.approx((0.15, -0.3, 0.0)) and trace.at(-1.0).shift_mm == 0.0
    assert trace.length_s == pytest.approx(3.8)


def test_it_starts_at_zero_and_turns_round_at_its_end(tmp_path):
    trace = load_trace(written(tmp_path, "\n".join(f"{5 + k} {7 + k} 0 0 0 0 {k}" for k in range(5))))
    assert trace.at(0.0).shift_mm == 0.0 and trace.at(2.0).r_deg == (0.0, 0.0, 2.0)
    assert trace.at(5.0).t_mm == pytest.approx((3.0, 0.0, 0.0)) and trace.at(8.0).shift_mm == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("text, says", [
    ("", "no columns"), ("0 0 0\n1 1 1\n2 2 2", r"rows of \[3\] columns"), ("0 0 0 0\n1 0 0 0 0 0 0", r"\[4, 7\] columns"),
    ("0 0 0 0\n1 0 0 0", "2 rows"), ("0 0 0 0\n1 nan 0 0\n2 0 0 0", "row 2 is not finite"), ("0 a 0 0", r"trace.txt:1: '0 a 0 0'"),
    (GOOD.replace("1.6 ", "1.4 "), "time does not rise at row 9"), ("0 0 0 0\n1 900 0 0\n2 0 0 0", "900.0 mm, more than 100 mm"),
    ("\n".join(GOOD.splitlines()[:8] + GOOD.splitlines()[10:]), r"gap of 0.6 s after row 8 \(1.4 s\), 0.2 s is usual"),
])
def test_what_is_no_motion_is_refused(tmp_path, text, says):
    with pytest.raises(PatientError, match=says):
        load_trace(written(tmp_path, text))


def test_no_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(PatientError, match="absent"):
        load_trace(tmp_path / "absent.txt")


@pytest.mark.parametrize("name, most_mm", [
    ("Trace_1-Stable_target_baseline_no_angles.txt", 2.0), ("Trace_3-Erratic_behaviour_no_angles.txt", 6.0),
    ("LiverTraj_RegularBreathing70s_robot.txt", 9.0),
])
def test_traces_of_real_patients_are_read(real_data, name, most_mm):
    trace = load_trace(real_data / "motion" / name)
    shifts = [trace.at(0.5 * k).shift_mm for k in range(int(2 * trace.length_s))]
    assert 0.5 < max(shifts) < most_mm
