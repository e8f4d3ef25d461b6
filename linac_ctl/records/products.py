"""Files that a finished run gives to other programs: trajectory logs and the treatment record, into its own folder."""

import re
from datetime import datetime
from pathlib import Path

from linac_ctl.config.machine import MachineConfig
from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam, Plan

from .jsonio import replace_file
from .manifest import Manifest
from .result import Result
from .rows import Rows
from .tlog_rows import log_of
from .trajectory_log import write_log
from .treatment_record import Delivery, treatment_record

LOGS, RECORD = "logs", "treatment_record.dcm"
VERSIONS = ("3.0", "4.0")


def write_products(
    folder: Path,
    rows: Rows,
    plan: Plan,
    machine: MachineConfig,
    manifest: Manifest,
    result: Result,
    operator: str = "",
    fraction: int = 1,
    fraction_group: int = 1,
    versions: tuple[str, ...] = VERSIONS,
) -> dict[str, str]:
    """What -> path in the run folder, for `Result.files`. A machine or run that has none of a kind gets none."""
    files: dict[str, str] = {}
    if machine.mlc is not None and machine.mlc.log_model is not None:
        for version in versions:
            for path in write_logs(folder / LOGS / f"v{version[0]}", rows, plan, machine, manifest, version):
                files[f"trajectory_log_v{version[0]}:{path.stem}"] = str(path.relative_to(folder))
    if any(beam.beam_on_s > 0 or beam.delivered_mu > beam.start_mu for beam in result.beams):
        delivery = Delivery(
            started(manifest), manifest.machine, operator, fraction, fraction_group, manifest.code_version
        )
        replace_file(folder / RECORD, treatment_record(plan, result, rows, delivery))
        files["treatment_record"] = RECORD
    return files


def write_logs(
    folder: Path, rows: Rows, plan: Plan, machine: MachineConfig, manifest: Manifest, version: str
) -> list[Path]:
    """One trajectory log per beam or auto-sequence that had beam; RecordError for a machine without such logs."""
    paths = []
    for beams in sequences(rows, plan, manifest):
        limits = tuple(b.time_limit_s for beam in beams for b in manifest.beams if b.number == beam.number)
        done = sum(float(rows.of_beam(beam.number)["mu_1"].max()) for beam in beams)
        left = max(sum(beam.mu for beam in beams) - done, 0.0)
        log = log_of(
            rows,
            beams,
            machine,
            plan,
            version=version,
            remaining_mu=round(left, 4),
            time_limits_s=limits if len(limits) == len(beams) else (),
        )
        path = folder / log_name(plan, beams[0], manifest)
        _make(folder)
        replace_file(path, write_log(log))
        paths.append(path)
    return paths


def sequences(rows: Rows, plan: Plan, manifest: Manifest) -> list[tuple[Beam, ...]]:
    """Beams that had their field in hand, grouped as they were delivered."""
    beams = {beam.number: beam for beam in plan.beams}
    seen = [n for n in rows.where(rows["permit"] > 0).beam_numbers() if n in beams]
    groups = {n: group for group in manifest.sequences for n in group}
    found: list[tuple[Beam, ...]] = []
    for n in seen:
        group = tuple(beams[m] for m in groups.get(n, (n,)) if m in seen)
        if group[0].number == n:
            found.append(group)
    return found


def log_name(plan: Plan, beam: Beam, manifest: Manifest) -> str:
    """<patient>_<plan>_<beam>_TX_<time>.bin, as the console names it; odd characters become '-'."""
    parts = (plan.patient_id or "anonymous", plan.label or "plan", f"{beam.number}-{beam.name}", "TX")
    safe = [re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-") or "x" for part in parts]
    return "_".join([*safe, started(manifest).strftime("%Y%m%d%H%M%S")]) + ".bin"


def started(manifest: Manifest) -> datetime:
    """Wall time of the start, from the manifest."""
    try:
        return datetime.fromisoformat(manifest.started)
    except ValueError as e:
        raise RecordError(f"manifest: started: {e}") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise RecordError(f"{folder}: cannot be made: {e.strerror}") from None
