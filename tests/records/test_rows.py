"""Rows by name, deviations, pauses, digest."""

from dataclasses import replace

import numpy as np
import pytest

from linac_ctl.control.phases import Hold, Phase
from linac_ctl.errors import RecordError
from linac_ctl.records.deviations import beam_on_s, deviations, holds, interruptions
from linac_ctl.records.digest import Digest, digest
from linac_ctl.records.rows import Rows, unit_of
from tests.records.synthetic import ROW_S, arc, beam_data, machine, one_beam, rows_of


def edited(rows: Rows, column: str, mask: np.ndarray | slice, value: float) -> Rows:
    data = rows.data.copy()
    data[mask, rows.columns.index(column)] = value
    return replace(rows, data=data)


def test_an_unknown_column_is_refused_by_name() -> None:
    with pytest.raises(RecordError, match="no column 'mu_3'"):
        one_beam()["mu_3"]


def test_axes_come_in_image_order_with_their_units() -> None:
    axes = one_beam().axes()
    assert [a.name for a in axes[:7]] == ["gantry", "collimator", "X1", "X2", "Y1", "Y2", "A1"]
    assert sum(a.is_leaf for a in axes) == 120 and axes[0].unit == "deg" and axes[6].unit == "mm"


def test_columns_wear_their_units() -> None:
    assert [
        unit_of(c) for c in ("cycle", "mu_1", "rate_mu_per_s", "clearance_mm", "gantry.setpoint_deg", "A1.readback_mm")
    ] == ["", "MU", "MU/s", "mm", "deg", "mm"]


def test_beams_are_listed_in_order_of_delivery() -> None:
    parts = [beam_data(arc(n), machine(), first_cycle=1000 * i) for i, n in enumerate((7, 2))]
    assert rows_of(*parts).beam_numbers() == [7, 2]


# --- deviations


def test_a_deviation_is_the_worst_while_the_beam_is_on() -> None:
    rows = one_beam(noise=0.0)
    on = np.flatnonzero(rows["permit"] > 0)
    rows = edited(rows, "A17.readback_mm", on[3:4], float(rows["A17.setpoint_mm"][on[3]]) + 2.5)
    found = deviations(rows, 1)
    assert found["A17"].worst == pytest.approx(2.5, abs=1e-4)
    assert found["A17"].rms == pytest.approx(2.5 / np.sqrt(len(on)), abs=1e-4)
    assert found["A18"].worst == 0.0
    assert found["mlc"].worst == found["A17"].worst
    assert found["mlc"].rms == pytest.approx(2.5 / np.sqrt(120 * len(on)), abs=1e-4)


def test_a_deviation_without_beam_does_not_count() -> None:
    rows = one_beam(noise=0.0)
    assert deviations(edited(rows, "gantry.readback_deg", rows["permit"] == 0, 99.0), 1)["gantry"].worst == 0.0


def test_a_missing_reading_is_not_a_small_deviation() -> None:
    rows = one_beam()
    found = deviations(edited(rows, "X1.readback_mm", slice(50, 51), float("nan")), 1)
    assert found["X1"].worst is None and found["X1"].rms is None
    assert found["X2"].worst is not None


def test_deviations_do_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, whole = one_beam(), deviations(one_beam(), 1)
    monkeypatch.setattr("linac_ctl.records.deviations.BLOCK", 7)
    assert deviations(rows, 1) == whole


def test_a_beam_without_permit_has_no_deviations() -> None:
    assert deviations(one_beam(), 2) == {}


# --- pauses


def test_a_hold_is_found_with_its_time_length_and_dose() -> None:
    found = holds(one_beam(hold_s=0.4), 1)
    assert len(found) == 1
    assert (found[0].duration_s, found[0].mu) == (0.4, pytest.approx(30.01))
    assert interruptions(one_beam(hold_s=0.4), 1) == ()


def test_waiting_before_the_first_and_after_the_last_pulse_is_no_hold() -> None:
    assert holds(one_beam(hold_s=0.0), 1) == ()


def test_an_interruption_is_not_a_hold() -> None:
    rows = one_beam(hold_s=0.4)
    held = (rows["hold"] == Hold.HOLD) & (np.arange(len(rows)) > 50) & (np.arange(len(rows)) < 250)
    rows = edited(rows, "phase", held, int(Phase.STOPPED))
    assert holds(rows, 1) == ()
    assert [p.duration_s for p in interruptions(rows, 1)] == [0.4]


def test_beam_on_time_is_time_with_permit() -> None:
    rows = one_beam(hold_s=0.4)
    assert beam_on_s(rows, 1) == pytest.approx(6.0)
    assert beam_on_s(rows, 3) == 0.0
    assert rows.row_s == pytest.approx(ROW_S)


# --- digest


def test_a_digest_is_of_the_bytes_whatever_their_shape() -> None:
    data = np.arange(12, dtype=np.float32)
    assert digest([data]) == digest([data.reshape(3, 4)]) == digest([data[:5], data[5:]]) == digest([data.tobytes()])
    assert len(digest([])) == 16


def test_one_bit_changes_the_digest() -> None:
    data = np.zeros((4, 4), np.float32)
    other = data.copy()
    other.view(np.uint32)[3, 3] ^= 1
    assert digest([data]) != digest([other])


def test_a_strided_view_is_hashed_by_its_values() -> None:
    data = np.arange(20, dtype=np.float32).reshape(4, 5)
    assert digest([data[:, ::2]]) == digest([data[:, ::2].copy()]) != digest([data[:, 1::2]])


def test_a_stream_and_a_list_give_the_same_digest() -> None:
    total = Digest()
    total.update(b"a").update(np.ones(3)).update(np.zeros(0)).update(b"")
    assert total.text == digest([b"a", np.ones(3)])
