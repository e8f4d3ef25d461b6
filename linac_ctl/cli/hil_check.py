"""`linac-ctl hil check PORT`: does a device keep to the wire protocol?"""

import sys
from datetime import datetime
from pathlib import Path

import click

from linac_ctl.errors import UsageError
from linac_ctl.hil.bench import Bench, Options
from linac_ctl.hil.kit import CHECKS, chosen, examine, meet
from linac_ctl.hil.report import CheckReport, data, write
from linac_ctl.hil.verdict import Finding, State
from linac_ctl.records.jsonio import dumps

from .hil_line import BAUD, TAP, WAIT, client, url_of

COLOURS = {State.PASSED: "green", State.FAILED: "red", State.SKIPPED: "yellow"}
WARNING = """For simulators and bench set-ups only. NEVER with a person on or near what moves, never on a machine that can treat.
Every axis moves by up to 2 mm or 2 degrees and back, stops included, and what radiates is armed (no permit is given)."""


@click.command("check")
@click.argument("port", required=False)
@BAUD
@WAIT
@TAP
@click.option("--no-motion", is_flag=True, help="Leave out whatever gives drives power, moves, or arms.")
@click.option("--yes", is_flag=True, help="Do not ask before motion: nobody is near what moves.")
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check; may be repeated.")
@click.option("--list", "list_checks", is_flag=True, help="Name the checks and end.")
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.5, 3600.0), help="How long clocks are compared.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("hil-check"), show_default=True,
              help="Folder for check.html and check.json.")
@click.option("--json", "as_json", is_flag=True, help="Print check.json instead of a line for each check.")
def command(port: str | None, baud: int | None, wait_ms: float, tap: Path | None, no_motion: bool, yes: bool,
            only: tuple[str, ...], list_checks: bool, seconds: float, out: Path, as_json: bool) -> int:
    """Check whether the device at PORT keeps to the wire protocol; write a report to hand on.

    Exit 0 if every check passed, 1 if one failed, 6 if there is no device at PORT or it speaks something else.
    """
    if list_checks:
        list_all()
        return 0
    if port is None:
        raise UsageError("which PORT? Like /dev/ttyUSB0 or tcp://127.0.0.1:4001; --list names the checks")
    checks, url = chosen(only), url_of(port, baud)
    if not no_motion and any(check.acts for check in checks):
        consent(yes)
    with client(url, wait_ms, tap) as asking:
        bench = meet(asking, Options(not no_motion, port, url.baud, seconds))
        findings = examine(bench, checks, (lambda finding: None) if as_json else say)
    return finish(bench, findings, out, as_json)


def list_all() -> None:
    """Names and claims."""
    for check in CHECKS:
        click.echo(f"{check.name:<20} {check.claim}{' (moves or arms)' if check.acts else ''}")


def consent(yes: bool, warning: str = WARNING, otherwise: str = ", or --no-motion") -> None:
    """Somebody who is there says yes, or said it in advance."""
    click.secho(warning, err=True, fg="yellow")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody here to ask: say --yes if nobody is near what moves{otherwise}")
    click.confirm("Is nobody near it?", abort=True, err=True)


def say(finding: Finding) -> None:
    """One line, and what is wrong."""
    state = click.style(f"{finding.state:<8}", fg=COLOURS[finding.state])
    click.echo(f"{state} {finding.name:<20} {finding.skipped or finding.claim}")
    for statement in finding.wrong:
        click.echo(f"{'':9}not true: {statement.text}{f': {statement.seen}' if statement.seen else ''}")


def finish(bench: Bench, findings: list[Finding], out: Path, as_json: bool) -> int:
    """Write, tell, and -> the exit code."""
    written = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    report = CheckReport(bench.told, findings, bench.options.port, bench.options.motion, written)
    html, _ = write(report, out)
    if as_json:
        click.echo(dumps(data(report), indent=1))
    else:
        click.echo(f"{report.outcome}; {html}")
    return 0 if report.passed else 1
