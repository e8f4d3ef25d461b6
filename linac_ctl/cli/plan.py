"""`linac-ctl plan`: look at, check and make DICOM RT Plans."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from linac_ctl.config.machine import MachineConfig

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
FILE = click.argument("file", type=click.Path(path_type=Path))
REFUSED = 3  # exit code of a plan that cannot be delivered


@click.group("plan")
def command() -> None:
    """Look at, check and make DICOM RT Plans."""


@command.command("show")
@FILE
@AS_JSON
@click.option("--picture", type=click.Path(path_type=Path), help="Write the apertures in beam's-eye view to this PNG.")
def show(file: Path, as_json: bool, picture: Path | None) -> None:
    """What is in a plan: a table per beam, and a picture of its apertures."""
    from linac_ctl.plan.dicom_import import read_plan
    from linac_ctl.plan.summary import plan_summary

    plan = read_plan(file)
    if picture:
        from linac_ctl.plan.bev import draw_plan

        draw_plan(plan, picture)
    summary = plan_summary(plan)
    if as_json:
        click.echo(json.dumps(summary | ({"picture": str(picture)} if picture else {}), indent=2, ensure_ascii=False))
        return
    _print(summary)
    if picture:
        click.echo(f"picture: {picture}")


@command.command("check")
@FILE
@click.option("--machine", required=True, help="Machine file under configs/machines, by name or path.")
@click.option("--group", type=int, help="Number of one fraction group; all by default.")
@AS_JSON
def check_plan(file: Path, machine: str, group: int | None, as_json: bool) -> int:
    """Can this machine deliver this plan? Exit code 0: yes; 3: no, and every reason."""
    from linac_ctl.plan.check import check, errors
    from linac_ctl.plan.dicom_import import read_plan

    findings = check(read_plan(file), _machine(machine), group)
    wrong = errors(findings)
    if as_json:
        answer = {
            "file": str(file),
            "machine": machine,
            "deliverable": not wrong,
            "findings": [f.as_dict() for f in findings],
        }
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{finding.severity}: {finding.message}")
        click.echo(f"{file}: {f'cannot be delivered: {len(wrong)} errors' if wrong else 'deliverable'} on {machine}")
    return REFUSED if wrong else 0


@command.command("make")
@click.argument("kind")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.")
@click.option("--machine", help="Plan for the MLC of this machine.")
@click.option("--mlc", help="Plan for this MLC; millennium_120 by default.")
@click.option("--target", help="Outline to plan for: a built-in name or a YAML file; each kind has its own.")
@click.option("--mu", type=float, help="MU of one fraction, all beams together.")
@click.option(
    "--date", help="Plan date YYYYMMDD; always the same by default, so that the same plan has the same bytes."
)
@AS_JSON
def make(
    kind: str,
    out: Path | None,
    machine: str | None,
    mlc: str | None,
    target: str | None,
    mu: float | None,
    date: str | None,
    as_json: bool,
) -> None:
    """Write a valid RT Plan of KIND for a target outline; KIND `list` names the kinds."""
    from linac_ctl.plan import make as maker

    if kind == "list":
        _print_kinds(as_json)
        return
    if out is None:
        raise click.UsageError("Missing option '--out'.")
    model = mlc or _mlc_of(machine) or "millennium_120"
    maker.write_plan(out, kind, model, maker.load_target(target) if target else None, mu, date=date or maker.FIXED_DATE)
    answer = {"file": str(out), "kind": kind, "mlc": model}
    click.echo(json.dumps(answer) if as_json else f"{out}: {kind} for {model}; simulator only, not for clinical use")


def _machine(name: str) -> "MachineConfig":
    from linac_ctl.config.loader import load_machine

    return load_machine(name).controller


def _mlc_of(machine: str | None) -> str | None:
    if machine is None:
        return None
    from linac_ctl.errors import PlanError

    mlc = _machine(machine).mlc
    if mlc is None:
        raise PlanError(f"plan make: machine {machine} has no MLC; choose another machine, or give --mlc")
    return mlc.model


def _print_kinds(as_json: bool) -> None:
    from linac_ctl.plan.make import mlc_names
    from linac_ctl.plan.make.recipes import RECIPES

    if as_json:
        click.echo(
            json.dumps({"kinds": {name: recipe.what for name, recipe in RECIPES.items()}, "mlc": mlc_names()}, indent=2)
        )
        return
    for name, recipe in RECIPES.items():
        click.echo(f"{name:<17s} {recipe.what}, {recipe.mu:g} MU")
    click.echo(f"MLC: {', '.join(mlc_names())}")


def _print(summary: dict[str, Any]) -> None:
    """Rich is loaded here only: `--help` has to be quick."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    console.print(f"{summary['label']}  {summary['file']}", style="bold", markup=False)
    console.print(
        f"patient {summary['patient_id']} ({summary['patient_position'] or 'position not given'}), "
        f"{summary['approval'] or 'no approval status'}",
        markup=False,
    )
    for group in summary["fraction_groups"]:
        console.print(
            f"fraction group {group['number']}: {group['fractions']} fractions, beams {group['beams']}, "
            f"{sum(group['mu']):.2f} MU each",
            markup=False,
        )
    table = Table(*COLUMNS)
    for beam in summary["beams"]:
        table.add_row(*_row(beam))
    console.print(table)
    if summary["setup_beams"]:
        console.print(f"set-up beams, not treated: {', '.join(summary['setup_beams'])}", markup=False)
    for note in summary["notes"]:
        console.print(f"note: {note}", markup=False)


COLUMNS = (
    "beam",
    "name",
    "technique",
    "mode",
    "MU",
    "MU/min",
    "CPs",
    "gantry deg",
    "coll deg",
    "couch deg",
    "X mm",
    "Y mm",
    "leaves",
    "area cm2",
)


def _row(beam: dict[str, Any]) -> list[str]:
    from rich.markup import escape

    jaws = beam["jaws_mm"]
    return [
        str(beam["number"]),
        escape(beam["name"]),
        beam["technique"],
        beam["mode"],
        f"{beam['mu']:.2f}",
        "-" if beam["dose_rate_mu_per_min"] is None else f"{beam['dose_rate_mu_per_min']:g}",
        str(beam["control_points"]),
        _way(beam["gantry_deg"]),
        _way(beam["collimator_deg"]),
        _way(beam["couch_rotation_deg"]),
        _pair(jaws["X1"], jaws["X2"]),
        _pair(jaws["Y1"], jaws["Y2"]),
        f"{beam['leaf_pairs']} pairs" if beam["has_leaf_positions"] else "-",
        "-" if beam["area_cm2"] is None else f"{beam['area_cm2'][0]:.1f} .. {beam['area_cm2'][1]:.1f}",
    ]


def _way(ends: list[float]) -> str:
    return f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g} to {ends[1]:g}"


def _pair(low: list[float] | None, high: list[float] | None) -> str:
    """Widest opening of two jaws."""
    return "-" if low is None or high is None else f"{low[0]:g} .. {high[1]:g}"
