"""Reading run folders: complete, killed, damaged."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from linac_ctl.errors import RecordError
from linac_ctl.records.manifest import PlannedBeam
from linac_ctl.records.run_record import RunRecord, written
from tests.records.synthetic import arc, manifest, one_beam, plan, write_run


def test_a_finished_run_reads_back_bit_for_bit(tmp_path: Path) -> None:
    rows = one_beam()
    record = RunRecord.open(write_run(tmp_path / "run", rows, chunk=100))  # several chunks
    assert np.array_equal(record.rows().data, rows.data)
    assert record.columns == rows.columns
    assert record.manifest == manifest(PlannedBeam(1, "CW_arc", 60.0, time_limit_s=30.0))
    assert [e.what for e in record.events()] == ["session opened", "BEAM ON", "MLC_LAG tripped"]
    assert record.result is not None and record.result.outcome == "delivered"


def test_the_plan_in_the_folder_is_the_plan(tmp_path: Path) -> None:
    read = RunRecord.open(write_run(tmp_path / "run")).plan()
    assert read.sop_instance_uid == plan().sop_instance_uid and read.groups == plan().groups
    for name in ("cumulative_mu", "gantry_deg", "jaw_mm", "leaf_mm", "couch", "leaf_boundaries_mm"):
        assert np.array_equal(getattr(read.beams[0], name), getattr(arc(), name)), name


def test_what_a_plan_does_not_give_stays_unknown(tmp_path: Path) -> None:
    from dataclasses import replace

    bare = replace(arc(), leaf_mm=None, leaf_boundaries_mm=None, couch=np.full((21, 6), np.nan), isocentre_mm=None)
    beam = RunRecord.open(write_run(tmp_path / "run", the_plan=plan(bare))).plan().beams[0]
    assert beam.leaf_mm is None and beam.isocentre_mm is None and np.isnan(beam.couch).all()


def test_a_killed_run_gives_the_rows_that_were_written_but_the_last(tmp_path: Path) -> None:
    rows = one_beam()
    record = RunRecord.open(write_run(tmp_path / "run", rows, finished=False, chunk=300))
    assert record.result is None
    assert np.array_equal(record.rows().data, rows.data[:-1])  # the last one may be half written


def test_a_run_killed_before_its_first_row_is_readable(tmp_path: Path) -> None:
    record = RunRecord.open(write_run(tmp_path / "run", one_beam().span(0, 0), finished=False))
    assert len(record.rows()) == 0 and record.remaining(1) == 60.0


def test_a_chunk_whose_reservation_was_cut_short_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", finished=False, chunk=300)
    (run / "rows-0002.f32").write_bytes(b"\0" * 10)
    assert len(RunRecord.open(run).rows()) == 339


@pytest.mark.parametrize(
    ("cycles", "phases", "good"),
    [
        ([0, 2, 4], [1, 1, 1], 3),
        ([0, 0, 0], [0, 0, 0], 0),
        ([2, 4, 4], [1, 1, 1], 2),
        ([2, 4, 6], [1, 1, 0], 2),
        ([2, np.nan, 6], [1, 1, 1], 1),
        ([], [], 0),
    ],
)
def test_a_row_counts_while_cycles_rise_and_it_has_a_phase(cycles: list[float], phases: list[int], good: int) -> None:
    assert written(np.array([cycles, phases], np.float32).T) == good


def test_a_finished_run_that_lost_rows_is_damaged(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    data = np.memmap(run / "rows-0000.f32", np.float32, mode="r+")
    data[len(manifest().columns) * 17] = 3.0
    with pytest.raises(RecordError, match="row 17 of 340 is not later than the one before it"):
        RunRecord.open(run).rows()


# --- MU that remain


def journal(run: Path, **fields: float) -> RunRecord:
    from linac_ctl.control.journal import JOURNAL, SLOTS

    book = np.memmap(run / "journal.bin", JOURNAL, mode="r+", shape=(SLOTS,))
    for name, value in fields.items():
        book[name][0] = value
    book.flush()
    return RunRecord.open(run)


@pytest.mark.parametrize(("mu", "left"), [(20.0, 40.0), (0.0, 60.0), (61.0, 0.0)])
def test_remaining_mu_are_counted_from_what_was_given(tmp_path: Path, mu: float, left: float) -> None:
    record = journal(write_run(tmp_path / "run", finished=False), mu=mu, mu_1=1.0, mu_2=2.0, mu_backup=3.0, complete=0)
    assert record.remaining(1) == pytest.approx(left)


def test_a_complete_beam_has_nothing_left_even_if_its_chambers_read_low(tmp_path: Path) -> None:
    assert journal(write_run(tmp_path / "run", finished=False), mu=59.7, complete=1).remaining(1) == 0.0


def test_a_beam_that_was_not_started_has_all_but_its_earlier_mu_left(tmp_path: Path) -> None:
    from linac_ctl.records.folder import RunFolder

    RunFolder.create(tmp_path / "run", manifest(PlannedBeam(4, "boost", 50.0, start_mu=12.5))).close()
    record = RunRecord.open(tmp_path / "run")
    assert record.delivered(4) == 12.5 and record.remaining(4) == 37.5


def test_a_folder_is_no_run_until_it_is_declared(tmp_path: Path) -> None:
    from linac_ctl.records.folder import RunFolder

    folder = RunFolder.create(tmp_path / "run", manifest(PlannedBeam(4, "boost", 50.0)), declared=False)
    with pytest.raises(RecordError, match="not a run folder"):
        RunRecord.open(tmp_path / "run")
    folder.declare()
    folder.close()
    assert RunRecord.open(tmp_path / "run").remaining(4) == 50.0


def test_asking_for_a_beam_that_was_not_in_the_run_names_those_that_were(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no beam 9 in this run; there are: 1"):
        RunRecord.open(write_run(tmp_path / "run")).remaining(9)


KILLED = """
import os, sys, time
import numpy as np
from tests.records.synthetic import event, manifest
from linac_ctl.records.folder import RunFolder
folder = RunFolder.create(sys.argv[1], manifest())
rows = folder.next_rows_chunk(200000)
folder.journal[0] = (1, 1, 0, 0.0, 0.0, 0.0, 0.0, 0)
print("ready", flush=True)
for i in range(200000):
    rows[i, 1] = 8
    rows[i, 8] = i * 0.1
    rows[i, 0] = 2 * i + 2
    entry = folder.journal[0]
    entry["mu"] = entry["mu_1"] = entry["mu_2"] = i * 0.1
    entry["cycle"] = 2 * i + 2
    if i % 50 == 0:
        folder.append(event(2 * i, f"row {i}"))
