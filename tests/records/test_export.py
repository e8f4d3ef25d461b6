"""Rows, logs and records for other programs, and the two commands that write them."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from linac_ctl.cli import export as export_cli
from linac_ctl.cli import report as report_cli
from linac_ctl.errors import RecordError
from linac_ctl.records.export import MISSING, grid_name, on_grid, write_csv, write_parquet
from linac_ctl.records.manifest import PlannedBeam
from linac_ctl.records.products import log_name, sequences, write_products
from linac_ctl.records.run_record import RunRecord
from linac_ctl.records.trajectory_log import read_log
from tests.records.synthetic import arc, beam_data, machine, manifest, one_beam, plan, result, rows_of, write_run


def test_csv_has_every_row_and_column_with_its_unit(tmp_path: Path) -> None:
    rows = one_beam()
    with write_csv(rows, tmp_path / "rows.csv").open() as file:
        header, *lines = csv.reader(file)
    assert tuple(header) == rows.columns
    assert np.array(lines, float) == pytest.approx(rows.data, abs=6e-5)


def test_a_missing_reading_is_an_empty_field(tmp_path: Path) -> None:
    rows = one_beam()
    data = rows.data.copy()
    data[3, rows.columns.index("X1.readback_mm")] = np.nan
    path = write_csv(type(rows)(data, rows.columns, rows.cycle_s), tmp_path / "rows.csv")
    with path.open() as file:
        assert list(csv.DictReader(file))[3]["X1.readback_mm"] == ""


@pytest.mark.parametrize(
    ("column", "name", "steps"),
    [
        ("A1.readback_mm", "A1.readback_um", 1e3),
        ("gantry.setpoint_deg", "gantry.setpoint_mdeg", 1e3),
        ("mu_1", "umu_1", 1e6),
        ("expected_mu", "expected_umu", 1e6),
        ("rate_mu_per_s", "rate_umu_per_s", 1e6),
        ("clearance_mm", "clearance_um", 1e3),
        ("cycle", "cycle", 0.0),
        ("control_point", "control_point", 0.0),
    ],
)
def test_parquet_columns_wear_the_unit_of_their_whole_steps(column: str, name: str, steps: float) -> None:
    assert grid_name(column) == (name, steps)


def test_values_go_to_the_nearest_step_and_the_impossible_is_missing() -> None:
    values = np.array([1.0004, -0.0006, np.nan, np.inf, 3e6], np.float32)
    assert on_grid(values, 1000.0).tolist() == [1000, -1, MISSING, MISSING, MISSING]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    record = RunRecord.open(write_run(tmp_path / "run"))
    with pytest.raises(RecordError, match=r"pip install 'linac-ctl\[parquet\]', or export csv"):
        write_parquet(record, record.rows(), tmp_path / "rows.parquet")


def test_parquet_holds_whole_micrometres_delta_packed(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow (extra 'parquet') is not installed")
    record = RunRecord.open(write_run(tmp_path / "run"))
    rows = record.rows()
    path = write_parquet(record, rows, tmp_path / "rows.parquet")
    table = pq.read_table(path)
    assert np.array(table["A1.readback_um"]) == pytest.approx(rows["A1.readback_mm"] * 1000, abs=0.51)
    column = pq.ParquetFile(path).metadata.row_group(0).column(table.column_names.index("A1.readback_um"))
    assert "DELTA_BINARY_PACKED" in column.encodings and column.compression == "ZSTD"
    assert json.loads(table.schema.metadata[b"linac-ctl"])["seed"] == 7


# --- products of a run


def test_a_run_gives_logs_of_both_versions_and_a_treatment_record(tmp_path: Path) -> None:
    files = write_products(tmp_path, one_beam(), plan(), machine(), manifest(), result())
    name = "SIM001_Test-arc_1-CW-arc_TX_20260102030405"
    assert files == {
        f"trajectory_log_v3:{name}": f"logs/v3/{name}.bin", f"trajectory_log_v4:{name}": f"logs/v4/{name}.bin",
        "treatment_record": "treatment_record.dcm",
    }  # fmt: skip
    logs = [read_log((tmp_path / f"logs/{v}/{name}.bin").read_bytes()) for v in ("v3", "v4")]
    assert [log.version for log in logs] == ["3.0", "4.0"]
    assert logs[1].metadata is not None and logs[1].metadata.remaining_mu == 0.0


def test_a_machine_without_such_logs_gives_none(tmp_path: Path) -> None:
    bare = machine().model_copy(update={"mlc": None})
    assert list(write_products(tmp_path, one_beam(), plan(), bare, manifest(), result())) == ["treatment_record"]


def test_beams_of_a_sequence_share_a_log_and_beams_without_dose_have_none() -> None:
    beams = [arc(n, f"b{n}") for n in (1, 2, 3, 4)]
    rows = rows_of(*[beam_data(b, machine(), first_cycle=1000 * b.number) for b in beams[:3]])
    groups = sequences(rows, plan(*beams), manifest(sequences=((2, 3, 4),)))
    assert [[b.number for b in group] for group in groups] == [[1], [2, 3]]


def test_a_log_is_named_as_the_console_names_it() -> None:
    assert log_name(plan(), arc(3, "A/../x y"), manifest()) == "SIM001_Test-arc_3-A-..-x-y_TX_20260102030405.bin"


# --- commands


def test_export_writes_into_the_run_folder_or_where_it_is_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    done = CliRunner().invoke(export_cli.command, [str(run), "--to", "csv"], catch_exceptions=False)
    assert done.output.strip() == str(run / "rows.csv") and (run / "rows.csv").exists()
    done = CliRunner().invoke(
        export_cli.command,
        [str(run), "--to", "tlog", "--log-version", "4.0", "--out", str(tmp_path / "logs"), "--json"],
        catch_exceptions=False,
    )
    written = json.loads(done.output)["written"]
    assert [read_log(Path(p).read_bytes()).version for p in written] == ["4.0"] and Path(
        written[0]
    ).parent == tmp_path / "logs"


def test_report_writes_a_page_and_pictures_or_the_verdict(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    done = CliRunner().invoke(report_cli.command, [str(run)], catch_exceptions=False)
    assert done.output.strip() == str(run / "report.html") and (run / "plots" / "beam-1-gantry-mu.svg").exists()
    verdict = json.loads(CliRunner().invoke(report_cli.command, [str(run), "--json"], catch_exceptions=False).output)
    assert verdict["passed"] is True and verdict["remaining_mu"] == {"1": 0.0}


def test_a_killed_run_can_be_exported_and_its_log_says_what_remains(tmp_path: Path) -> None:
    rows = rows_of(beam_data(arc(), machine(), first_cycle=1000, cut_at=0.5))
    run = write_run(tmp_path / "run", rows, finished=False)
    record = RunRecord.open(run)
    assert record.manifest.beams == (PlannedBeam(1, "CW_arc", 60.0, time_limit_s=30.0),)
    paths = export_cli.export(run, "tlog", tmp_path, "4.0")
    metadata = read_log(paths[0].read_bytes()).metadata
    assert metadata is not None and metadata.remaining_mu == pytest.approx(29.99)
