"""How `hil decode` and `hil monitor` show a line."""

from dataclasses import asdict

import click

from linac_ctl.hil.verdict import Heard
from linac_ctl.records.jsonio import dumps


def as_json(heard: Heard) -> str:
    """One object a line."""
    return dumps(asdict(heard))


def as_text(heard: Heard, timed: bool = True) -> str:
    """Time, direction, the line, and what it means or what is wrong with it."""
    time = f"{heard.t_ms / 1000.0:12.6f} s " if timed else ""
    arrow = click.style("->", fg="blue") if heard.sent else "<-"
    tail = click.style(f"   ## {heard.problem}", fg="red") if heard.problem else f"   # {heard.meaning}" if heard.meaning else ""
    return f"{time}{arrow} {heard.text}{tail}"
