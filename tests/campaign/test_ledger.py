"""Killed at any instant, a campaign goes on and ends with the same table; nobody else may write; nothing is lost on a full disk."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linac_ctl.campaign.conduct import Campaign, carry_out
from linac_ctl.campaign.engine import HereEngine, PoolEngine
from linac_ctl.campaign.ledger import FILE, Ledger, read, read_rows
from linac_ctl.campaign.runner import kept
from linac_ctl.errors import LedgerError, RecordError
from tests.campaign.worlds import CATALOGUE, config, row_of, work

PARTS = {"repeat": 0.1, "fault_free": {"runs": 40}, "grid": {}, "guided": {"generations": 4, "runs": 12}}
SCRIPT = """
import os, signal, sys
from pathlib import Path
from linac_ctl.campaign import ledger as book
from tests.campaign.test_ledger import *
folder, processes, where, left = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], [int(sys.argv[4])]
def die(here):
    left[0] -= here == where
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
class Dying(book._Kept):
    def __exit__(self, *exc):
        die("before the commit")
        super().__exit__(*exc)
book.Ledger.kept = lambda ledger: Dying(ledger)
def told(rows):
    print("row", flush=True)
    die("after a row")
try:
    ledger = Ledger.resume(folder)
except LedgerError:
    ledger = Ledger.create(folder, {})
