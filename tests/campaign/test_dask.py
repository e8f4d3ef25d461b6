"""A real Dask scheduler with workers in processes of their own: the same rows, and one clear error for what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from linac_ctl.campaign.dask_engine import DaskEngine
from linac_ctl.campaign.engine import HereEngine
from linac_ctl.campaign.expand import static_cases
from linac_ctl.errors import EngineError
from tests.campaign.worlds import BEFORE_DEATH, CATALOGUE, config, deadly, work

pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
ROOT = Path(__file__).resolve().parents[2]


class Cluster:
    """Processes, and where the scheduler is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.processes = folder, folder / "scheduler.json", []
        self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = self.wait()

    def start(self, what, *options, **environment):
        command = [sys.executable, "-m", f"distributed.cli.{what}", "--scheduler-file", str(self.file), *options]
        self.processes.append(subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                               env=os.environ | {"PYTHONPATH": str(ROOT)} | environment))

    def worker(self, **environment):
        self.start("dask_worker", "--nthreads", "1", "--no-dashboard", "--local-directory", str(self.folder), **environment)

    def wait(self):
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            try:
                return json.loads(self.file.read_text())["address"]
            except (OSError, ValueError):
                time.sleep(0.05)
        raise TimeoutError("no scheduler")

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


@pytest.fixture
def cluster(tmp_path):
    found = Cluster(tmp_path)
    yield found
    found.stop()


def cases(runs):
    return list(static_cases(config(fault_free={"runs": runs}), CATALOGUE))


def test_workers_of_a_scheduler_give_the_rows_that_this_process_gives(cluster):
    cluster.worker()
    cluster.worker()
    batches = [tuple(cases(60)[k:k + 7]) for k in range(0, 60, 7)]
    rows = [row for some in DaskEngine(work, cluster.address, 60.0).map(iter(batches)) for row in some]
    here = [row for some in HereEngine(work).map(iter(batches)) for row in some]
    assert sorted(rows, key=lambda row: row.position) == here and len(here) == 60


def test_a_case_that_kills_workers_is_named_and_the_rest_is_done(cluster, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    environment = {BEFORE_DEATH: str(marks), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    cluster.worker(**environment)  # its nanny starts it again when it dies
    found = [replace(case, seed=666 if case.position == 2 else 1000 + case.seed) for case in cases(6)]
    batches = [tuple(found[:3]), tuple(found[3:])]
    rows = {row.position: row for some in DaskEngine(deadly, cluster.address, 60.0).map(iter(batches)) for row in some}
    assert sorted(rows) == list(range(6))
    assert rows[2].outcome == "crashed" and "died" in rows[2].reason
    assert all(rows[k].outcome == "completed" for k in (0, 1, 3, 4, 5))


def test_a_scheduler_that_is_not_there_is_one_clear_error():
    with pytest.raises(EngineError, match=r"no scheduler at tcp://127\.0\.0\.1:9 within 1 s.*start one with .dask scheduler"):
        DaskEngine(work, "tcp://127.0.0.1:9", 1.0)


def test_a_scheduler_without_workers_is_one_clear_error(cluster):
    with pytest.raises(EngineError, match=r"has no workers after 1 s; start some with .dask worker"):
        DaskEngine(work, cluster.address, 1.0)


def test_a_worker_of_other_code_is_refused(cluster, tmp_path):
    other = tmp_path / "other"
    for package in ("linac_ctl", "device_models"):
        shutil.copytree(ROOT / package, other / package, ignore=shutil.ignore_patterns("__pycache__"))
    (other / "linac_ctl" / "errors.py").open("a").write("\n# another release\n")
    cluster.worker(PYTHONPATH=str(other))
    with pytest.raises(EngineError, match=r"has code .*, this is .*; install the same wheel on all of them"):
        DaskEngine(work, cluster.address, 60.0)


def test_a_worker_without_us_is_refused(cluster, tmp_path):
    cluster.worker(PYTHONPATH=str(tmp_path / "nothing"), PYTHONNOUSERSITE="1", PYTHONSAFEPATH="1")
    with pytest.raises(EngineError, match=r"cannot import this linac-ctl|has code"):
        DaskEngine(work, cluster.address, 60.0)
