"""linac-ctl export RUN: rows as CSV or Parquet, trajectory logs."""

from pathlib import Path

import click


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(["csv", "parquet", "tlog"]), required=True, help="What to write.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File (csv, parquet) or folder (tlog); default: in the run folder."
)
@click.option(
    "--log-version",
    type=click.Choice(["3.0", "4.0"]),
    default="3.0",
    show_default=True,
    help="Version of trajectory logs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON.")
def command(run: Path, kind: str, out: Path | None, log_version: str, as_json: bool) -> None:
    """Write the rows of RUN for other programs.

    csv: every row, named columns with units. parquet: the same in whole um and mdeg, needs the extra
    'parquet'. tlog: Varian-format trajectory logs, one per beam that was started.
    """
    from linac_ctl.records.jsonio import dumps

    paths = export(run, kind, out, log_version)
    click.echo(dumps({"written": [str(path) for path in paths]}) if as_json else "\n".join(map(str, paths)))


def export(run: Path, kind: str, out: Path | None, log_version: str) -> list[Path]:
    """-> what was written."""
    from linac_ctl.records.export import write_csv, write_parquet
    from linac_ctl.records.products import LOGS, write_logs
    from linac_ctl.records.run_record import RunRecord

    record = RunRecord.open(run)
    rows = record.rows()
    if kind == "tlog":
        folder = out or record.path / LOGS / f"v{log_version[0]}"
        return write_logs(folder, rows, record.plan(), record.machine(), record.manifest, log_version)
    target = out or record.path / f"rows.{kind}"
    return [write_csv(rows, target) if kind == "csv" else write_parquet(record, rows, target)]
