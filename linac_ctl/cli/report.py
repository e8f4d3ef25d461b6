"""linac-ctl report RUN: one HTML file to look at, or the verdict as JSON."""

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="HTML file; default: report.html and plots/*.svg in the run folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON and write no HTML (unless --out).")
def command(run: Path, out: Path | None, as_json: bool) -> None:
    """Report on RUN: what was planned, what was delivered, what stopped it.

    Works on finished, interrupted and killed runs. The HTML file needs nothing else.
    """
    from linac_ctl.records.jsonio import dumps
    from linac_ctl.records.report import collect, summary, write_report
    from linac_ctl.records.run_record import RunRecord

    if as_json:
        verdict = summary(collect(RunRecord.open(run), plots=False))
        if out is not None:
            write_report(run, out)
        click.echo(dumps(verdict, indent=1))
    else:
        click.echo(str(write_report(run, out)))
