"""`linac-ctl study sessions`: the same session with other luck, many times."""

import csv
import json
import math
import os
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from .progress_bar import ProgressBar

TABLE = "sessions.csv"


@click.command("sessions")
@click.argument("session", default="spine_igrt_quick")
@click.option("--seeds", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="How many sessions.")
@click.option("--first", type=click.IntRange(0, 2**62), default=1, show_default=True, help="First seed.")
@click.option("-j", "processes", type=click.IntRange(1, 1024), help="Processes (default: one for each processor).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder (default studies/<time>-<session>); an old one is continued.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(session: str, seeds: int, first: int, processes: int | None, out: Path | None, as_json: bool) -> int:
    """Run SESSION (default: spine_igrt_quick) with many seeds and say how far the target was from its place, in truth.

    Every session is a whole one: staff, imaging, match, shift, interlocks, every beam. Each leaves a row in sessions.csv. Ctrl-C
    keeps what is done; the same command with the same --out goes on.
    """
    from .session_pool import all_of

    folder = out or Path("studies") / f"{datetime.now():%Y%m%d-%H%M%S}-{session}"
    rows = known(folder, session)
    left = [seed for seed in range(first, first + seeds) if seed not in {int(row["seed"]) for row in rows}]
    whole, begin = True, time.perf_counter()
    with Table(folder, session, seeds, len(rows), quiet=as_json) as table:
        if left:
            whole = all_of(session, left, processes or os.cpu_count() or 1, lambda row: table.add(row.cells()))
    found = summary(session, known(folder, session), time.perf_counter() - begin)
    (folder / "summary.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(found, indent=1) if as_json else text(found, folder))
    return 0 if whole else 130


def known(folder: Path, session: str) -> list[dict[str, str]]:
    """Rows of an earlier call; RefusedError when they are of another session."""
    from ..errors import RefusedError

    path, name = folder / TABLE, folder / "session.txt"
    if not path.exists():
        return []
    if (was := name.read_text(encoding="utf-8").strip() if name.exists() else "?") != session:
        raise RefusedError(f"{folder}: holds sessions of {was!r}, not of {session!r}; choose another --out")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Table:
    """The CSV, row by row, and a bar on a terminal."""

    def __init__(self, folder: Path, session: str, total: int, done: int, quiet: bool) -> None:
        from ..errors import RecordError

        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "session.txt").write_text(session + "\n", encoding="utf-8")
            self.file = (folder / TABLE).open("a", newline="", encoding="utf-8")
        except OSError as error:
            raise RecordError(f"{folder}: cannot be written: {error.strerror}; choose another --out") from None
        self.empty, self.bar = self.file.tell() == 0, ProgressBar("sessions", total, done, quiet=quiet)

    def __enter__(self) -> "Table":
        self.bar.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.bar.__exit__(*exc)
        self.file.close()

    def add(self, cells: dict[str, str]) -> None:
        """One more session, safe from whatever comes next."""
        writer = csv.DictWriter(self.file, list(cells))
        if self.empty:
            writer.writeheader()
            self.empty = False
        writer.writerow(cells)
        self.file.flush()
        self.bar.advance()


def summary(session: str, rows: list[dict[str, str]], wall_s: float) -> dict[str, Any]:
    """Numbers of the whole table."""
    residuals = sorted(float(row["residual_mm"]) for row in rows if row["residual_mm"])
    last = sorted(float(row["last_residual_mm"]) for row in rows if row["last_residual_mm"])
    trips = Counter(name for row in rows for name in row["interlocks"].split())
    simulated = sum(float(row["simulated_s"]) for row in rows)
    return {
        "session": session, "sessions": len(rows), "outcomes": dict(Counter(row["outcome"] for row in rows)),
        "reasons": dict(Counter(row["reason"] for row in rows if row["reason"])),
        "residual_mm": quantiles(residuals), "last_residual_mm": quantiles(last),
        "interlocks": dict(trips), "holds": sum(int(row["holds"]) for row in rows),
        "shifts": dict(Counter(row["shifts"] for row in rows)), "triggered_images": sum(int(row["triggered"]) for row in rows),
        "worst_mu_off": max((float(row["mu_off"]) for row in rows if row["mu_off"]), default=None),
        "simulated_s": round(simulated, 2), "wall_s": round(wall_s, 2),
    }


def quantiles(values: list[float]) -> dict[str, float]:
    """Median, 95 and 99 % (the smallest value that so many do not exceed), worst."""
    if not values:
        return {}
    at = {name: values[math.ceil(share * len(values)) - 1] for name, share in (("median", 0.5), ("95", 0.95), ("99", 0.99))}
    return at | {"worst": values[-1]}


def text(found: dict[str, Any], folder: Path) -> str:
    """For people."""
    ended = ", ".join(f"{n} {what}" for what, n in found["outcomes"].items())
    lines = [f"{found['session']}: {found['sessions']} sessions; {ended}"]
    for what, key in (("first beam-on", "residual_mm"), ("last beam-on", "last_residual_mm")):
        if numbers := found[key]:
            lines.append(f"  target off its place at {what}, truth: " + ", ".join(
                f"{name + ' %' if name.isdigit() else name} {mm:.2f} mm" for name, mm in numbers.items()))
    trips = ", ".join(f"{name} {n}" for name, n in found["interlocks"].items()) or "none"
    lines.append(f"  interlocks: {trips}; holds: {found['holds']}; triggered images: {found['triggered_images']}")
    lines += [f"  {n} x {reason}" for reason, n in found["reasons"].items()]
    lines.append(f"  {found['simulated_s']:.0f} s simulated, {found['wall_s']:.0f} s of this call; {folder / TABLE}")
    return "\n".join([*lines, "  simulated; not for clinical use"])
