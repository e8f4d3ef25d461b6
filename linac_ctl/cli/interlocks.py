"""`linac-ctl interlocks`: the table for people and scripts, and operator resets on a stopped run."""

import json
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
        "phases": list(row.phases) or ["any"], "class": row.kind, "latched": table.latched(row), "reset_role": table.reset_role(row),
        "reaction": list(table.reactions(row)), "source": row.source,
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
    from rich.console import Console
    from rich.table import Table

    view = Table(title=f"{len(rows)} rows: {table.description}")
    for name in ("id", "name", "fine while", "debounce", "phases", "class", "latched", "reset", "reaction", "source"):
        view.add_column(name, overflow="fold")
    for r in rows:
        view.add_row(r["id"], r["name"], f"{r['signal']} {r['fine']}", f"{r['debounce_cycles']} cycles", " ".join(r["phases"]),
                     r["class"], "yes" if r["latched"] else "no", r["reset_role"], " ".join(r["reaction"]), r["source"])
    console = Console()
    console.print(view)
    for what, names in table.not_decidable.items():
        console.print(f"not decidable yet, needs {what}: {', '.join(names)}")


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