"""


@pytest.mark.parametrize("after_bytes", [1, 40_000])
def test_a_run_that_is_killed_loses_nothing_that_was_written(tmp_path: Path, root: Path, after_bytes: int) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(run)], stdout=subprocess.PIPE, cwd=root)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    while (run / "events.jsonl").stat().st_size < after_bytes:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    record = RunRecord.open(run)
    rows, entry = record.rows(), record.journal()[0]
    assert abs(entry.mu - len(rows) * 0.1) < 0.35  # the journal may be ahead of the last whole row
    assert len(record.events()) >= len(rows) // 50
    assert record.remaining(1) == max(60.0 - entry.mu, 0.0)


# --- damage


def broken(run: Path, name: str, data: bytes | None) -> None:
    (run / name).unlink() if data is None else (run / name).write_bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("manifest.json", None, r"not a run folder: there is no manifest.json"),
        ("manifest.json", b"{", r"manifest.json: damaged: "),
        ("manifest.json", b'{"format": 99}', r"manifest.json: format 99, this program reads 1"),
        ("manifest.json", b'{"format": 1}', r"manifest.json: damaged: 'columns'"),
        ("journal.bin", None, r"journal.bin: cannot be read: No such file"),
        ("journal.bin", b"123", r"journal.bin: damaged: 3 bytes, expected 4096"),
        ("events.jsonl", b'{"cycle": 1}\n', r"events.jsonl:1: damaged event"),
        ("events.jsonl", b"\xff\xfe\n", r"events.jsonl:1: damaged event"),
        ("result.json", b'{"outcome": "great"}', r"result.json: damaged: outcome: Input should be 'delivered'"),
    ],
)
def test_damage_is_said_with_file_and_reason(tmp_path: Path, name: str, data: bytes | None, says: str) -> None:
    run = write_run(tmp_path / "run")
    broken(run, name, data)
    with pytest.raises(RecordError, match=says):
        RunRecord.open(run)


def test_all_damage_is_said_at_once(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    broken(run, "journal.bin", None)
    broken(run, "events.jsonl", b"?\n")
    with pytest.raises(RecordError, match=r"events.jsonl:1.*; .*journal.bin"):
        RunRecord.open(run)


@pytest.mark.parametrize(("name", "read"), [("plan.json", RunRecord.plan), ("config.json", RunRecord.machine)])
def test_a_damaged_part_is_said_when_it_is_asked_for(tmp_path: Path, name: str, read) -> None:  # type: ignore[no-untyped-def]
    run = write_run(tmp_path / "run")
    data = json.loads((run / name).read_text())
    (run / name).write_text(json.dumps(dict.fromkeys(data)))
    with pytest.raises(RecordError, match=name):
        read(RunRecord.open(run))


def test_a_line_that_was_being_written_when_the_process_died_is_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", finished=False)
    with (run / "events.jsonl").open("ab") as file:
        file.write(b'{"cycle": 99, "t_s"')
    assert len(RunRecord.open(run).events()) == 3


def test_an_empty_folder_is_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="not a run folder"):
        RunRecord.open(tmp_path)
