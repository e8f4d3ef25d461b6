"""`linac-ctl study`: what many patients say that one session cannot."""

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from .progress_bar import ProgressBar
from .study_sessions import command as sessions

LEAST_PATIENTS = 2  # for a spread between patients


@click.group("study")
def command() -> None:
    """Populations of patients, worked through with real pixels. SIMULATOR, not for clinical use."""


command.add_command(sessions)


@command.command("margins")
@click.argument("file", default="spine_margins")
@click.option("--sessions", type=click.IntRange(4, 1_000_000), help="Sessions of each arm (default: the study's).")
@click.option("-j", "processes", type=click.IntRange(1, 1024), help="Processes (default: one for each processor).")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of every error and all noise (default: the study's).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder (default studies/<time>-<study>).")
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of text.")
def margins(file: str, sessions: int | None, processes: int | None, seed: int | None, out: Path | None, as_json: bool) -> int:
    """Which margin each way of imaging needs: FILE is a study under configs/studies, by name or path (default: spine_margins).

    Every arm treats the same patients: set-up errors, drift, couch and imager errors are drawn; every image is projected,
    reconstructed and matched. Writes a page, result.json and a table of every session. Ctrl-C keeps what is done.
    """
    from ..errors import Aborted
    from ..study.outcome import conclude
    from ..study.page import write
    from .study_pool import all_of

    study = study_of(file, sessions)
    chosen = study.seed if seed is None else seed
    count = processes or os.cpu_count() or 1
    begin = time.perf_counter()
    with ProgressBar("patients", study.patients, quiet=as_json) as bar:
        worked = all_of(study, chosen, count, lambda _: bar.advance(rate=a_minute(bar.done + 1, begin)))
    if len(worked) < LEAST_PATIENTS:
        raise Aborted(f"study {study.name}: ended after {len(worked)} of {study.patients} patients; "
                      f"{LEAST_PATIENTS} are the least for a result")
    outcome = conclude(study, chosen, worked)
    wall_s = time.perf_counter() - begin
    folder = out or Path("studies") / f"{datetime.now():%Y%m%d-%H%M%S}-{study.name}"
    files = write(outcome, folder, wall_s=round(wall_s, 2), processes=count, written=datetime.now().isoformat(timespec="seconds"))
    show(outcome, files, wall_s, as_json)
    return 0 if outcome.complete else 130


def study_of(file: str, sessions: int | None) -> Any:
    """The file as a model; --sessions replaces its own and is checked with the rest."""
    from ..config.loader import load, validate
    from ..errors import UsageError
    from ..study.config import StudyConfig

    study = validate(StudyConfig, load("studies", file))
    if sessions is None:
        return study
    if sessions < 2 * study.fractions:
        raise UsageError(f"--sessions {sessions}: two patients of {study.fractions} fractions are {2 * study.fractions} sessions; "
                         "ask for more")
    return study.model_copy(update={"sessions": sessions})


def a_minute(done: int, begin: float) -> str:
    """By the clock."""
    return f"{60.0 * done / (time.perf_counter() - begin):.0f} a minute"


def show(outcome: Any, files: dict[str, Path], wall_s: float, as_json: bool) -> None:
    """For people or for scripts."""
    if as_json:
        click.echo(files["result"].read_text(encoding="utf-8"), nl=False)
        return
    if not outcome.complete:
        click.echo(f"ended early: {len(outcome.worked)} of {outcome.asked} patients")
    fractions = outcome.study.fractions
    click.echo(f"{outcome.study.name}: {len(outcome.worked)} patients x {fractions} fractions in every arm, seed {outcome.seed}")
    click.echo(line("mm, 95 % interval in brackets", "recipe", f"{fractions} fractions", "covers 90 %", "first beam"))
    for arm in outcome.arms:
        numbers = (arm.numbers[key] for key in ("recipe_mm", "recipe_few_mm", "covers_90_mm"))
        click.echo(line(arm.title, *(f"{n.value:.1f} ({n.low:.1f}-{n.high:.1f})" for n in numbers), f"{arm.start_median_mm:.2f}"))
    for c in outcome.comparisons:
        low, high = c.published.margin_mm
        figure = f"{low:.1f}" if low == high else f"{low:.1f}-{high:.1f}"
        click.echo(f"published {figure} mm ({c.published.source}): {c.published.arm} here is {c.verdict}")
    click.echo(f"{wall_s:.0f} s; digest {outcome.digest}")
    for what, path in files.items():
        click.echo(f"  {what:<10} {path}")
    click.echo("  simulated; not for clinical use")


def line(title: str, *cells: str) -> str:
    """A row of the table."""
    return f"{title:<30}" + "".join(f" {cell:>18}" for cell in cells)
