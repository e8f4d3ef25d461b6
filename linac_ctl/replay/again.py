"""What a run folder says has to be done to have that run again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import RecordError, RefusedError
from ..injection.schedule import Schedule, schedule_from
from ..order import Order, order_on_record
from ..records.fault import NAME, read_schedule
from ..records.run_record import RunRecord
from ..version import code_version


def order_again(run: Path, record: RunRecord) -> tuple[Order, dict[str, Any]]:
    """-> (order, what the simulation is told besides). RecordError for other code, RefusedError for what no replay can have."""
    same_code(run, record)
    in_lockstep(run, record)
    manifest = record.manifest
    order = replace(order_on_record(run, record), of_record=manifest.config_sha256, links={},
                    referee="watch" if manifest.referee == "watch" else "stop")
    if manifest.resumes:  # what people were to do was for the first of these runs
        order = replace(order, script=())
    before = {beam.number: (beam.start_mu, beam.done_before) for beam in manifest.beams}
    return order, {"partials": before if manifest.resumes else None, "imaged_mu": manifest.imaged_before_mu}


def faults_again(run: Path) -> Schedule | None:
    """What went wrong in it on purpose; None if it was not armed."""
    data = read_schedule(run)
    return None if data is None else schedule_from(data, str(run / NAME))


def same_code(run: Path, record: RunRecord) -> None:
    """Other code makes other bits, and nobody could tell which of the two a difference comes from."""
    made_by = record.manifest.code_version
    if made_by != code_version():
        raise RecordError(f"{run}: made by code {made_by}, this is {code_version()}; a run is replayed by the code that made it: "
                          f"check that out, or run the session anew")


def in_lockstep(run: Path, record: RunRecord) -> None:
    """A device with a clock of its own does not do the same twice."""
    free = [link.device for link in record.result.links if link.mode != "lockstep"] if record.result else []
    if free:
        raise RefusedError(f"{run}: {', '.join(free)} ran on a clock of its own; only runs in process or in lockstep can be "
                           f"replayed; `hil replay` plays the recorded bytes")


def length(record: RunRecord) -> int:
    """Cycles that are on record: all of them, or those up to the last row of a run that was killed."""
    if record.result is not None:
        return record.result.cycles
    rows = record.rows()
    return int(rows["cycle"][-1]) if len(rows) else 0
