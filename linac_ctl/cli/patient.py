"""`linac-ctl patient`: patients as files."""

import json
from pathlib import Path

import click


@click.group("patient")
def command() -> None:
    """Patients as files of a planning system. SIMULATOR, not for clinical use."""


@command.command("make")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--plan", "kind", default="spine_sbrt", show_default=True, help="Kind of plan, as `plan make` names it.")
@click.option("--machine", default="c_arm_hd120", show_default=True, help="Machine that the plan and the session are for.")
@click.option("--mu", type=float, help="MU of one fraction, all beams together.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def make(folder: Path, kind: str, machine: str, mu: float | None, as_json: bool) -> None:
    """Write the built-in patient to FOLDER: planning CT, structure set and plan that belong together, and a session.

    Any of the three may be replaced by your own: then `linac-ctl run` says whether they still belong together.
    """
    from ..patient_files import write_patient

    files = write_patient(folder, kind, machine, mu)
    if as_json:
        click.echo(json.dumps({name: str(path) for name, path in files.items()}))
        return
    for name, path in files.items():
        click.echo(f"{name:<11}{path}")
    click.echo(f"treat it: linac-ctl run {files['session']}; simulator only, not for clinical use")
