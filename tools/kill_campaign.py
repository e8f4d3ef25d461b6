"""Kill runs at random moments, read what they left, deliver what is left, and compare with the truth.

    python tools/kill_campaign.py 200            # 200 runs of the command line, each in a process of its own
    python tools/kill_campaign.py 20 --fork      # quicker: children of this process

The truth of a killed run is known because a run is a function of its order: the same order runs once more, undisturbed,
and what had left the machine by the cycle of the last journal entry is looked up there.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from linac_ctl.control.journal import JOURNAL, SLOTS  # noqa: E402
from linac_ctl.errors import LinacError  # noqa: E402
from linac_ctl.records.run_record import RunRecord  # noqa: E402

TEN_CYCLES_S = 0.1  # of dose: the promise of the record
OWN_NOISE_MU = 0.1  # half a pulse and chamber noise


@dataclass(frozen=True)
class Setup:
    """What is run, and how fast; `seeds` differ in their noise only."""

    session: str = "spine_sbrt"
    machine: str = "c_arm_hd120"
    workflow: str = "bench"
    speed: str = "40"
    wall_s: tuple[float, float] = (1.2, 5.4)  # part of the session at that speed in which runs are killed
    seeds: int = 4
    by_dose: bool = False  # kill at a random dose instead of at a random moment


@dataclass(frozen=True)
class Finding:
    """One killed run."""

    number: int
    seed: int
    after_s: float
    state: str  # "before the record", "nothing given", "in a beam", "all complete"
    cycle: int  # of the last journal entry
    record_error_mu: float  # largest |journal - truth at that cycle|, over beams
    allowed_mu: float  # what 100 ms of dose are
    rows_behind: int  # cycles between the last row and the last journal entry
    total_error_mu: float  # largest |true total - prescription - what the record counted too much|, over beams
    under_mu: float  # by how much the truth stays below the prescription, because of what the record counted
    problem: str  # empty when all is well


@cache
def truth(setup: Setup, seed: int) -> tuple[dict[int, float], dict[int, np.ndarray]]:
    """(beam -> prescribed MU, beam -> (cycles,) true MU given up to each cycle) of the undisturbed run."""
    from linac_ctl.app import Simulation
    from linac_ctl.order import resolve

    with tempfile.TemporaryDirectory() as scratch:
        order = resolve(setup.session, machine=setup.machine, workflow=setup.workflow, seed=seed, scratch=Path(scratch))
        sim = Simulation(order)
        given = {beam.number: [0.0] for beam in order.plan.fraction(order.group)}

        def look() -> None:
            now = sim.true_mu()
            for number, track in given.items():
                track += [now.get(number, 0.0)] * (sim.engine.cycle - len(track) + 1)

        sim.observers.append((0.01, look))
        sim.run()
    if sim.error is not None:
        raise SystemExit(f"the undisturbed run failed: {sim.error}")
    return {b.number: b.mu for b in order.plan.fraction(order.group)}, {n: np.array(t) for n, t in given.items()}


def arguments(setup: Setup, seed: int, folder: Path) -> list[str]:
    """Of the run that will be killed."""
    return ["run", setup.session, "--machine", setup.machine, "--workflow", setup.workflow, "--seed", str(seed),
            "--speed", setup.speed, "--no-report", "--json", "--out", str(folder)]


class Process:
    """The command line in a process of its own."""

    def __init__(self, words: list[str], answer: Path) -> None:
        with answer.open("wb") as out:
            self.child = subprocess.Popen([sys.executable, "-m", "linac_ctl", *words], stdout=out, stderr=out, cwd=ROOT)

    def wait(self) -> int:
        """-> exit code."""
        return self.child.wait(300)

    def kill(self) -> None:
        """No warning."""
        self.child.kill()
        self.child.wait()


class Fork(Process):
    """The same, as a child of this process: everything is imported and compiled already."""

    def __init__(self, words: list[str], answer: Path) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            code = 70
            try:
                handle = os.open(answer, os.O_WRONLY | os.O_CREAT)
                os.dup2(handle, 1)
                os.dup2(handle, 2)
                from linac_ctl.cli.main import main

                sys.stdout = os.fdopen(1, "w")
                code = main(words)
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                sys.stdout.flush()
                os._exit(code)

    def wait(self) -> int:
        """-> exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        """No warning."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def killed_run(setup: Setup, number: int, dice: random.Random, work: Path, spawn: Callable[[list[str], Path], Process]) -> Finding:
    """One run, killed at a random moment after its record was begun, then resumed."""
    seed, after_s, folder = 1 + number % setup.seeds, dice.uniform(*setup.wall_s), work / f"run{number}"
    process = spawn(arguments(setup, seed, folder), work / f"run{number}.out")
    begin = time.monotonic()
    while not (folder / "manifest.json").exists() and time.monotonic() < begin + 120:
        time.sleep(0.005)
    if setup.by_dose:
        wait_for_dose(folder, dice.uniform(0.0, 0.9 * sum(truth(setup, seed)[0].values())))
    else:
        time.sleep(after_s)
    process.kill()
    try:
        return judged(setup, number, seed, after_s, folder, work, spawn)
    except LinacError as error:
        begun = (folder / "plan.dcm").exists() and (folder / "journal.bin").exists()
        return Finding(number, seed, after_s, "before the record", 0, 0.0, 0.0, 0, 0.0, 0.0, str(error) if begun else "")


def wait_for_dose(folder: Path, mu: float) -> None:
    """Until the journal shows so many MU, all beams together; a run that never gets there is not waited for."""
    end = time.monotonic() + 60
    while time.monotonic() < end and not (folder / "result.json").exists():
        data = (folder / "journal.bin").read_bytes() if (folder / "journal.bin").exists() else b""
        if len(data) == SLOTS * JOURNAL.itemsize and np.frombuffer(data, JOURNAL)["mu"].sum() >= mu:
            return
        time.sleep(0.001)


def judged(setup: Setup, number: int, seed: int, after_s: float, folder: Path, work: Path,
           spawn: Callable[[list[str], Path], Process]) -> Finding:
    """Read the record, compare it with the truth, resume, compare the sum with the prescription."""
    prescribed, given = truth(setup, seed)
    record = RunRecord.open(folder)
    rows, entries = record.rows(), record.journal()
    cycle = max((e.cycle for e in entries), default=0)
    last_row = int(rows["cycle"][-1]) if len(rows) else 0
    true_mu = {n: float(track[min(cycle, len(track) - 1)]) for n, track in given.items()}
    wrong = max((abs(e.mu_1 - true_mu[e.beam]) for e in entries), default=0.0)
    rate = max(float(np.diff(track).max()) for track in given.values()) / 0.01
    complete = [e for e in entries if e.complete]
    state = "nothing given" if not any(true_mu.values()) else "all complete" if len(complete) == len(prescribed) else "in a beam"
    problems = [] if wrong <= rate * TEN_CYCLES_S else [f"journal is {wrong:.3f} MU off the truth"]
    if entries and rows and last_row > cycle + 2 and state == "in a beam":
        problems += [] if float(rows["permit"][-1]) == 0 else [f"journal ends {last_row - cycle} cycles before the last row"]
    counted = {n: record.delivered(n) for n in prescribed}
    total, under, more = resumed(prescribed, true_mu, counted, state, number, folder, work, spawn)
    return Finding(number, seed, round(after_s, 3), state, cycle, round(wrong, 4), round(rate * TEN_CYCLES_S, 3),
                   max(cycle - last_row, 0), round(total, 4), round(under, 3), "; ".join(problems + more))


def resumed(prescribed: dict[int, float], true_mu: dict[int, float], counted: dict[int, float], state: str, number: int,
            folder: Path, work: Path, spawn: Callable[[list[str], Path], Process]) -> tuple[float, float, list[str]]:
    """(largest unexplained difference of the true total, largest dose not given, what is wrong)."""
    again = work / f"run{number}b"
    answer = work / f"run{number}b.out"
    code = spawn(["run", "--resume", str(folder), "--out", str(again), "--no-report", "--json"], answer).wait()
    if state == "all complete":
        return 0.0, 0.0, [] if code == 1 and not again.exists() else [f"a complete run was resumed, exit code {code}"]
    if code != 0:
        return 0.0, 0.0, [f"resume: exit code {code}: {answer.read_text()[-400:]}"]
    result = json.loads((again / "result.json").read_text())
    differences, under, problems = [], [0.0], []
    for beam in result["beams"]:
        n = beam["number"]
        total = true_mu[n] + beam["true_mu"] - beam["start_mu"]
        finished = counted[n] >= prescribed[n] - OWN_NOISE_MU  # before the kill: its second chamber changes nothing any more
        differences.append(total - prescribed[n] + (0.0 if finished else counted[n] - true_mu[n]))
        under.append(prescribed[n] - total)
        if not abs(differences[-1]) <= OWN_NOISE_MU:
            problems.append(f"beam {n}: {total:.3f} of {prescribed[n]:.3f} MU in truth")
        if abs(max(beam["delivered_mu"], counted[n]) - prescribed[n]) > OWN_NOISE_MU and not finished:
            problems.append(f"beam {n}: {beam['delivered_mu']:.3f} of {prescribed[n]:.3f} MU on record")
    return max(differences, key=abs), max(under), problems


def campaign(setup: Setup, runs: int, *, seed: int = 1, fork: bool = False,
             show: Callable[[str], object] = lambda text: None) -> list[Finding]:
    """`runs` killed and resumed runs."""
    dice, found = random.Random(seed), []
    for kind in range(1, setup.seeds + 1):
        truth(setup, kind)
    with tempfile.TemporaryDirectory(prefix="kills-") as work:
        for number in range(runs):
            found.append(killed_run(setup, number, dice, Path(work), Fork if fork else Process))
            show(json.dumps(asdict(found[-1])))
            subprocess.run(["rm", "-rf", *[str(p) for p in Path(work).glob(f"run{number}*")]], check=False)
    return found


def summary(found: list[Finding]) -> str:
    """For people."""
    states = {s: sum(f.state == s for f in found) for s in ("before the record", "nothing given", "in a beam", "all complete")}
    beams = [f for f in found if f.state == "in a beam"]
    lines = [f"{len(found)} runs killed: " + ", ".join(f"{n} {s}" for s, n in states.items())]
    if beams:
        wrong, total = [f.record_error_mu for f in beams], [f.total_error_mu for f in beams]
        lines += [f"journal against truth: median {np.median(wrong):.3f}, largest {max(wrong):.3f} MU "
                  f"(100 ms of dose are {beams[0].allowed_mu:.2f} MU)",
                  f"true total after resume, lost or doubled: {min(total):+.3f} .. {max(total):+.3f} MU",
                  f"not given because of what the record counted: up to {max(f.under_mu for f in beams):.3f} MU"]
    bad = [f for f in found if f.problem]
    return "\n".join([*lines, f"{len(bad)} problems", *(f"  run {f.number}: {f.problem}" for f in bad)])


def main() -> int:
    """See the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=int)
    parser.add_argument("--fork", action="store_true", help="children of this process instead of the command line")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    given = parser.parse_args()
    found = campaign(Setup(), given.runs, seed=given.seed, fork=given.fork, show=lambda text: print(text, flush=True))  # noqa: T201
    print(summary(found))  # noqa: T201
    return 1 if any(f.problem for f in found) else 0


if __name__ == "__main__":
    sys.exit(main())
