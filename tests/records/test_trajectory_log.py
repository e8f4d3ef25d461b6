"""Varian-format trajectory logs: bytes, scale, content, and other people's reader."""

import json
import os
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linac_ctl.control.phases import Hold, Phase
from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam
from linac_ctl.records.native_scale import NATIVE, from_native, to_native
from linac_ctl.records.rows import Rows
from linac_ctl.records.tlog_rows import log_of
from linac_ctl.records.trajectory_log import (
    ABSENT,
    Axis,
    Metadata,
    SubBeam,
    TrajectoryLog,
    crc,
    from_utf7,
    read_log,
    to_utf7,
    write_log,
)
from tests.records.synthetic import arc, beam_data, machine, one_beam, plan, rows_of


def the_log(rows: Rows | None = None, *beams: Beam, **keys) -> TrajectoryLog:  # type: ignore[no-untyped-def]
    return log_of(rows or one_beam(), beams or (arc(),), machine(), plan(), **keys)


def column(log: TrajectoryLog, axis: Axis, which: str = "expected") -> np.ndarray:
    return np.asarray(getattr(log, which)[:, log.columns(axis)]).squeeze()


# --- bytes


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_what_is_written_reads_back(version: str) -> None:
    log = the_log(version=version, time_limits_s=(30.0,))
    read = read_log(write_log(log))
    assert np.array_equal(read.expected, log.expected) and np.array_equal(read.actual, log.actual)
    assert (read.version, read.axes, read.samples, read.mlc_model, read.interval_ms) == (
        version,
        log.axes,
        log.samples,
        2,
        20,
    )
    assert replace(read.sub_beams[0], name_bytes=b"") == SubBeam(0, 60.0, 30.0, 0, "CW_arc:TX")
    assert read.metadata == log.metadata


def test_the_header_is_where_the_format_has_it() -> None:
    data = write_log(the_log())
    assert data[:16] == b"VOSTL" + bytes(11) and data[16:32] == b"3.0" + bytes(13)
    assert struct.unpack_from("<3i", data, 32) == (1024, 20, 16)
    assert struct.unpack_from("<16i", data, 44) == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 40, 41, 42, 50)
    assert struct.unpack_from("<16i", data, 108) == (1,) * 15 + (122,)
    assert struct.unpack_from("<5i", data, 172) == (1, 1, 0, len(the_log().expected), 2)
    assert len(data) == 1024 + 560 + len(the_log().expected) * 1096 + 2


def test_version_4_has_its_metadata_in_745_bytes_after_the_model() -> None:
    data = write_log(the_log(version="4.0", remaining_mu=1.5))
    block = data[192 : 192 + 745].rstrip(b"\0").decode()
    assert block.split("\r\n") == [
        "Patient ID:\tSIM001", "Plan Name:\tTest arc", f"Plan UID:\t{plan().sop_instance_uid}", "Original MU:\t60",
        "Remaining MU:\t1.5", "Energy:\t6X", "BeamName:\tCW_arc", "",
    ]  # fmt: skip
    assert "Sim^Phantom" not in block and not any(data[192 + 745 : 1024])


def test_the_crc_is_ccitt_low_byte_first() -> None:
    assert crc(b"123456789") == 0x29B1  # the published check value of CRC-16/CCITT-FALSE
    data = write_log(the_log())
    assert data[-2:] == crc(data[:-2]).to_bytes(2, "little")


