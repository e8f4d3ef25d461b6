"""`linac-ctl campaign shrink`: from a failing run of a campaign to the smallest schedule that fails in the same way."""

import json
import time
from pathlib import Path
from typing import Any

import click


@click.command("shrink")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def command(folder: Path, run: str | None, as_json: bool) -> int:
    """Make the schedule of RUN, an id of the campaign in FOLDER, as small as it can be (default: of its worst run).

    Fewest faults, then the simplest lengths, moments and settings that fail in the same way. Prints the command that runs it.
    """
    from ..campaign.page import command as command_of
    from ..campaign.page import write_schedules
    from ..campaign.runner import run_batch
    from ..campaign.shrink import shrunk

    begin = time.perf_counter()
    case = case_of(asked_for(folder, run))
    first = failing(case, run_batch)
    small, row, tried = shrunk(case, first, lambda cases: run_batch(tuple(cases)))
    write_schedules([row], folder)
    found = {"id": case.id, "smallest": row.case_id, "verdict": row.verdict, "reason": row.reason, "violated": list(row.violated),
             "faults_before": len(case.faults), "faults": small.faults, "runs": tried,
             "seconds": round(time.perf_counter() - begin, 2), "schedule": str(folder / "schedules" / f"{row.case_id}.yaml"),
             "command": command_of(row, folder)}
    click.echo(json.dumps(found, indent=1) if as_json else text(found))
    return 0


def text(found: dict[str, Any]) -> str:
    """For people."""
    faults = "\n".join(f"  {json.dumps(one)}" for one in found["faults"])
    took = f"{found['runs']} runs in {found['seconds']} s"
    return (f"{found['id']}: {found['faults_before']} faults -> {len(found['faults'])}, {took}; {found['verdict']}: "
            f"{found['reason']}\n{faults}\n  {found['command']}")


def asked_for(folder: Path, run: str | None) -> Any:
    """The row; LedgerError for an id that the campaign does not have, or when nothing failed in it."""
    from ..campaign.ledger import read, read_rows
    from ..campaign.summary import badness
    from ..config.suggest import did_you_mean
    from ..errors import LedgerError

    data = read(folder)
    try:
        rows = {row.case_id: row for row in read_rows(data)}
    finally:
        data.close()
    if run is not None:
        if run not in rows:
            raise LedgerError(f"{folder}: no run {run!r}{did_you_mean(run, rows)}; its report names the bad ones")
        return rows[run]
    bad = sorted((row for row in rows.values() if row.bad and row.modes and not row.twin_of), key=badness)
    if not bad:
        raise LedgerError(f"{folder}: nothing failed in this campaign; there is nothing to make smaller")
    return bad[0]


def case_of(row: Any) -> Any:
    """What was run."""
    from ..campaign.case import Case, Labels

    labels = Labels(row.modes, row.phase, row.size, row.lasts, row.relation)
    return Case(row.position, row.case_id, row.part, row.session, row.seed, row.schedule, labels, row.workflow or None,
                row.machine or None, "fork")


def failing(case: Any, run_batch: Any) -> Any:
    """Its row by this code; RefusedError when it fails no more."""
    from ..errors import RefusedError

    (row,) = run_batch((case,))
    if not row.bad or not case.faults:
        raise RefusedError(f"run {case.id}: {row.verdict.replace('_', ' ')} with this code; there is nothing to make smaller")
    return row
