"""Take a device away from sessions at random instants, and look at what the machine did and what is on record.

    python tools/pull_the_plug.py 100                                    # three ways in turns, every tenth run in real time
    python tools/pull_the_plug.py 10 --session box --machine c_arm_m120
    python tools/pull_the_plug.py 5 --free 5                             # in real time, the device's clock its own

The couch is `devices serve couch --pty`, in a process of its own. Its end is a kill without warning, a stop request (it hangs
up in good order), or a stop for ever (it keeps the line and says nothing). The session is that of `run --link`, in one more
process; it waits until the device is really gone, so that the cycle of its end is known.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from linac_ctl.errors import LinacError  # noqa: E402
from linac_ctl.records.events import Event  # noqa: E402
from linac_ctl.records.result import Result  # noqa: E402
from linac_ctl.records.run_record import RunRecord  # noqa: E402

WAYS = {"killed": signal.SIGKILL, "hung up": signal.SIGTERM, "frozen": signal.SIGSTOP}
OFF_CYCLES = 10  # 100 ms without news: everything stops
HOLD_CYCLES = 3  # 30 ms: the beam waits
NOTICED_CYCLES = 2  # a line that is gone is seen in the next cycle; one more to act
RECORD_ERROR_MU = 0.2  # record against truth: chamber noise
PATIENCE_S = 300.0  # of ours, for a session: beyond it hangs
READY_S = 60.0  # for a device to offer its port


@dataclass(frozen=True)
class Setup:
    """What is run; the instant is drawn from `moments_s` of machine time."""

    session: str = "palliative"
    machine: str = "bench_small"
    workflow: str = "bench"
    moments_s: tuple[float, float] = (0.1, 80.0)


@dataclass(frozen=True)
class Pull:
    """One order to pull."""

    number: int
    way: str
    cycle: int
    free: bool  # the device's clock is its own, and the session is in real time


@dataclass(frozen=True)
class Finding:
    """One session that lost its couch."""

    number: int
    way: str
    clock: str
    state: str  # "in a beam", "between", "after", "early": the session stopped for another reason before
    pulled_cycle: int
    first_out: str  # row of the table
    noticed_ms: float  # from the end of the device to the trip
    beam_off_ms: float  # to the last pulse; 0 = none after it
    record_error_mu: float  # largest |record - truth|
    exit_code: int
    spent_s: float
    problem: str  # empty when all is well


class Device:
    """`devices serve couch` as a child of this process, whose end can be waited for."""

    def __init__(self, machine: str, folder: Path) -> None:
        self.place = folder / "couch"
        self.pid = forked(["devices", "serve", "couch", "--pty", str(folder), "--machine", machine], folder.with_suffix(".out"))
        until_s = time.monotonic() + READY_S
        while not self.place.is_symlink() and time.monotonic() < until_s:
            time.sleep(0.005)

    def end(self, way: str) -> None:
        """Returns when it is gone, or stands still."""
        os.kill(self.pid, WAYS[way])
        os.waitpid(self.pid, os.WUNTRACED)
        self.pid = 0 if way != "frozen" else self.pid

    def clear(self) -> None:
        """Nothing of it is left."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class Puller:
    """Watches a session from its own process, and ends the device in the cycle asked for."""

    def __init__(self, pull: Pull, device: Device, answer: Path) -> None:
        self.pull, self.device, self.answer = pull, device, answer
        self.pulled_cycle, self.last_pulse_cycle, self.in_beam = 0, 0, False

    @contextmanager
    def attached(self, sim: Any) -> Iterator[None]:
        """As telemetry is attached."""
        sim.observers.append((0.01, lambda: self.look(sim)))
        yield
        told = {"pulled_cycle": self.pulled_cycle, "last_pulse_cycle": self.last_pulse_cycle, "in_beam": self.in_beam}
        self.answer.write_text(json.dumps(told))

    def look(self, sim: Any) -> None:
        """After every cycle."""
        cycle, pulses = sim.engine.cycle, int(sim.plant.beam["pulses_now"][0])
        if pulses > 0:
            self.last_pulse_cycle = cycle
        if not self.pulled_cycle and cycle >= self.pull.cycle:
            self.device.end(self.pull.way)
            self.pulled_cycle, self.in_beam = cycle, pulses > 0
        if self.pulled_cycle and cycle == self.pulled_cycle + 100 and self.pull.free:
            sim.set_speed(None)  # what had to happen in real time has happened; nobody waits two minutes for the staff


