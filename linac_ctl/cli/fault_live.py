"""`linac-ctl fault inject`, `clear` and `list --run`: verbs for a running session, over the control socket in its folder."""

import json
import re
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError

NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|[+-]?\.\d+")  # nan and inf are words
RUN = click.option("--run", "run", required=True, type=click.Path(path_type=Path), help="Run folder of the running session.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("inject")
@click.argument("mode", required=False)
@RUN
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the mode (repeatable).")
@click.option("--signal", metavar="WIRE", help="Instead of a mode: a wire, like gantry.readback.")
@click.option("--behaviour", help="What becomes of that wire: freeze, bias, nan, ...")
@click.option("--size", type=float, default=0.0, help="Of the behaviour, in the wire's unit.")
@click.option("--cycles", type=click.IntRange(0), default=0, help="Of the behaviour: delay, replay.")
@click.option("--parameter", metavar="PATH", help="Instead of a mode: a parameter of the plant, like plant.mlc[17].moves.")
@click.option("--value", type=float, help="What that parameter is to be.")
@click.option("--when", "when", multiple=True, metavar="NAME=VALUE",
              help="Later: mu=20, beam=2, phase=beam_on, at_s=430, after_s=1 (repeatable; default: now).")
@click.option("--lasts", multiple=True, metavar="HOW", help="blip, s=0.5, mu=2, every_s=3 (repeatable; default: until cleared).")
@click.option("--id", "name", help="What to call it (default: the mode, with a number).")
@JSON
def inject(mode: str | None, run: Path, settings: tuple[str, ...], signal: str | None, behaviour: str | None, size: float,
           cycles: int, parameter: str | None, value: float | None, when: tuple[str, ...], lasts: tuple[str, ...],
           name: str | None, as_json: bool) -> None:
    """Make MODE happen in the next cycle of a running session, or at a moment to come."""
    from ..live.client import ask

    said = {"id": name, "mode": mode, "signal": signal, "behaviour": behaviour, "size": size, "cycles": cycles,
            "parameter": parameter, "set": pairs(settings, "--set"), "when": pairs(when, "--when"),
            "lasts": pairs(lasts, "--lasts")}
    fault = {key: given for key, given in said.items() if given} | ({} if value is None else {"value": value})
    tell(ask(run, do="inject", fault=fault), as_json)


@click.command("clear")
@click.argument("name")
@RUN
@JSON
def clear(name: str, run: Path, as_json: bool) -> None:
    """Put everything back that the fault NAME of a running session has changed."""
    from ..live.client import ask

    tell(ask(run, do="clear", id=name), as_json)


def list_live(run: Path, as_json: bool) -> None:
    """What has become of every fault of a running session."""
    from ..live.client import ask

    tell(ask(run, do="list"), as_json)


def pairs(texts: tuple[str, ...], option: str) -> dict[str, Any]:
    """name=value, numbers as numbers, a word alone as true; UsageError for anything else."""
    return dict(pair(text, option) for text in texts)


def pair(text: str, option: str) -> tuple[str, float | str | bool]:
    """One of them."""
    if text == "blip":
        return "blip", True
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UsageError(f"{option} {text!r}: write it like {'s=0.5' if option == '--lasts' else 'leaf=17'}")
    if not NUMBER.fullmatch(value):
        return name, value
    return name, float(value) if "." in value or "e" in value.lower() else int(value)


def tell(said: dict[str, Any], as_json: bool) -> None:
    """Every fault of the session, and how far it has come."""
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    click.echo(f"after cycle {said['cycle']} ({said['cycle'] / 100:.2f} s):")
    for fault in said["faults"]:
        cycles = {what: fault[f"{what}_cycle"] for what in ("injected", "effective", "cleared")}
        steps = [f"{what} {cycle / 100:.2f} s" for what, cycle in cycles.items() if cycle is not None]
        click.echo(f"  {fault['id']:<14} {fault['what']:<24} {fault['state']:<8} {', '.join(steps)}")
    if not said["faults"]:
        click.echo("  no faults yet")
