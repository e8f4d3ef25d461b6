"""`linac-ctl doctor`: looks at this computer and says, line by line, what works, what does not, and what to do."""

import json
from dataclasses import asdict

import click

from .checks import Finding, links, software, system

MARKS = {"ok": ("ok", "green"), "info": ("--", "cyan"), "warn": ("!!", "yellow"), "fail": ("XX", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def command(as_json: bool) -> int:
    """Look at this computer: what works, what is missing, what to do.

    Exit 0 if everything that a run needs is there, 1 if not. The timing self-test takes 0.2 s.
    """
    findings = [*software.findings(), *system.findings(), *links.findings()]
    failed = [finding for finding in findings if finding.state == "fail"]
    if as_json:
        answer = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(line(finding))
        click.echo(f"{len(failed)} thing(s) to fix before a run" if failed else "ready to run")
    return 1 if failed else 0


def line(finding: Finding) -> str:
    """One line; with what to do below it when there is something to do."""
    mark, colour = MARKS[finding.state]
    text = f"{click.style(mark, fg=colour)}  {finding.name:<18} {finding.found}"
    return f"{text}\n{'':24}-> {finding.advice}" if finding.advice else text
