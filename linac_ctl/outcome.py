"""From a finished simulation to a complete run folder: result, logs for other people's tools, plots and report."""

import shutil
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from device_models.interface.image import DT_S
from device_models.referee.judging.verdict import Verdicts

from .app import Simulation, points_needed
from .config.machine import MachineConfig
from .control.phases import Phase
from .control.state import columns
from .errors import LinacError, RecordError, RefereeError, RefusedError
from .interlocks.panel import MAY_RESET, Trip
from .links.imager import ImagerLine
from .links.port import CYCLE_MS, LinkPort
from .order import Order, RefereeMode
from .patient_room import with_room
from .plan.model import Beam
from .plan.trajectory import prepare
from .records.deviations import beam_on_s, deviations, holds, interruptions
from .records.events import Event, EventLog
from .records.fault import FaultResult, write_schedule
from .records.folder import EVENTS, LATCHES, RunFolder
from .records.jsonio import write_json
from .records.manifest import Manifest, PlannedBeam
from .records.products import write_products
from .records.result import (
    BeamResult,
    ImageResult,
    ImagingDose,
    InterlockTrip,
    LinkResult,
    MatchResult,
    PropertyResult,
    RefereeResult,
    Reset,
    Result,
    ShiftResult,
    TrackedResult,
    write_result,
)
from .records.rows import Rows
from .records.run_record import RunRecord
from .runtime.overruns import OverrunLog, timing, timing_event
from .sequencer.readiness import time_limit_s
from .version import code_version

if TYPE_CHECKING:
    from .injection.evidence import Evidence
    from .injection.schedule import Schedule

PLAN_FILE = "plan.dcm"
PACKAGES = ("numpy", "numba", "transitions", "pydantic", "pydicom")


def create_folder(order: Order, path: Path, resumes: str = "", *, started: str,
                  partials: dict[int, tuple[float, bool]] | None = None, imaged_mu: float = 0.0,
                  stop_after_s: float | None = None, faults: "Schedule | None" = None) -> tuple[RunFolder, Order]:
    """A run folder with everything known before the first cycle. A plan that cannot be delivered leaves no folder behind."""
    points_needed(order)
    order = with_room(order)
    if faults is not None:
        Simulation(order, faults=faults)  # complains of what this session cannot have before anything is written
    machine, before = order.machine.controller, partials or {}
    beams = tuple(planned(b, machine, *before.get(b.number, (0.0, False))) for b in order.plan.fraction(order.group))
    manifest = Manifest(
        session=order.name, machine=order.machine.name, seed=order.seed, config_sha256=order.configuration_sha256,
        plan_sha256=order.plan.sha256, code_version=code_version(), started=started, columns=tuple(columns(machine)),
        phases={int(p): (p.name or "").lower() for p in Phase}, cycle_s=DT_S, row_every=machine.row_every_cycles, beams=beams,
        resumes=resumes, imaged_before_mu=imaged_mu, stop_after_s=stop_after_s, versions=versions(),
        faults=faults is not None, faults_sha256=faults.sha256 if faults else "",
        referee=order.referee)
    folder = RunFolder.create(path, manifest, declared=False)
    folder.write_config(order.configuration)
    folder.write_plan(order.plan)
    if faults is not None:
        write_schedule(folder.path, faults.data)
    try:
        shutil.copyfile(order.plan_path, folder.path / PLAN_FILE)
    except OSError as error:
        raise RecordError(f"{folder.path / PLAN_FILE}: cannot be written: {error.strerror}; choose another --out") from None
    folder.declare()  # last: a run that is killed before this is no run, and nothing has been given
    return folder, replace(order, plan_path=folder.path / PLAN_FILE)


def planned(beam: Beam, machine: MachineConfig, start_mu: float, done: bool) -> PlannedBeam:
    """What this run is to deliver of one beam, and the backup timer's limit for all of it."""
    return PlannedBeam(beam.number, beam.name, beam.mu, start_mu, time_limit_s(prepare(beam, machine), machine.beam), done)