engine = PoolEngine(work, processes, "t") if processes else HereEngine(work)
carry_out(Campaign(config(**PARTS), CATALOGUE), ledger, lambda: engine, told)
"""
NEVER = ("never", 0)
INSTANTS = (("before the commit", 0), ("before the commit", 1), ("after a row", 2), ("before the commit", 3), ("after a row", 0))


def table(folder):
    data = read(folder)
    rows = [row.stable() for row in read_rows(data)]
    data.close()
    return rows


def whole(folder):
    with Ledger.create(folder, {}) as ledger:
        carry_out(Campaign(config(**PARTS), CATALOGUE), ledger, lambda: HereEngine(work), lambda rows: None)
    return table(folder)


def start(folder, processes, where, count):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), str(processes), where, str(count)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": "."})


@pytest.mark.parametrize("processes", [0, 2])
def test_killed_at_several_instants_it_ends_with_the_same_table(tmp_path, processes):
    expected = whole(tmp_path / "whole")
    folder = tmp_path / "killed"
    for instant in INSTANTS:
        with start(folder, processes, *instant) as process:
            process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
    assert 0 < len(table(folder)) < len(expected)
    with start(folder, processes, *NEVER) as process:
        process.communicate(timeout=120)
    assert process.returncode == 0 and table(folder) == expected


def test_workers_of_a_killed_campaign_die_with_it(tmp_path):
    with start(tmp_path, 2, *NEVER) as process:
        for line in process.stdout:
            if line.startswith("row"):
                break
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30.0
    while any(alive(child) for child in children):
        assert time.monotonic() < deadline, f"still there: {children}"
        time.sleep(0.05)
    assert len(children) >= 2


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_second_campaign_on_one_ledger_is_refused(tmp_path):
    with Ledger.create(tmp_path, {}), pytest.raises(LedgerError, match="another process is at work"):
        Ledger.resume(tmp_path)
    Ledger.resume(tmp_path).close()


def test_a_ledger_that_is_there_is_not_begun_again(tmp_path):
    Ledger.create(tmp_path, {}).close()
    with pytest.raises(LedgerError, match="campaign resume"):
        Ledger.create(tmp_path, {})


def test_a_ledger_of_other_code_can_be_read_but_not_gone_on_with(tmp_path):
    with Ledger.create(tmp_path, {}) as ledger:
        ledger.add([row_of(case) for case in list(Campaign(config(fault_free={"runs": 2}), CATALOGUE).fixed())])
        ledger.note("code_version", "0.1.0+000000000000")
    with pytest.raises(LedgerError, match=r"made by code 0\.1\.0\+000000000000, this is .*campaign report"):
        Ledger.resume(tmp_path)
    assert len(table(tmp_path)) == 2


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be one" * 20])
def test_a_file_that_is_no_ledger_is_named(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite|holds no campaign"):
        Ledger.resume(tmp_path)


def test_a_folder_without_a_campaign_is_named(tmp_path):
    with pytest.raises(LedgerError, match="holds no campaign"):
        Ledger.resume(tmp_path / "nowhere")


def test_on_a_full_disk_one_clear_error_and_every_row_before_it_is_kept(tmp_path):
    rows = [row_of(case) for case in Campaign(config(fault_free={"runs": 4000}), CATALOGUE).fixed()]
    with Ledger.create(tmp_path, {}) as ledger:
        ledger.add(rows[:10])
        ledger.data.execute("pragma max_page_count = 40")  # sqlite's own way to run out of space
        with pytest.raises(RecordError, match=r"full; every run before this one is kept\..* campaign resume"):
            ledger.add(rows[10:])
        ledger.data.execute("pragma max_page_count = 1000000")
        ledger.add(rows[10:20])
    assert [row["case_id"] for row in table(tmp_path)] == [row.case_id for row in rows[:20]]


@pytest.mark.parametrize("processes", [0, 2])
def test_a_campaign_that_meets_a_full_disk_ends_with_one_error_and_is_gone_on_with_to_the_same_table(tmp_path, processes):
    expected = whole(tmp_path / "whole")
    campaign = Campaign(config(**PARTS), CATALOGUE)

    def engine():
        return PoolEngine(work, processes, "t") if processes else HereEngine(work)

    with Ledger.create(tmp_path / "full", {}) as ledger:
        ledger.data.execute("pragma max_page_count = 12")
        with pytest.raises(RecordError, match=r"full; every run before this one is kept\..* campaign resume"):
            carry_out(campaign, ledger, engine, lambda rows: None)
    assert 0 < len(table(tmp_path / "full")) < len(expected)
    with Ledger.resume(tmp_path / "full") as ledger:
        carry_out(campaign, ledger, engine, lambda rows: None)
    assert table(tmp_path / "full") == expected


@pytest.mark.parametrize("processes", [0, 2])
def test_a_worker_without_room_ends_the_campaign_and_leaves_no_row_that_says_the_machine_is_at_fault(tmp_path, processes):
    engine = PoolEngine(without_room, processes, "t") if processes else HereEngine(without_room)
    with Ledger.create(tmp_path, {}) as ledger, pytest.raises(RecordError, match=r"/scratch: No space left .*campaign resume"):
        carry_out(Campaign(config(fault_free={"runs": 20}), CATALOGUE), ledger, lambda: engine, lambda rows: None)
    assert all(row["verdict"] != "crashed" and row["seed"] < 7 for row in table(tmp_path))


def without_room(batch):
    """The disk of the workers is full from seed 7 on."""
    def run(case):
        if case.seed >= 7:
            raise OSError(errno.ENOSPC, "No space left on device", "/scratch")
        return row_of(case)

    return [kept(lambda case=case: run(case), case) for case in batch]


def test_a_row_comes_back_as_it_was(tmp_path):
    row = row_of(next(Campaign(config(grid={}), CATALOGUE).fixed()), violated=("SI-05",), mu_after_eff=0.25, first_out="MLC_POS")
    with Ledger.create(tmp_path, {"campaign": "x"}) as ledger:
        ledger.add([row])
        assert list(ledger.rows()) == [row] and ledger.asked() == {"campaign": "x"}


def test_a_search_learns_the_same_from_processes_as_from_one(tmp_path):
    expected = whole(tmp_path / "one")
    with Ledger.create(tmp_path / "two", {}) as ledger:
        carry_out(Campaign(config(**PARTS), CATALOGUE), ledger, lambda: PoolEngine(work, 2, "t"), lambda rows: None)
    assert table(tmp_path / "two") == expected
    assert sum(row["part"] == "guided" for row in expected) == 48
