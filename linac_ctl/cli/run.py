"""`linac-ctl run`: a session on the virtual machine, with a progress line, a complete record and an honest exit code."""

import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from .telemetry import SILENT, Silent, Telemetry, open_telemetry

if TYPE_CHECKING:
    from ..order import RefereeMode

DEFAULT_SESSION = "spine_igrt"
SPEEDS = ("max", "1", "10")


@click.command("run")
@click.argument("session", default=DEFAULT_SESSION)
@click.option("--plan", type=click.Path(path_type=Path), help="DICOM RT Plan to deliver instead of the session's own.")
@click.option("--ct", type=click.Path(path_type=Path), help="Folder with the planning CT of the patient, with --structures.")
@click.option("--structures", type=click.Path(path_type=Path), help="RT Structure Set that was drawn on it.")
@click.option("--target", help="Name of the structure to be hit (default: the CTV, else GTV, else PTV).")
@click.option("--machine", help="Machine file under configs/machines, by name or path.")
@click.option("--workflow", help="Workflow file under configs/workflows; 'no_image' delivers any plan without imaging.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all noise (default: the session's).")
@click.option("--speed", default="max", show_default=True, help="'max', or a factor of real time such as 1 or 10.")
@click.option("--link", "links", multiple=True, metavar="DEVICE=URL",
              help="A device that is reached over bytes, like couch=serial:///dev/ttyUSB0?baud=921600 or couch=pty: (repeatable).")
@click.option("--faults", metavar="FILE", help="Faults to inject: a file under configs/faults, by name or path ('none' only arms).")
@click.option("--referee", type=click.Choice(("stop", "watch")), default="stop", show_default=True,
              help="What the referee does when a run violates a property in line: stop it, or note it and watch on.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder (default runs/<time>-<session>).")
@click.option("--resume", type=click.Path(path_type=Path), help="Run folder whose remaining MU are to be delivered.")
@click.option("--run-for", "run_for_s", type=click.FloatRange(0.01, 1e7),
              help="Stop, with a record to resume, after so many seconds of machine time.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write plots and report.html.")
@click.option("--radiographs", type=click.Choice(("few", "all", "none")), default="few", show_default=True,
              help="kV frames of every scan to keep as RT Image.")
@click.option("--mqtt", metavar="URL", help="Publish what happens: mqtt://HOST:1883, mqtts://HOST:8883, or embedded: (see serve).")
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of text.")
def command(session: str, plan: Path | None, ct: Path | None, structures: Path | None, target: str | None, machine: str | None,
            workflow: str | None, seed: int | None, speed: str, links: tuple[str, ...], faults: str | None, referee: "RefereeMode",
            out: Path | None, resume: Path | None, run_for_s: float | None, report: bool, radiographs: str, mqtt: str | None,
            as_json: bool) -> None:
    """Run SESSION (default: spine_igrt) and print where everything was written. SIMULATOR, not a medical device."""
    factor = speed_factor(speed)
    with tempfile.TemporaryDirectory(prefix="linac-ctl-") as scratch:
        patient = patient_of(ct, structures, target)
        order, start = prepare_order(session, plan, machine, workflow, seed, resume, Path(scratch), patient, links_of(links))
        order = replace(order, referee=referee)
        folder = out or Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{order.name}"
        code = carry_out(order, start, folder, factor, run_for_s, report, as_json, radiographs, open_telemetry(mqtt),
                         schedule_of(faults))
    sys.exit(code)


def speed_factor(text: str) -> float | None:
    """None for max; UsageError for nonsense."""
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.01 <= value <= 1000:
        raise UsageError(f"--speed {text!r}: 'max', or a number from 0.01 to 1000")
    return value


def patient_of(ct: Path | None, structures: Path | None, target: str | None) -> dict[str, str]:
    """What replaces the session's own patient; empty when nothing does."""
    if (ct is None) != (structures is None) or (target and ct is None):
        raise UsageError("--ct, --structures: a patient is a planning CT and the structure set drawn on it; give both")
    given = {"ct": ct, "structures": structures, "target": target}
    return {key: str(value) for key, value in given.items() if value is not None}


def links_of(texts: tuple[str, ...]) -> dict[str, Any]:
    """Device -> its URL; UsageError for one that is not understood, or a device named twice."""
    if not texts:
        return {}
    from device_models.interface.wire.fields import EVERY_UNIT

    from ..links.url import parse_link

    found = [parse_link(text, EVERY_UNIT) for text in texts]
    names = [name for name, _ in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"--link: {twice[0]} is named twice; one device, one line")
    return dict(found)


def schedule_of(name: str | None) -> Any:
    """Faults of a file; None for a run that is not armed."""
    if name is None:
        return None
    from ..injection.schedule import load_schedule

    return load_schedule(name)