def versions() -> dict[str, str]:
    """Of the packages that the bits depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def keep_overruns(sim: Simulation) -> None:
    """Late cycles go on the event log from now on."""
    OverrunLog(sim.loop, sim.record.note)


def complete_record(sim: Simulation, folder: RunFolder, wall_s: float, cpu_s: float, *, report: bool,
                    radiographs: str = "few") -> Result:
    """Close the rows, judge the run, write everything; RecordError only if not even the result can be written.

    The result comes first: on a full disk all the rest may be missing, and then the result says so.
    """
    digest = sim.finish()
    if (found := timing(sim.loop)) is not None:
        sim.record.note(timing_event(sim.loop, found))
    folder.close()
    rows = RunRecord.open(folder.path).rows()
    result = build_result(sim, rows, digest, wall_s, cpu_s)
    files = {"result": "result.json", "events": EVENTS, "configuration": "config.json", "plan": PLAN_FILE} | sim.tap_files
    write_result(folder.path, replace(result, files=files))
    try:
        files |= write_products(folder.path, rows, sim.order.plan, sim.order.machine.controller, folder.manifest, result,
                                operator=sim.order.people[0][0], fraction_group=sim.order.group or sim.order.plan.groups[0].number)
        if sim.target is not None:
            files |= sim.target.write(folder.path)
        if sim.suite.imaging is not None:
            from .image_files import write_session_images

            files |= write_session_images(sim.suite.imaging, sim.order.plan, folder, radiographs,
                                          sim.target.outline if sim.target else None)
        result = replace(result, files=files | ({"report": "report.html"} if report else {}))
        write_result(folder.path, result)
        if report:
            from .records.report import write_report

            write_report(RunRecord.open(folder.path), folder.path / "report.html")
    except RecordError as error:
        sim.record.error = sim.record.error or error
        reason = result.reason or f"record not complete: {error}"
        result = replace(result, files={name: path for name, path in files.items() if (folder.path / path).exists()}, reason=reason)
        write_result(folder.path, result)
    return result


def build_result(sim: Simulation, rows: Rows, digest: str, wall_s: float, cpu_s: float) -> Result:
    """Everything in result.json but the file names."""
    beams = tuple(beam_result(sim, rows, slot) for slot in range(len(sim.order.plan.fraction(sim.order.group))))
    simulated = round(sim.engine.cycle * DT_S, 2)
    outcome = outcome_of(sim, beams)
    return Result(
        outcome=outcome, reason="" if outcome == "delivered" else str(sim.error or "not all beams are complete"), digest=digest,
        seed=sim.order.seed, simulated_s=simulated, cpu_s=round(cpu_s, 4), wall_s=round(wall_s, 4),
        realtime_factor=round(simulated / wall_s, 2) if wall_s > 0 else None, cycles=sim.engine.cycle,
        overruns=sim.loop.pace.overruns, timing=timing(sim.loop), beams=beams, interlocks=trips(sim),
        links=link_results(sim), faults=fault_results(sim), **imaging_result(sim),
        referee=referee_result(sim.verdicts(), sim.order.referee))


def referee_result(verdicts: Verdicts, in_line: RefereeMode) -> RefereeResult:
    """Every property with its margin."""
    return RefereeResult(True, tuple(one.id for one in verdicts.violated), tuple(
        PropertyResult(one.id, one.outcome, None if one.margin is None else round(one.margin, 4), one.unit, one.cycle, one.text)
        for one in verdicts), in_line)


def fault_results(sim: Simulation) -> tuple[FaultResult, ...] | None:
    """What became of every fault; None for a run that was not armed."""
    return None if sim.injector is None else tuple(fault_result(one) for one in sim.injector.evidence())


def fault_result(one: "Evidence") -> FaultResult:
    """Cycles as seconds of machine time."""
    cycles = (one.armed_cycle, one.injected_cycle, one.effective_cycle, one.due_cycle, one.cleared_cycle)
    armed, injected, effective, due, cleared = (None if cycle is None else round(cycle * DT_S, 2) for cycle in cycles)
    return FaultResult(one.id, one.what, one.state, armed or 0.0, injected, effective, due, cleared, one.times)


def link_results(sim: Simulation) -> tuple[LinkResult, ...]:
    """Every device that was reached over bytes."""
    if sim.hardware is None:
        return ()
    lines: list[LinkPort | ImagerLine] = [*sim.hardware.ports, *sim.hardware.imagers]
    return tuple(link_result(line, str(sim.hardware.urls[line.unit.name])) for line in lines)


def link_result(port: LinkPort | ImagerLine, url: str) -> LinkResult:
    """What one line has been like."""
    stats, who = port.stats, port.identity
    return LinkResult(
        device=port.unit.name, url=url, mode="lockstep" if port.lockstep else "free-running",
        firmware=who.firmware, serial=who.serial, session=who.session, up=port.up, why=port.why,
        requests=stats.sent, answers=stats.answered, cycles_without_news=stats.missed_cycles,
        longest_silence_ms=stats.longest_silence_cycles * CYCLE_MS, refused=stats.refused, invalid=stats.invalid,
        repeated=stats.repeated, old=stats.old, unsent=stats.unsent, restarts=stats.restarts, events=stats.events,
        latency_p50_ms=round(stats.quantile_us(0.5) / 1000, 2), latency_p99_ms=round(stats.quantile_us(0.99) / 1000, 2),
        latency_max_ms=round(stats.worst_latency_us / 1000, 2),
        drift_ppm=None if isinstance(port, ImagerLine) or port.lockstep else port.clock.drift_ppm)


def imaging_result(sim: Simulation) -> dict[str, Any]:
    """What was imaged, matched and shifted, and the truth of it; empty without imaging."""
    if (desk := sim.suite.imaging) is None:
        return {}
    residual_mm, error = next(iter(sim.residuals.values()), (None, None))
    return {
        "residual_mm": residual_mm, "residual_6dof": error,
        "residuals": {beam: mm for beam, (mm, _) in sim.residuals.items()},
        "imaging_mu": round(desk.imaging_mu, 4), "imaging_dose": imaging_dose(desk),
        "tracked": tuple(TrackedResult(
            round(t.frame.time_s, 2), t.beam, round(t.mu, 3), round(t.frame.gantry_deg, 3), t.trigger, found(t.off_mm), t.seen,
            round(t.similarity, 4), t.uid) for t in desk.tracked),
        "images": tuple(ImageResult(
            i.kind, i.uids, len(i.frames), round(i.acquired_s, 2),
            round(i.frames[0].gantry_deg, 3), round(i.frames[-1].gantry_deg, 3), i.couch,
            max((f.kv for f in i.kv_frames), default=0.0), round(sum(f.mas for f in i.kv_frames), 4)) for i in desk.images),
        "matches": tuple(MatchResult(
            m.binding.image_uids, m.error, m.dof, m.method, m.similarity, m.complaints, level(desk, k), *approved(desk, m))
            for k, m in enumerate(desk.matches)),
        "shifts": tuple(ShiftResult(round(s.t_s, 2), s.ordered, rounded(s.achieved), s.change) for s in desk.shifts),
    }


def level(desk: Any, match: int) -> str:
    """What the protocol made of a match; empty for one that was refused."""
    return desk.decisions[match].level.value if match in desk.decisions else ""


def approved(desk: Any, match: Any) -> tuple[tuple[str, ...], float | None]:
    """(who, when) of the approval of a match."""
    given = next((a for a in desk.approvals if a.match is match), None)
    return ((), None) if given is None else (given.people, round(given.cycle * DT_S, 2))


def imaging_dose(desk: Any) -> ImagingDose:
    """By counting the frames that arrived."""
    frames = [*(f for images in desk.images for f in images.kv_frames), *(t.frame for t in desk.tracked)]
    mas, per_mas = sum(f.mas for f in frames), desk.protocol.technique.mgy_per_mas
    return ImagingDose(len(frames), round(mas, 4), None if per_mas is None else round(mas * per_mas, 4))


def found(off_mm: tuple[float, float]) -> tuple[float, float] | None:
    """To 1 um; None when the target was not found."""
    return None if off_mm[0] != off_mm[0] else (round(off_mm[0], 3) + 0.0, round(off_mm[1], 3) + 0.0)


def rounded(six: Any) -> Any:
    """To 1 um, 0.001 deg."""
    return tuple(round(v, 3) + 0.0 for v in six)


def beam_result(sim: Simulation, rows: Rows, slot: int) -> BeamResult:
    """One beam, from journal and rows; what never started has only its earlier MU."""
    beam, entry = sim.order.plan.fraction(sim.order.group)[slot], sim.control.journal[slot]
    before = sim.record.earlier_mu(beam.number)
    started = bool(entry["started"])
    mu, mu_2 = (float(entry["mu"]), float(entry["mu_2"])) if started else (before, before)
    pauses = holds(rows, beam.number)
    return BeamResult(
        number=beam.number, name=beam.name, planned_mu=round(beam.mu, 6), delivered_mu=round(mu, 6),
        delivered_mu_2=round(mu_2, 6), true_mu=round(before + sim.true_mu().get(beam.number, 0.0), 6), start_mu=round(before, 6),
        beam_on_s=beam_on_s(rows, beam.number), axes=deviations(rows, beam.number), holds=pauses, hold_count=len(pauses),
        interruptions=interruptions(rows, beam.number))


def complete(sim: Simulation, slot: int) -> bool:
    """This beam needs nothing more."""
    number = sim.order.plan.fraction(sim.order.group)[slot].number
    return bool(sim.control.journal["complete"][slot]) or sim.record.delivered_before(number)[1]


def outcome_of(sim: Simulation, beams: tuple[BeamResult, ...]) -> Any:
    """delivered, partial, refused or terminated. What an earlier run completed, and this one refused to give, is refused."""
    given = any(b.delivered_mu > b.start_mu for b in beams)
    if all(complete(sim, slot) for slot in range(len(beams))) and (given or sim.error is None):
        return "delivered"
    if any(trip.stop == "terminate" for trip in sim.linac.panel.history):
        return "terminated"
    return "partial" if given else "refused"


def trips(sim: Simulation) -> tuple[InterlockTrip, ...]:
    """All trips of the run with their resets."""
    return tuple(trip_result(trip, sim.linac.panel.resets) for trip in sim.linac.panel.history)


def trip_result(trip: Trip, resets: list[dict[str, Any]]) -> InterlockTrip:
    """One trip as the schema has it."""
    done = next((r for r in resets if r["id"] == trip.id and r["tripped_cycle"] == trip.cycle), None)
    reset = Reset(done["cycle"], round(done["cycle"] * DT_S, 2), done["who"], done["role"], done["reason"]) if done else None
    value = None if np.isnan(trip.value) else round(trip.value, 6)
    return InterlockTrip(id=trip.id, kind=trip.stop, cycle=trip.cycle, t_s=round(trip.cycle * DT_S, 2), value=value,
                         limit=float(trip.fine.split()[1]), first_out=trip.first_out, reset=reset)


def exit_code(result: Result, sim: Simulation) -> int:
    """0 delivered and on record; else what stopped it."""
    if sim.record.error is not None:
        return RecordError.exit_code
    if result.referee is None or result.referee.violated:
        return RefereeError.exit_code
    if result.outcome == "delivered":
        return 0
    if sim.engine.abort_wanted:
        return 130
    return sim.error.exit_code if isinstance(sim.error, LinacError) else 1


def reset_latch(run: Path, interlock: str, *, who: str, role: str, reason: str) -> None:
    """Clear one latch of a stopped run's record, in the right role and with a reason, and write down who did it."""
    record = RunRecord.open(run)
    latches: dict[str, Any] = dict(record.latches() or {})
    if interlock not in latches:
        raise RefusedError(f"{run}: {interlock!r} is not latched; latched are {', '.join(latches) or 'none'}")
    needed = str(latches[interlock].get("reset_role", "engineer"))
    if role not in MAY_RESET[needed]:
        raise RefusedError(f"interlock {interlock}: a {role} may not reset it; call a {needed}")
    if not reason.strip():
        raise RefusedError(f"interlock {interlock}: a reset needs a reason")
    old = latches.pop(interlock)
    log = EventLog(run / EVENTS)
    last = record.events()[-1] if record.events() else None
    log.append(Event(last.cycle if last else 0, last.t_s if last else 0.0, who, f"reset {interlock}", role, reason, old, "clear"))
    log.close()
    write_json(run / LATCHES, latches)

