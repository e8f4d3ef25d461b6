"""`linac-ctl campaign`: thousands of sessions with faults, and what came of them."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from .campaign_shrink import command as shrink

PROCESSES = click.option("-j", "processes", type=click.IntRange(0, 1024),
                         help="Processes (default: one for each processor; 0: in this one).")
ENGINE = click.option("--engine", type=click.Choice(("pool", "dask")), default="pool", show_default=True,
                      help="Processes of this computer, or workers of a Dask scheduler.")
SCHEDULER = click.option("--scheduler", help="Where the Dask scheduler is, like tcp://HOST:8786.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")


@click.group("campaign")
def command() -> None:
    """Run many sessions with faults, go on after a stop, report. SIMULATOR, not a medical device."""


command.add_command(shrink)


@command.command("run")
@click.argument("file")
@PROCESSES
@click.option("--out", type=click.Path(path_type=Path), help="Folder (default campaigns/<time>-<name>).")
@click.option("--limit", type=click.IntRange(1), help="At most so many runs, spread evenly over the campaign.")
@ENGINE
@SCHEDULER
@AS_JSON
def run(file: str, processes: int | None, out: Path | None, limit: int | None, engine: str, scheduler: str | None,
        as_json: bool) -> int:
    """Run the campaign FILE, by name under configs/campaigns or by path.

    Every finished run is a row in the ledger at once: kill it at any time, `campaign resume` goes on and the table is the same.
    Exit 0 when nothing was missed and nothing failed, else 1.
    """
    from ..campaign.catalogue import catalogue
    from ..campaign.conduct import Campaign
    from ..campaign.config import CampaignConfig
    from ..campaign.inputs import input_hashes
    from ..campaign.ledger import Ledger
    from ..config.loader import load, validate

    config = validate(CampaignConfig, load("campaigns", file))
    campaign = Campaign(config, catalogue(), limit)
    total, inputs = campaign.total(), input_hashes(config)
    make = engine_of(engine, scheduler, processes)
    folder = out or Path("campaigns") / f"{datetime.now():%Y%m%d-%H%M%S}-{config.name}"
    asked = {"campaign": json.loads(config.model_dump_json()), "limit": limit, "inputs": inputs, "total": total}
    with Ledger.create(folder, asked) as ledger:
        whole = conduct(campaign, ledger, make, total, as_json)
    return finish(folder, as_json, whole)


@command.command("resume")
@click.argument("folder", type=click.Path(path_type=Path))
@PROCESSES
@ENGINE
@SCHEDULER
@AS_JSON
def resume(folder: Path, processes: int | None, engine: str, scheduler: str | None, as_json: bool) -> int:
    """Do what is left of the campaign in FOLDER, however it was stopped. The table is that of a campaign in one go."""
    from ..campaign.inputs import check_inputs
    from ..campaign.ledger import Ledger

    with Ledger.resume(folder) as ledger:
        campaign = campaign_of(ledger.asked())
        check_inputs(ledger.asked(), campaign.config, folder)
        whole = conduct(campaign, ledger, engine_of(engine, scheduler, processes), campaign.total(), as_json)
    return finish(folder, as_json, whole)


@command.command("report")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="Write rows.csv too.")
@click.option("--parquet", "as_parquet", is_flag=True, help="Write rows.parquet too (the extra `parquet`).")
@AS_JSON
def report(folder: Path, as_csv: bool, as_parquet: bool, as_json: bool) -> int:
    """Write the page, the JUnit file and the summary of the campaign in FOLDER; also while it runs, and of other code."""
    from ..campaign.export import write_csv, write_parquet

    rows, found, files = written(folder)
    if as_csv:
        files["csv"] = write_csv(rows, folder / "rows.csv")
    if as_parquet:
        files["parquet"] = write_parquet(rows, folder / "rows.parquet")
    show(found, files, as_json)
    return 0


def campaign_of(asked: dict[str, Any]) -> Any:
    """As it was begun."""
    from ..campaign.catalogue import catalogue
    from ..campaign.conduct import Campaign
    from ..campaign.config import CampaignConfig

    return Campaign(CampaignConfig.model_validate_json(json.dumps(asked["campaign"])), catalogue(), asked["limit"])


def engine_of(engine: str, scheduler: str | None, processes: int | None) -> Callable[[], Any]:
    """Makes engines; UsageError or EngineError before anything is written."""
    from ..campaign.engine import HereEngine, PoolEngine
    from ..campaign.runner import run_batch, run_whole
    from ..errors import UsageError
    from ..version import code_version

    if engine == "dask":
        if scheduler is None:
            raise UsageError("--engine dask: which scheduler? give --scheduler tcp://HOST:8786")
        from ..campaign.dask_engine import DaskEngine

        first: list[Any] = [DaskEngine(run_whole, scheduler)]  # met now, used first
        return lambda: first.pop() if first else DaskEngine(run_whole, scheduler)
    if scheduler is not None:
        raise UsageError("--scheduler: is for --engine dask")
    if processes == 0:
        return lambda: HereEngine(run_batch)
    return lambda: PoolEngine(run_batch, processes or os.cpu_count() or 1, code_version())


def conduct(campaign: Any, ledger: Any, engine: Callable[[], Any], total: int, quiet: bool) -> bool:
    """Everything that is left; -> False when Ctrl-C ended it."""
    from ..campaign.conduct import carry_out
    from .campaign_progress import Progress

    with Progress(total, list(ledger.rows()), quiet) as progress:
        try:
            carry_out(campaign, ledger, engine, progress.told)
        except KeyboardInterrupt:
            return False
    return True


def written(folder: Path) -> tuple[list[Any], dict[str, Any], dict[str, Path]]:
    """Rows, summary, files."""
    from ..campaign.catalogue import catalogue
    from ..campaign.ledger import asked, read, read_rows, version_of
    from ..campaign.page import write
    from ..campaign.summary import summary

    data = read(folder)
    try:
        rows, what, version = list(read_rows(data)), asked(data), version_of(data)
    finally:
        data.close()
    found = {"campaign": what["campaign"]["name"], "total": what["total"], "unfinished": max(0, what["total"] - len(rows)),
             "code_version": version, **summary(rows)}
    about = {"name": what["campaign"]["name"], "description": what["campaign"]["description"], "total": what["total"],
             "code_version": version, "sessions": sorted({row.session for row in rows}),
             "names": {name: mode.name.replace("_", " ") for name, mode in catalogue().items()}}
    files = write(rows, found, about, folder)
    return rows, found, files


def finish(folder: Path, as_json: bool, whole: bool) -> int:
    """Report; -> exit code."""
    _, found, files = written(folder)
    show(found, files, as_json)
    if not whole:
        return 130
    return 1 if found["missed"] or found["failed"] or found["crashed"] or found["twins"]["different"] or found["false_trips"] else 0


def show(found: dict[str, Any], files: dict[str, Path], as_json: bool) -> None:
    """For people or for scripts."""
    if as_json:
        click.echo(json.dumps(found | {"files": {what: str(path) for what, path in files.items()}}, indent=1))
        return
    verdicts = ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in found["verdicts"].items() if n)
    click.echo(f"{found['campaign']}: {found['runs']} runs: {verdicts or 'none'}")
    if found["unfinished"]:
        click.echo(f"  {found['unfinished']} runs are left: linac-ctl campaign resume {files['page'].parent}")
    for figure in figure_lines(found):
        click.echo(figure)
    for line in trouble(found):
        click.echo(line)
    for what, path in files.items():
        click.echo(f"  {what:<10} {path}")
    click.echo(f"  table {found['table_sha256']}; simulated, not for clinical use")


def figure_lines(found: dict[str, Any]) -> list[str]:
    """Measured, bar, goal."""
    from ..campaign.figures import figures

    return [f"  {f.what:<46} {f.value:>12}  bar {f.bar:>12}  goal {f.goal:>13}  {f.met}" for f in figures(found)]


def trouble(found: dict[str, Any]) -> list[str]:
    """The first few runs to look at."""
    return [f"  {run['verdict']:<8} {run['id']}  {run['modes']} {run['phase']} {run['relation']}: {run['reason']}"
            for run in found["worst"][:8]]
