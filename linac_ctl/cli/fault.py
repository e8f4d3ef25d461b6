"""`linac-ctl fault`: the catalogue of what can go wrong, and the verbs for a session that runs."""

import json
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError
from .fault_live import clear, inject, list_live

DETECTED = {"time": "in time", "before_beam": "before there is beam", "before_motion": "before anything moves",
            "at_load": "when it is loaded", "at_start": "at the start", "never": "never: the machine must not react"}


@click.group("fault")
def command() -> None:
    """What can go wrong with the machine, and making it go wrong in a running session that is armed for it."""


command.add_command(inject)
command.add_command(clear)


@command.command("list")
@click.option("--layer", help="Only of this layer: plant, sensor, actuator, link, ...")
@click.option("--tier", type=click.IntRange(1, 3), help="Only of this tier.")
@click.option("--phase", help="Only what bites in this phase: setup, beam_on, ...")
@click.option("--run", "run", type=click.Path(path_type=Path), help="Instead: the faults of this running session.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_modes(layer: str | None, tier: int | None, phase: str | None, run: Path | None, as_json: bool) -> None:
    """Every fault mode, in one line each; with --run the faults of a running session."""
    if run is not None:
        list_live(run, as_json)
        return
    found = [mode for mode in chosen(layer, phase) if tier in (None, mode.tier)]
    if as_json:
        click.echo(json.dumps({"modes": [as_dict(mode) for mode in found]}, indent=1))
        return
    click.echo(f"{len(found)} modes; `linac-ctl fault show ID` tells all of one")
    click.echo(f"{'id':<8} {'tier':<5} {'sev.':<5} {'layer':<13} {'what':<66} has to bring")
    for mode in found:
        brings = " + ".join(mode.reaction)
        click.echo(f"{mode.id:<8} {mode.tier:<5} {mode.severity:<5} {mode.layer:<13} {mode.what[:66]:<66} {brings}")


def chosen(layer: str | None, phase: str | None) -> list[Any]:
    """Modes of a layer that bite in a phase; UsageError for a layer or phase that does not exist."""
    from device_models.faults.fault import PHASES
    from device_models.faults.modes import catalogue

    modes = list(catalogue().values())
    layers = list(dict.fromkeys(mode.layer for mode in modes))
    for word, known, option in ((layer, layers, "--layer"), (phase, list(PHASES), "--phase")):
        if word is not None and word not in known:
            raise UsageError(f"{option} {word!r}: there are {', '.join(known)}")
    return [mode for mode in modes if layer in (None, mode.layer) and (phase is None or not mode.phases or phase in mode.phases)]


@command.command("show")
@click.argument("mode")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(mode: str, as_json: bool) -> None:
    """All that is known of MODE: settings, where it bites, what has to happen, how fast."""
    from device_models.faults.errors import FaultError
    from device_models.faults.modes import find

    try:
        found = as_dict(find(mode))
    except FaultError as error:
        raise UsageError(f"{error} `linac-ctl fault list` shows all") from None
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for line in told(found):
        click.echo(line)


def as_dict(mode: Any) -> dict[str, Any]:
    """Plain values."""
    return {
        "id": mode.id, "tier": mode.tier, "layer": mode.layer, "device": mode.device, "name": mode.name, "what": mode.what,
        "settings": {name: setting(kind) for name, kind in mode.settings.items()}, "phases": list(mode.phases) or ["any"],
        "severity": mode.severity, "expected": list(mode.expected), "reaction": list(mode.reaction), "detect_by": mode.detect_by,
        "max_detection_ms": mode.max_detection_ms, "max_reaction_ms": mode.max_reaction_ms, "max_mu": mode.max_mu,
        "limits": list(mode.limits), "activation": mode.activation, "needs": list(mode.needs), "source": mode.source,
    }


def setting(kind: Any) -> dict[str, Any]:
    """What may be set, and what is taken when nothing is."""
    if hasattr(kind, "values"):
        return {"values": list(kind.values), "usual": kind.usual}
    return {"low": kind.low, "high": kind.high, "usual": kind.usual, "whole": kind.whole}


def told(mode: dict[str, Any]) -> list[str]:
    """A mode, line by line."""
    lines = [f"{mode['id']} {mode['name']}: {mode['what']}",
             f"  {mode['layer']}, {mode['device']}; tier {mode['tier']}, severity {mode['severity']}, {mode['activation']}"]
    for name, kind in mode["settings"].items():
        span = ", ".join(str(v) for v in kind["values"]) if "values" in kind else f"{kind['low']:g} to {kind['high']:g}"
        lines.append(f"  setting       {name}: {span} (usual: {kind['usual']})")
    return lines + [
        f"  bites in      {', '.join(mode['phases'])}{'; needs ' + ', '.join(mode['needs']) if mode['needs'] else ''}",
        f"  has to bring  {' + '.join(mode['reaction'])}, by {' or '.join(mode['expected']) or 'nothing'}",
        f"  how fast      {'; '.join(demands(mode))}",
        *[f"  further       {limit}" for limit in mode["limits"]],
        *([f"  source        {mode['source']}"] if mode["source"] else []),
        f"  try it        linac-ctl fault inject {mode['id']} --run DIR",
    ]


def demands(mode: dict[str, Any]) -> list[str]:
    """Times from where truth or a wire is another one, dose from there on."""
    seen = mode["max_detection_ms"]
    return [
        f"seen {DETECTED[mode['detect_by']]}" if seen is None else f"seen within {seen:g} ms",
        *([] if mode["max_reaction_ms"] is None else [f"stopped within {mode['max_reaction_ms']:g} ms more"]),
        *([] if mode["max_mu"] is None else [f"at most {mode['max_mu']:g} MU at 600 MU/min"]),
    ]
