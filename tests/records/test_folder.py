"""Writing a run folder: what is on record stays on record, and a full disk is said, never lost."""

import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from linac_ctl.errors import RecordError
from linac_ctl.records.events import EventLog, read_events
from linac_ctl.records.folder import RESERVE_FILE, RunFolder
from linac_ctl.records.space import probe_space
from tests.records.synthetic import event, manifest


@pytest.fixture
def small_files():
    """A limit on file size: what the kernel says then is what it says when a disk is full, but for the number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_cannot_be_made_is_refused_at_create(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match=r"file/run: cannot be made: Not a directory; choose another --out"):
        RunFolder.create(tmp_path / "file" / "run", manifest())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_refused_at_create(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RecordError, match="Permission denied"):
        RunFolder.create(tmp_path / "run", manifest())


def test_a_folder_that_holds_a_run_is_not_written_again(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", manifest()).close()
    with pytest.raises(RecordError, match="already holds a run"):
        RunFolder.create(tmp_path / "run", manifest())


def test_rows_have_real_blocks_behind_them_before_they_are_written(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", manifest())
    chunk = folder.next_rows_chunk(1000)
    size = os.stat(folder.path / "rows-0000.f32")
    assert chunk.shape == (1000, len(folder.manifest.columns)) and not chunk.any()
    assert size.st_size == chunk.nbytes
    assert size.st_blocks * 512 >= chunk.nbytes  # not a sparse file: no SIGBUS later


def test_no_room_for_rows_is_an_error_with_a_size_and_frees_the_reserve(tmp_path: Path, small_files: None) -> None:
    folder = RunFolder.create(tmp_path / "run", manifest())
    with pytest.raises(RecordError, match=r"rows-0000.f32: cannot reserve 111\.3 MB: File too large; free space"):
        folder.next_rows_chunk(98_000)
    assert folder.space_low
    assert not (folder.path / RESERVE_FILE).exists() and not (folder.path / "rows-0000.f32").exists()


def test_probing_for_space_says_how_much_is_missing_and_leaves_nothing(tmp_path: Path, small_files: None) -> None:
    probe_space(tmp_path, 1_000_000)
    with pytest.raises(RecordError, match=f"^{tmp_path}: cannot reserve 6.0 MB"):  # no number of a process: events are equal bytes
        probe_space(tmp_path, 6_000_000)
    assert list(tmp_path.iterdir()) == []


def test_finishing_cuts_the_last_chunk_to_its_rows(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", manifest())
    for _ in range(3):
        folder.next_rows_chunk(10)
    folder.finish_rows(15)
    width = 4 * len(folder.manifest.columns)
    assert [(folder.path / f"rows-000{i}.f32").stat().st_size // width for i in range(3)] == [10, 5, 0]


@pytest.mark.parametrize("rows", [-1, 31])
def test_more_rows_than_there_was_room_for_cannot_be_finished(tmp_path: Path, rows: int) -> None:
    folder = RunFolder.create(tmp_path / "run", manifest())
    folder.next_rows_chunk(30)
    with pytest.raises(RecordError, match="room for 30"):
        folder.finish_rows(rows)


def test_an_event_is_on_record_the_moment_it_is_appended(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    line = log.append(event(12, "DOOR open", why="opened by hand", old=1.0, new=float("nan")))
    assert (tmp_path / "events.jsonl").read_bytes() == line
    assert read_events(tmp_path / "events.jsonl")[0].new is None  # not a number is not JSON


def test_an_event_that_a_full_disk_refuses_is_an_error_that_names_it() -> None:
    log = EventLog(Path("/dev/full"))
    with pytest.raises(RecordError, match=r"event 'BEAM ON' of cycle 7 is not on record: No space left on device"):
        log.append(event(7))


def test_an_event_gets_the_reserve_when_the_disk_is_full(tmp_path: Path) -> None:
    class OnceFull(EventLog):
        """A log whose first write meets a full disk, half way through the line."""

        full = True

        def _write(self, line: bytes) -> None:
            if self.full:
                self.full = False
                raise OSError(errno.ENOSPC, "No space left on device")
            super()._write(line)

    folder = RunFolder.create(tmp_path / "run", manifest())
    folder.events.close()
    folder.events = OnceFull(folder.path / "events.jsonl", folder._give_reserve)
    folder.append(event(9, "the disk is full"))
    assert folder.space_low and not (folder.path / RESERVE_FILE).exists()
    assert [e.what for e in read_events(folder.path / "events.jsonl")] == ["the disk is full"]


def test_a_torn_line_is_taken_back(tmp_path: Path, small_files: None) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 4_999_990 + b"\n")  # 9 bytes left under the limit
    log = EventLog(path)
    with pytest.raises(RecordError, match="File too large"):
        log.append(event(1))
    assert path.stat().st_size == 4_999_991


def test_closing_gives_the_reserve_back_without_calling_the_disk_full(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", manifest())
    assert (folder.path / RESERVE_FILE).stat().st_size >= 1_000_000
    folder.close()
    assert not (folder.path / RESERVE_FILE).exists() and not folder.space_low


def test_latches_are_replaced_in_one_step(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", manifest())
    folder.write_latches({"MU_DIS": {"cycle": 5, "value": np.float64(2.5)}})
    folder.write_latches({})
    assert (folder.path / "latches.json").read_text() == "{}\n"
    assert not list(folder.path.glob("*.part"))
