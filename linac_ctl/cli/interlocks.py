"""`linac-ctl interlocks`: the table for people and scripts, and operator resets on a stopped run."""

import difflib
import json
import textwrap
from pathlib import Path
from typing import Any

import click


def table_of(machine: str) -> Any:
    """The interlock table of a machine."""
    from ..config.loader import load, load_machine, validate
    from ..interlocks.table import InterlockTable

    return validate(InterlockTable, load("interlocks", load_machine(machine).interlocks))


def as_dict(table: Any, row: Any) -> dict[str, Any]:
    """One row with its class's defaults filled in."""
    return {
        "id": row.id, "name": row.catalogue_name, "signal": row.signal, "fine": row.fine, "debounce_cycles": row.debounce,
        "phases": list(row.phases) or ["any"], "class": row.kind, "latched": table.latched(row),
        "reset_role": table.reset_role(row), "reaction": list(table.reactions(row)), "source": row.source,
    }


@click.group("interlocks")
def command() -> None:
    """What stops the machine, why, and who may reset it."""


@command.command("list")
@click.option("--machine", default="c_arm_m120", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def list_rows(machine: str, as_json: bool) -> None:
    """Every row, and the names that this version cannot decide yet."""
    table = table_of(machine)
    rows = [as_dict(table, row) for row in table.rows]
    if as_json:
        click.echo(json.dumps({"rows": rows, "not_decidable": {k: list(v) for k, v in table.not_decidable.items()}}, indent=1))
        return
    click.echo(f"{len(rows)} rows: {table.description}")
    click.echo(f"{'id':<18} {'class':<5} {'fine while':<34} {'watched in':<16} reaction")
    for r in rows:
        fine, phases = f"{r['signal']} {r['fine']}", ",".join(r["phases"])
        click.echo(f"{r['id']:<18} {r['class']:<5} {fine:<34} {phases:<16} {', '.join(r['reaction'])}")
    for what, names in table.not_decidable.items():
        click.echo("\n" + textwrap.fill(f"not decidable yet, needs {what}: {', '.join(names)}", 96, subsequent_indent="  "))
    click.echo("\nlinac-ctl interlocks show ID tells debounce, latch, who resets it, and the source of the limit")


@command.command("show")
@click.argument("interlock")
@click.option("--machine", default="c_arm_m120", show_default=True)
@click.option("--json", "as_json", is_flag=True)
def show_row(interlock: str, machine: str, as_json: bool) -> None:
    """Everything about one row, or about all rows of one catalogue name."""
    table = table_of(machine)
    rows = [as_dict(table, row) for row in table.rows if interlock in (row.id, row.catalogue_name)]
    if not rows:
        raise unknown(interlock, table)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for r in rows:
        for key, value in r.items():
            click.echo(f"{key:<16} {', '.join(value) if isinstance(value, list) else value}")
        click.echo("")


def unknown(interlock: str, table: Any) -> Exception:
    """UsageError: not there, or not decidable yet, or nearly this."""
    from ..errors import UsageError

    for what, names in table.not_decidable.items():
        if interlock in names:
            return UsageError(f"interlock {interlock}: this version cannot decide it, it needs {what}")
    near = difflib.get_close_matches(interlock.upper(), [row.id for row in table.rows], 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return UsageError(f"no interlock {interlock!r}{hint}; see linac-ctl interlocks list")


@command.command("reset")
@click.argument("interlock")
@click.option("--run", "run", required=True, type=click.Path(path_type=Path), help="Stopped run whose latch it is.")
@click.option("--who", required=True)
@click.option("--role", required=True, type=click.Choice(["therapist", "physicist", "physician", "engineer"]))
@click.option("--reason", required=True)
def reset(interlock: str, run: Path, who: str, role: str, reason: str) -> None:
    """Clear a latch that a stopped run left behind, so that `run --resume` may go on."""
    from ..outcome import reset_latch

    reset_latch(run, interlock, who=who, role=role, reason=reason)
    click.echo(f"{interlock}: reset by {who} ({role}); on record in {run}")