def forked(words: list[str], out: Path, then: Callable[[], int] | None = None) -> int:
    """-> process that runs the command line (or `then`): all is imported and compiled in it already."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        from linac_ctl.cli.main import main

        code = then() if then else main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException as error:  # the process ends here, and says why
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def session(setup: Setup, pull: Pull, folder: Path) -> int:
    """As `run --link` does it; -> exit code."""
    from device_models.interface.wire.fields import UNITS
    from linac_ctl.cli.run import carry_out, prepare_order
    from linac_ctl.links.url import parse_link

    os.setpgid(0, 0)
    device = Device(setup.machine, folder.with_name(folder.name + ".ports"))
    try:
        name, url = parse_link(f"couch=serial://{device.place}{'?lockstep=off' if pull.free else ''}", UNITS)
        order, start = prepare_order(setup.session, None, setup.machine, setup.workflow, 1 + pull.number, None, folder.parent,
                                     None, {name: url})
        puller: Any = Puller(pull, device, folder.with_suffix(".json"))
        return carry_out(order, start, folder, 1.0 if pull.free else None, None, False, True, telemetry=puller)
    except LinacError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    finally:
        device.clear()


def waited(pid: int, patience_s: float) -> int | None:
    """Exit code, or None for a session that hangs; it is gone then."""
    until_s = time.monotonic() + patience_s
    while time.monotonic() < until_s:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def pulled(setup: Setup, pull: Pull, work: Path) -> Finding:
    """One session."""
    folder, begin_s = work / f"run{pull.number}", time.monotonic()
    out = folder.with_suffix(".out")
    code = waited(forked([], out, lambda: session(setup, pull, folder)), PATIENCE_S)
    spent_s = round(time.monotonic() - begin_s, 1)
    clock = "free" if pull.free else "lockstep"
    answer = folder.with_suffix(".json")
    if code is None or not answer.exists() or not (folder / "result.json").exists():
        what = f"hangs: nothing after {PATIENCE_S:g} s" if code is None else "no result.json"
        return Finding(pull.number, pull.way, clock, "lost", pull.cycle, "", 0.0, 0.0, 0.0, code or 0, spent_s,
                       f"{what}; {out.read_text()[-300:]}")
    told = json.loads(answer.read_text())
    try:
        record = RunRecord.open(folder)
        return judged(pull, record, told, code, spent_s)
    except LinacError as error:
        return Finding(pull.number, pull.way, clock, "lost", pull.cycle, "", 0.0, 0.0, 0.0, code, spent_s, f"record: {error}")


def judged(pull: Pull, record: RunRecord, told: dict[str, Any], code: int, spent_s: float) -> Finding:
    """What the machine did, and what is on record of it."""
    result = record.result
    assert result is not None
    begin, rows = int(told["pulled_cycle"]), record.rows()
    before = [t for t in result.interlocks if t.kind != "inhibit" and (not begin or t.cycle <= begin)]
    after = [t for t in result.interlocks if t.kind != "inhibit" and t.cycle > begin]
    state = "early" if before else "in a beam" if told["in_beam"] else "after" if result.outcome == "delivered" else "between"
    first = next((t for t in after if t.first_out), None)
    noticed = first.cycle - begin if first else 0
    off = max(int(told["last_pulse_cycle"]) - begin, 0)
    wrong = max(abs(beam.delivered_mu - beam.true_mu) for beam in result.beams)
    problems = [*record_problems(record, result, rows, wrong), *code_problems(result, code)]
    if state != "early":
        problems += stop_problems(pull, record, told["in_beam"], state, first.id if first else "", noticed, off)
    return Finding(pull.number, pull.way, "free" if pull.free else "lockstep", state, begin, first.id if first else "",
                   noticed * 10.0, off * 10.0, round(wrong, 4), code, spent_s, "; ".join(problems))


def record_problems(record: RunRecord, result: Result, rows: Any, wrong_mu: float) -> Iterator[str]:
    """A record that is not all there."""
    if len(rows) == 0 or int(rows["cycle"][-1]) < result.cycles - record.manifest.row_every:
        yield f"rows end {result.cycles - (int(rows['cycle'][-1]) if len(rows) else 0)} cycles early"
    if wrong_mu > RECORD_ERROR_MU:
        yield f"record is {wrong_mu:.3f} MU off the truth"
    if record.latches() is None:
        yield "no latches on record"
    if missing := [path for path in result.files.values() if not (record.path / path).exists()]:
        yield f"files of the result that are not there: {', '.join(missing)}"
    if not record.events() or not any(event_of_end(event) for event in record.events()):
        yield "the end of the session is not among its events"


def event_of_end(event: Event) -> bool:
    """Either of the last words of a session."""
    return event.what in ("session ended", "close session")


def code_problems(result: Result, code: int) -> Iterator[str]:
    """An exit code that says something else than the result."""
    if code != 0 if result.outcome == "delivered" else code not in (1, 4):
        yield f"exit code {code} of a session that is {result.outcome}"
    if result.outcome != "delivered" and not result.reason:
        yield "no reason on record"


def stop_problems(pull: Pull, record: RunRecord, in_beam: bool, state: str, first: str, noticed: int, off: int) -> Iterator[str]:
    """A stop that is late, missing or by another name."""
    latches, frozen = record.latches() or {}, pull.way == "frozen"
    wanted = ("LINK_LOST", "DATA_STALE", "LINK_OUT") if frozen else ("LINK_DOWN",)  # the first two hold, a cycle apart
    if first not in wanted:
        yield f"first out is {first or 'nothing'}, not {' or '.join(wanted)}"
    if not any(latch in latches for latch in (("LINK_OUT",) if frozen else ("LINK_DOWN",))):
        yield f"not latched: {', '.join(latches) or 'nothing'}"
    if noticed > (OFF_CYCLES + NOTICED_CYCLES if frozen else NOTICED_CYCLES):
        yield f"noticed after {noticed * 10} ms"
    if off > (HOLD_CYCLES + NOTICED_CYCLES if frozen and in_beam else OFF_CYCLES):
        yield f"last pulse {off * 10} ms after the device was gone"
    link = record.result.links[0] if record.result and record.result.links else None
    if link is None or (not frozen and (link.up or not link.why)) or link.longest_silence_ms < 100:
        yield f"the link's own account is wrong: {link}"
    if state == "after" and record.result and record.result.outcome != "delivered":
        yield "after the last beam, and not delivered"


def orders(setup: Setup, runs: int, seed: int, free: int) -> list[Pull]:
    """Ways in turns, instants from a seed; the last `free` in real time."""
    dice = random.Random(seed)
    cycles = [round(100 * dice.uniform(*setup.moments_s)) for _ in range(runs)]
    return [Pull(n, tuple(WAYS)[n % len(WAYS)], cycle, n >= runs - free) for n, cycle in enumerate(cycles)]


def campaign(setup: Setup, runs: int, *, seed: int = 1, free: int = 0,
             show: Callable[[str], object] = lambda text: None) -> list[Finding]:
    """`runs` sessions, one after the other."""
    found = []
    compile_all(setup)
    with tempfile.TemporaryDirectory(prefix="plugs-") as work:
        for pull in orders(setup, runs, seed, free):
            found.append(pulled(setup, pull, Path(work)))
            show(json.dumps(asdict(found[-1])))
    return found


def compile_all(setup: Setup) -> None:
    """Load the machine code once, here: the children of this process have it."""
    from linac_ctl.app import Simulation
    from linac_ctl.links.url import parse_url
    from linac_ctl.order import resolve

    with tempfile.TemporaryDirectory() as scratch:
        order = resolve(setup.session, machine=setup.machine, workflow=setup.workflow, scratch=Path(scratch),
                        links={"couch": parse_url("loopback:")})
        sim = Simulation(order)
        sim.run_for(0.1)


def summary(found: list[Finding]) -> str:
    """For people."""
    lines = [f"{len(found)} plugs pulled: " + ", ".join(f"{sum(f.state == s for f in found)} {s}" for s in
                                                        ("in a beam", "between", "after", "early", "lost"))]
    for way in WAYS:
        group = [f for f in found if f.way == way and f.state not in ("early", "lost")]
        if group:
            noticed_ms, off_ms = max(f.noticed_ms for f in group), max(f.beam_off_ms for f in group)
            lines.append(f"{way:8s} {len(group):3d}: noticed in {noticed_ms:.0f} ms, beam off in {off_ms:.0f} ms; first out "
                         + ", ".join(sorted({f.first_out for f in group})))
    if found:
        lines.append(f"record against truth: at most {max(f.record_error_mu for f in found):.3f} MU; "
                     f"exit codes {sorted({f.exit_code for f in found})}; longest session {max(f.spent_s for f in found):.0f} s")
    bad = [f for f in found if f.problem]
    return "\n".join([*lines, f"{len(bad)} problems", *(f"  run {f.number} ({f.way}): {f.problem}" for f in bad)])


def main() -> int:
    """See the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=int)
    parser.add_argument("--seed", type=int, default=1, help="of the instants")
    parser.add_argument("--free", type=int, help="so many, the last ones, in real time (default: a tenth)")
    parser.add_argument("--session", default=Setup.session)
    parser.add_argument("--machine", default=Setup.machine)
    parser.add_argument("--until", type=float, default=Setup.moments_s[1], help="last instant, s of machine time")
    given = parser.parse_args()
    free = given.runs // 10 if given.free is None else given.free
    found = campaign(Setup(given.session, given.machine, moments_s=(0.1, given.until)), given.runs, seed=given.seed, free=free,
                     show=lambda text: print(text, flush=True))  # noqa: T201
    print(summary(found))  # noqa: T201
    return 1 if any(f.problem for f in found) else 0


if __name__ == "__main__":
    sys.exit(main())