@pytest.mark.parametrize("at", [0, 40, 1030, -1000, -1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    data = bytearray(write_log(the_log()))
    data[at] ^= 0x10
    with pytest.raises(RecordError, match=r"damaged: CRC|not a trajectory log"):
        read_log(bytes(data))


def resealed(data: bytes) -> bytes:
    return data + struct.pack("<H", crc(data))


def test_a_file_cut_short_is_noticed_even_with_a_good_crc() -> None:
    with pytest.raises(RecordError, match="bytes, the header promises"):
        read_log(resealed(write_log(the_log())[:-500]))


def test_a_version_that_we_do_not_know_is_refused() -> None:
    data = write_log(the_log())
    with pytest.raises(RecordError, match=r"version 9\.0; versions 2\.x, 3\.0 and 4\.0 are read"):
        read_log(resealed(data[:16] + b"9" + data[17:-2]))


@pytest.mark.parametrize("data", [b"", b"VOSTL", b"x" * 5000])
def test_other_files_are_not_logs(data: bytes) -> None:
    with pytest.raises(RecordError, match="not a trajectory log"):
        read_log(data)


def test_metadata_that_does_not_fit_is_refused() -> None:
    long = replace(the_log(version="4.0"), metadata=Metadata("1", "x" * 800, "1", 1, 1, "6X", "b"))
    with pytest.raises(RecordError, match=r"metadata of \d+ bytes > 745"):
        write_log(long)


def test_names_are_written_as_the_console_does_and_read_either_way() -> None:
    assert to_utf7("KVCBCT_Setup") == "KVCBCT+AF8-Setup"
    assert from_utf7(b"KVCBCT+AF8-Setup") == "KVCBCT_Setup"
    assert from_utf7(b"plain name") == "plain name"
    assert from_utf7(b"\xe9t\xe9") == "\xe9t\xe9"  # not UTF-7 at all


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_every_name_survives(name: str) -> None:
    assert from_utf7(to_utf7(name).encode("ascii")) == name


# --- scale


@pytest.mark.parametrize(
    ("axis", "iec", "native"),
    [
        (Axis.GANTRY, 0.0, 180.0), (Axis.GANTRY, 184.5, -4.5), (Axis.GANTRY, -184.5, 364.5), (Axis.COLLIMATOR, 30.0, 150.0),
        (Axis.X1, -50.0, 5.0), (Axis.X2, 50.0, 5.0), (Axis.Y1, -50.0, 5.0), (Axis.Y2, 50.0, 5.0),
        (Axis.COUCH_VRT, -100.0, 110.0), (Axis.COUCH_LAT, 5.0, 100.5), (Axis.COUCH_LNG, 1200.0, 120.0),
        (Axis.COUCH_RTN, 91.17, 88.83), (Axis.COUCH_RTN, 15.47, 164.53), (Axis.COUCH_PITCH, 1.5, 1.5),
    ],
)  # fmt: skip
def test_native_scale(axis: Axis, iec: float, native: float) -> None:
    assert to_native(axis, iec) == pytest.approx(native)
    assert from_native(axis, native) == pytest.approx(iec)


def test_every_axis_of_the_log_that_has_a_scale_has_one() -> None:
    assert set(NATIVE) == set(Axis) - {Axis.MU, Axis.BEAM_HOLD, Axis.CONTROL_POINT, Axis.MLC}


# --- content


def test_the_log_shows_the_plan_in_native_scale() -> None:
    log, beam = the_log(), arc()
    point = column(log, Axis.CONTROL_POINT)
    index = np.arange(len(beam.cumulative_mu))
    assert column(log, Axis.GANTRY) == pytest.approx(180 - np.interp(point, index, beam.gantry_deg), abs=2e-3)
    assert column(log, Axis.X1) == pytest.approx(6.0) and column(log, Axis.COUCH_VRT) == pytest.approx(110.0)
    assert beam.leaf_mm is not None
    mlc = column(log, Axis.MLC)
    for leaf in (0, 30, 59):
        assert mlc[:, 2 + leaf] == pytest.approx(np.interp(point, index, beam.leaf_mm[:, leaf]) / 10, abs=1e-4)
        assert mlc[:, 62 + leaf] == pytest.approx(-np.interp(point, index, beam.leaf_mm[:, 60 + leaf]) / 10, abs=1e-4)
    assert mlc[:, 0] == pytest.approx(6.0) and mlc[:, 1] == pytest.approx(6.0)  # carriages, positive when open


def test_actual_is_what_was_read_and_expected_what_was_asked() -> None:
    rows, log = one_beam(), the_log()
    assert column(log, Axis.MU, "expected") == pytest.approx(rows["expected_mu"])
    assert column(log, Axis.MU, "actual") == pytest.approx(rows["mu_1"])
    assert column(log, Axis.GANTRY, "actual") == pytest.approx(180 - rows["gantry.readback_deg"], abs=1e-4)
    for axis in (Axis.BEAM_HOLD, Axis.CONTROL_POINT):
        assert np.array_equal(column(log, axis), column(log, axis, "actual"))


def test_the_hold_column_shows_the_hold() -> None:
    hold = column(the_log(one_beam(hold_s=0.4)), Axis.BEAM_HOLD)
    assert set(hold.tolist()) == {0.0, 2.0} and (hold == 2).sum() == 40  # 10 before, 20 held, 10 after


def test_an_axis_that_is_not_there_is_float_max() -> None:
    bare = machine().model_copy(update={"couch": machine().couch[:4]})
    log = log_of(one_beam(), (arc(),), bare, plan())
    assert (column(log, Axis.COUCH_PITCH) == ABSENT).all() and (column(log, Axis.COUCH_RTN) == 180).all()


def test_an_interrupted_field_is_not_logged_while_it_waits() -> None:
    rows = one_beam(hold_s=2.0)
    data = rows.data.copy()
    wait = np.flatnonzero((rows["hold"] == Hold.HOLD) & (rows["mu_1"] > 1) & (rows["mu_1"] < 59))
    data[wait[3:], 1] = int(Phase.STOPPED)
    log = the_log(replace(rows, data=data))
    assert len(log.expected) == len(rows) - len(wait) + 3 + 5  # three rows before the stop, five of ramp-down
    assert column(log, Axis.MU)[-1] == pytest.approx(60.0)


def sequence() -> tuple[Rows, Beam, Beam]:
    first, second = arc(1, "A", 30.0), arc(2, "B", 40.0)
    parts = [beam_data(first, machine(), first_cycle=1000), beam_data(second, machine(), first_cycle=3000)]
    between = parts[1][:50].copy()
    between[:, 0] = 2000 + 2 * np.arange(50)
    between[:, 1], between[:, 2], between[:, 8] = int(Phase.MOVE), 0, 30.01
    return rows_of(parts[0], between, parts[1]), first, second


def test_auto_sequenced_fields_are_sub_beams_of_one_log() -> None:
    rows, first, second = sequence()
    log = the_log(rows, first, second)
    assert [(s.control_point, s.mu, s.sequence, s.name) for s in log.sub_beams] == [
        (0, 30.0, 0, "A:TX"),
        (20, 40.0, 1, "B:TX"),
    ]
    mu, actual = column(log, Axis.MU), column(log, Axis.MU, "actual")
    assert mu[-1] == pytest.approx(70.0) and (np.diff(mu) >= -1e-4).all() and (np.diff(actual) >= -1e-4).all()
    point = column(log, Axis.CONTROL_POINT)
    assert point[-1] == pytest.approx(41.0) and (np.diff(point) >= 0).all()
    moving = (point > 20.0) & (point < 21.0)
    assert moving.any() and (column(log, Axis.BEAM_HOLD)[moving] == 2).all()


def test_more_snapshots_than_the_format_has_room_for_are_cut_and_said() -> None:
    slow = rows_of(beam_data(arc(mu=700.0), machine(), first_cycle=1000, rate_mu_per_s=0.5))
    log = the_log(slow, arc(mu=700.0))
    assert len(log.expected) == 60_000 and log.truncated
    assert read_log(write_log(log)).truncated
    assert not the_log().truncated


def test_a_machine_without_such_logs_is_refused() -> None:
    mlc = machine().mlc
    assert mlc is not None
    other = machine().model_copy(update={"mlc": mlc.model_copy(update={"log_model": None, "model": "agility_160"})})
    with pytest.raises(RecordError, match="trajectory log: agility_160: "):
        log_of(one_beam(), (arc(),), other, plan())
    with pytest.raises(RecordError, match=r"version 2.1"):
        the_log(version="2.1")


def test_a_beam_that_had_no_beam_has_no_log() -> None:
    with pytest.raises(RecordError, match="beam 5 'X' has no rows with beam"):
        the_log(one_beam(), arc(5, "X"))


# --- real logs


def test_real_logs_have_a_good_crc_and_come_back_byte_for_byte(real_data: Path) -> None:
    paths = sorted((real_data / "trajectory_logs").rglob("*.bin"))
    assert len(paths) >= 5
    for path in paths:
        assert write_log(read_log(path.read_bytes(), path.name)) == path.read_bytes(), path.name


def test_a_real_pair_of_auto_sequenced_fields_reads_as_two_sub_beams(real_data: Path) -> None:
    log = read_log(next((real_data / "trajectory_logs").rglob("M120_1.2_TX*.bin")).read_bytes())
    assert [(s.name, s.mu) for s in log.sub_beams] == [("1.2:TX", 56.0), ("1.1:TX", 75.0)]
    assert column(log, Axis.MU, "actual")[-1] == pytest.approx(131.0, abs=0.1)
    assert from_native(Axis.GANTRY, column(log, Axis.GANTRY)[0]) == pytest.approx(180.0, abs=0.01)


# --- the analyser that physicists use

ANALYSE = """
import json, sys, matplotlib
matplotlib.use("agg")
from pylinac import TrajectoryLog
log = TrajectoryLog(sys.argv[1])
log.fluence.gamma.calc_map(doseTA=1, distTA=1)
meta = getattr(log.header, "metadata", None)
print(json.dumps({
    "version": log.header.version, "snapshots": int(log.header.num_snapshots), "hd": bool(log.is_hdmlc),
    "gamma": float(log.fluence.gamma.pass_prcnt), "mu": float(log.axis_data.mu.actual[-1]),
    "gantry": log.axis_data.gantry.expected.tolist(), "cp": log.axis_data.control_point.actual.tolist(),
    "a30": log.axis_data.mlc.leaf_axes[30].expected.tolist(), "b30": log.axis_data.mlc.leaf_axes[90].expected.tolist(),
    "names": [s.beam_name for s in log.subbeams], "beam": meta and meta.beam_name,
}))
"""


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_pylinac_opens_our_log_finds_the_plan_in_it_and_passes_it(tmp_path: Path, version: str) -> None:
    python = os.environ.get("LINAC_CTL_INTEROP_PYTHON")
    if not python:
        pytest.skip("pylinac: LINAC_CTL_INTEROP_PYTHON names no interpreter with pylinac")
    path, beam = tmp_path / "SIM001_arc.bin", arc()
    path.write_bytes(write_log(the_log(version=version)))
    done = subprocess.run([python, "-c", ANALYSE, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["version"], seen["snapshots"], seen["hd"]) == (float(version), len(one_beam()), False)
    assert seen["gamma"] == 100.0 and seen["mu"] == pytest.approx(60.01, abs=1e-3)
    assert seen["beam"] == ("CW_arc" if version == "4.0" else None)
    index, cp = np.arange(21), np.array(seen["cp"])
    assert beam.leaf_mm is not None
    assert np.array(seen["gantry"]) == pytest.approx(180 - np.interp(cp, index, beam.gantry_deg), abs=2e-3)
    assert np.array(seen["a30"]) == pytest.approx(np.interp(cp, index, beam.leaf_mm[:, 29]) / 10, abs=1e-4)
    assert np.array(seen["b30"]) == pytest.approx(-np.interp(cp, index, beam.leaf_mm[:, 89]) / 10, abs=1e-4)
