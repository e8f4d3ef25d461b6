"""A disk that is full, fills up or cannot be written: an inhibit before beam, an interrupt during it, never silence."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linac_ctl.app import Simulation
from linac_ctl.order import resolve
from linac_ctl.outcome import complete_record, create_folder, exit_code
from linac_ctl.records.run_record import RunRecord
from linac_ctl.sequencer.set_up import SetUp
from tests.system.cli import QUICK, inside

MB = 1_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Any]:
    """Makes a small disk of so many bytes; skipped where nobody may mount one."""
    made: list[Path] = []

    def make(size: int) -> Path:
        place = tmp_path / f"disk{len(made)}"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("small disk: mount needs root")
        made.append(place)
        return place

    yield make
    for place in made:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(folder: Path, leave: int) -> Path:
    """A file that takes all space but so many bytes."""
    room = os.statvfs(folder)
    size = room.f_bavail * room.f_frsize - leave
    path = folder / "ballast"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.posix_fallocate(handle, 0, size)
    os.close(handle)
    return path


def test_a_full_disk_refuses_the_run_in_one_line(disk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    place = disk(2 * MB)
    assert inside("run", "palliative", *QUICK, "--out", place / "run") == 5
    out, err = capsys.readouterr()
    assert out == "" and "cannot reserve" in err and "choose another --out" in err and len(err.strip().splitlines()) == 1


def test_too_little_room_for_a_beam_prevents_it_and_the_record_says_so(disk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder = disk(20 * MB) / "run"
    assert inside("run", "palliative", *QUICK, "--out", folder) == 5
    result = RunRecord.open(folder).result
    assert result is not None and result.outcome == "refused" and result.beams[0].true_mu == 0.0
    assert "cannot reserve 40.0 MB" in result.reason and "LOG_FAIL" in result.reason
    assert "REFUSED" in capsys.readouterr().out


class Filled(Simulation):
    """A run whose disk fills up as soon as the beam has given so many MU."""

    when_mu, leave, filled_at = 40.0, 0, 0
    # rows are reserved in chunks of 82 s; with 30 s of set-up, one ends in the middle of this beam

    def look(self) -> None:
        """Once."""
        if not self.filled_at and float(self.plant.beam["true_mu"][0]) >= self.when_mu:
            assert self.record.folder is not None
            fill(self.record.folder.path.parent, self.leave)
            self.filled_at = self.engine.cycle


@pytest.mark.parametrize("leave", [0, 8 * MB])
def test_a_disk_that_fills_up_under_beam_interrupts_it_and_the_record_is_whole(disk: Any, tmp_path: Path, leave: int) -> None:
    place = disk(80 * MB)
    order = resolve("palliative", machine="bench_small", workflow="bench", seed=1, scratch=tmp_path)
    order = replace(order, steps=tuple(SetUp(30.0) if isinstance(step, SetUp) else step for step in order.steps))
    folder, order = create_folder(order, place / "run", started="2026-01-01T00:00:00")
    sim = Filled(order, folder)
    sim.leave = leave
    sim.observers.append((0.01, sim.look))
    sim.run()
    result = complete_record(sim, folder, 1.0, 1.0, report=False)
    assert sim.filled_at
    if leave:  # enough for what was still to be written
        assert result.outcome == "delivered"
        return
    assert result.outcome == "partial" and exit_code(result, sim) == 5
    assert "LOG_LOST" in [trip.id for trip in result.interlocks]
    record = RunRecord.open(place / "run")
    assert record.result is not None and "No space left" in record.result.reason
    assert record.delivered(1) == pytest.approx(result.beams[0].delivered_mu, abs=1e-5)  # both chambers agree
    assert result.beams[0].true_mu == pytest.approx(result.beams[0].delivered_mu, abs=0.1)
    assert len(record.rows()) > 100 and record.events()


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert inside("run", "palliative", *QUICK, "--out", "/proc/linac-ctl-run") == 5
    out, err = capsys.readouterr()
    assert out == "" and len(err.strip().splitlines()) == 1 and "choose another --out" in err
