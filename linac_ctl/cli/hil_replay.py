"""`linac-ctl hil replay FILE --to PORT`: does a device answer as it did?"""

from dataclasses import asdict
from pathlib import Path

import click

from linac_ctl.errors import RecordError
from linac_ctl.hil.contact import hello
from linac_ctl.hil.replay import Compared, recorded, replay
from linac_ctl.hil.tape import pieces
from linac_ctl.records.jsonio import dumps

from .hil_check import consent
from .hil_decode import read
from .hil_line import BAUD, TAP, WAIT, client, url_of

WARNING = """For simulators and bench set-ups only. NEVER with a person on or near what moves, never on a machine that can treat.
Whatever moved in the recording moves again, from wherever it is now."""


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", "port", required=True, metavar="PORT", help="The device that hears the requests.")
@BAUD
@WAIT
@TAP
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(0.0, 1000.0),
              help="Times the recorded pace; 0: at once.")
@click.option("--tolerance", default=0, show_default=True, type=click.IntRange(0, 10**9),
              help="How far numbers in replies may be off.")
@click.option("--yes", is_flag=True, help="Do not ask first: nobody is near what moves.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a request.")
def command(file: Path, port: str, baud: int | None, wait_ms: float, tap: Path | None, speed: float,
            tolerance: int, yes: bool, as_json: bool) -> int:
    """Send the requests in FILE (a tap) to the device at PORT again, at their recorded times, and compare the replies.

    Times and what names a device are not compared. Exit 0 if all replies are the same, 1 if one differs, 6 without a device.
    """
    asked = recorded(pieces(read(file), str(file)))
    if not asked:
        raise RecordError(f"{file}: no valid request in it; look at it with linac-ctl hil decode")
    consent(yes, WARNING, "")
    wrong = total = 0
    with client(url_of(port, baud), wait_ms, tap) as asking:
        session = hello(asking, port).keys().get("session", "")
        for one in replay(asking, asked, session, tolerance, speed):
            total, wrong = total + 1, wrong + bool(one.difference)
            click.echo(dumps(asdict(one))) if as_json else tell(one)
    click.echo(f"{total} requests, {wrong} replies differ", err=as_json)
    return 1 if wrong else 0


def tell(one: Compared) -> None:
    """Only what differs."""
    if one.difference:
        click.echo(f"{one.t_ms / 1000.0:10.3f} s {one.request}\n{'':13}recorded {one.recorded}\n{'':13}came     {one.came}\n"
                   f"{'':13}{click.style(one.difference, fg='red')}")
