"""`linac-ctl hil monitor PORT|FILE`: decoded traffic as it happens."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from linac_ctl.hil.monitor import watch
from linac_ctl.hil.tape import rows
from linac_ctl.hil.traffic import Reader
from linac_ctl.hil.verdict import Heard

from . import hil_frames
from .hil_line import BAUD, TAP, WAIT, client, url_of

LOOK_S = 0.1


@click.command("monitor")
@click.argument("source", metavar="PORT|FILE")
@BAUD
@WAIT
@click.option("--telemetry", "telemetry_ms", default=0, type=click.IntRange(0, 10_000), metavar="MS",
              help="Ask the device at PORT for telemetry this often, and keep its watchdog fed (default: only listen).")
@click.option("--for", "for_s", default=math.inf, type=click.FloatRange(min=0.0), metavar="S",
              help="End after so long; else Ctrl-C.")
@TAP
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(source: str, baud: int | None, wait_ms: float, telemetry_ms: int, for_s: float, tap: Path | None,
            as_json: bool) -> None:
    """Show decoded traffic: of the device at PORT, or of a tap FILE that is still being written.

    Nothing moves. A port belongs to one program at a time: to look at a running session, follow the tap that it writes.
    """
    show = hil_frames.as_json if as_json else hil_frames.as_text
    if Path(source).is_file():
        heard = follow(Path(source), for_s)
        tell(heard, show)
        return
    url = url_of(source, baud)
    with client(url, wait_ms, tap) as asking:
        tell(watch(asking, min(for_s, 1e9) * 1000.0, telemetry_ms, source), show)
        if not asking.stream.up:
            click.echo(asking.stream.why, err=True)


def tell(heard: Iterator[Heard], show: Callable[[Heard], str]) -> None:
    """As it comes."""
    for one in heard:
        click.echo(show(one))


def follow(file: Path, for_s: float) -> Iterator[Heard]:
    """What is there and what is added, line by line."""
    end_s, reader, held = time.monotonic() + for_s, None, ""
    with file.open(encoding="latin-1", newline="\n") as source:
        while True:
            held += source.read()
            *whole, held = held.split("\n")
            for piece in rows((f"{line}\n" for line in whole), str(file)):
                reader = reader or Reader(piece.t_us)
                yield from reader.feed(piece)
            if time.monotonic() >= end_s:
                return
            time.sleep(min(LOOK_S, max(end_s - time.monotonic(), 0.0)))