def prepare_order(session: str, plan: Path | None, machine: str | None, workflow: str | None, seed: int | None,
                  resume: Path | None, scratch: Path, patient: dict[str, str] | None = None,
                  links: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
    """-> (order, what is known from an earlier run)."""
    from ..order import resolve, resume_order

    if resume is None:
        return resolve(session, plan=plan, machine=machine, workflow=workflow, seed=seed, patient=patient, links=links,
                       scratch=scratch), {}
    if plan or machine or workflow or patient:
        raise UsageError("--resume takes plan, patient, machine and workflow from the record; leave --plan, --ct, --structures, "
                         "--machine and --workflow out")
    order, start = resume_order(resume, seed)
    return replace(order, links=order.links | (links or {})), start


def carry_out(order: Any, start: dict[str, Any], path: Path, speed: float | None, run_for_s: float | None, report: bool,
              as_json: bool, radiographs: str = "few", telemetry: Telemetry | Silent = SILENT,
              faults: Any = None) -> int:
    """Run, record, report; -> exit code."""
    from ..app import Simulation
    from ..outcome import complete_record, create_folder, exit_code, keep_overruns
    from ..warm import warm

    hardware = met(order, None if faults is None else order.seed)
    folder, order = create_folder(order, path, start.get("resumes", ""), partials=start.get("partials"),
                                  imaged_mu=start.get("imaged_mu", 0.0), stop_after_s=run_for_s, faults=faults,
                                  started=datetime.now().isoformat(timespec="seconds"))
    warm(order, lambda text: click.echo(text, err=True))
    sim = Simulation(order, folder, speed=speed, partials=start.get("partials"), imaged_mu=start.get("imaged_mu", 0.0),
                     realtime_interlock=speed == 1.0, hardware=hardware, faults=faults)
    keep_overruns(sim)
    if run_for_s is not None:
        sim.stop_after(run_for_s)
    before = signal.signal(signal.SIGINT, lambda *_: sim.abort())  # until the record is complete: a second Ctrl-C changes nothing
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        with telemetry.attached(sim), listening(sim, folder.path), progress(sim, quiet=as_json):
            sim.run()
        spent = (time.perf_counter() - wall, time.process_time() - cpu)
        result = complete_record(sim, folder, *spent, report=report, radiographs=radiographs)
    finally:
        signal.signal(signal.SIGINT, before)
    show(result, folder.path, sim.error, as_json)
    return exit_code(result, sim)


@contextlib.contextmanager
def listening(sim: Any, path: Path) -> Iterator[None]:
    """`linac-ctl fault` finds a session here that is armed, and slow enough for somebody to say something."""
    if sim.injector is None or sim.loop.pace.speed is None:
        yield
        return
    from ..live.server import Server

    server = Server(sim, path)
    try:
        yield
    finally:
        server.close()


def met(order: Any, faulty: int | None = None) -> Any:
    """The run's hardware, every device outside met before anything is written; None without links."""
    if not order.links:
        return None
    from ..hardware import Hardware

    hardware = Hardware(order.links, order.machine.controller, order.imaging is not None, faulty)
    hardware.meet()
    return hardware if hardware.urls else None


class progress:
    """One live line: beam, MU, gantry, dose rate, machine clock, speed factor. Nothing when it is not a terminal's."""

    def __init__(self, sim: Any, quiet: bool) -> None:
        self.sim, self.last, self.begin = sim, 0.0, time.perf_counter()
        self.status: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console

            self.status = Console(stderr=True).status("starting")
            sim.observers.append((0.1, self.look))

    def __enter__(self) -> "progress":
        if self.status:
            self.status.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.status:
            self.status.stop()

    def look(self) -> None:
        """Called ten times per second of machine time; writes at most ten times per second of ours."""
        now = time.perf_counter()
        if now - self.last >= 0.1:
            self.last = now
            self.status.update(line(self.sim, now - self.begin))


def line(sim: Any, wall_s: float) -> str:
    """The text of the live line."""
    job, t = sim.control.job[0], sim.loop.time()
    dose = f"{sim.linac.beam.mu_1:8.2f} / {job['mu_end']:.2f} MU"
    beam = f"beam {int(job['beam_number'])}  {dose}" if job["beam_number"] >= 0 else "between beams"
    gantry = float(sim.image.gantry["readback"][0])
    rate = float(sim.image.beam["rate_1_mu_per_s"][0]) * 60
    return f"{beam}  gantry {gantry:7.1f} deg  {rate:6.0f} MU/min  t {t:7.1f} s  {t / max(wall_s, 1e-6):.0f}x"


def show(result: Any, folder: Path, error: Exception | None, as_json: bool) -> None:
    """The end of a run, for people or for scripts."""
    from ..records.result import adapter
    from .run_summary import summary

    if as_json:
        data = json.loads(adapter().dump_json(result, by_alias=True))
        click.echo(json.dumps(data | {"folder": str(folder)}, indent=1))
        return
    for text in summary(result, folder):
        click.echo(text)
