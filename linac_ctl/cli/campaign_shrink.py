"""`linac-ctl campaign shrink`: from a failing run to the smallest schedule that fails in the same way."""

import json
import tempfile
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

    FOLDER may also be the folder of one run with faults. Fewest faults, then the simplest lengths, moments and settings that fail
    in the same way. Prints the command that runs it.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="linac-ctl-") as scratch:
        case, plan = asked_for(folder, run, Path(scratch))
        found = smallest(case, folder, plan)
    found["seconds"] = round(time.perf_counter() - begin, 2)
    click.echo(json.dumps(found, indent=1) if as_json else text(found))
    return 0


def smallest(case: Any, folder: Path, plan: Path | None) -> dict[str, Any]:
    """What is left of a case, written beside it, and how to run that. RefusedError when it fails no more."""
    from ..campaign.page import command as command_of
    from ..campaign.page import write_schedules
    from ..campaign.runner import run_batch
    from ..campaign.shrink import shrunk

    small, row, tried = shrunk(case, failing(case, run_batch), lambda cases: run_batch(tuple(cases)))
    write_schedules([row], folder)
    return {"id": case.id, "smallest": row.case_id, "verdict": row.verdict, "reason": row.reason, "violated": list(row.violated),
            "digest": row.digest, "faults_before": len(case.faults), "faults": small.faults, "runs": tried,
            "schedule": str(folder / "schedules" / f"{row.case_id}.yaml"), "command": command_of(row, folder, plan)}


def asked_for(folder: Path, run: str | None, scratch: Path) -> tuple[Any, Path | None]:
    """The case, and the plan that its command needs besides."""
    from ..campaign.recorded import is_run, recorded
    from ..campaign.runner import adopt
    from ..errors import UsageError

    if not is_run(folder):
        return case_of(row_of(folder, run)), None
    if run is not None:
        raise UsageError(f"{folder}: one run, not a campaign; leave {run!r} out")
    found = recorded(folder, scratch)
    adopt(found.case, found.order)
    return found.case, found.plan


def text(found: dict[str, Any]) -> str:
    """For people."""
    faults = "\n".join(f"  {json.dumps(one)}" for one in found["faults"])
    took = f"{found['runs']} runs in {found['seconds']} s"
    return (f"{found['id']}: {found['faults_before']} faults -> {len(found['faults'])}, {took}; {found['verdict']}: "
            f"{found['reason']}\n{faults}\n  {found['command']}")


def row_of(folder: Path, run: str | None) -> Any:
    """The row; LedgerError for an id that the campaign does not have, or when nothing failed in it."""
    from ..campaign.ledger import read, read_rows
    from ..campaign.page import has_faults
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
    bad = sorted((row for row in rows.values() if row.bad and has_faults(row) and not row.twin_of), key=badness)
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
