"""All benchmarks in one run, as a table or as JSON: `python -m benchmarks [--only session,c] [--json]`."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import (
    axes,
    c_reference,
    fdk,
    forks,
    guided,
    links,
    parts,
    projector,
    realtime,
    session,
    startup,
    witness,
)
from benchmarks.measure import Row

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "session": session.rows, "parts": parts.rows, "witness": witness.rows, "c": c_reference.rows, "axes": axes.rows,
    "startup": startup.rows,
    "realtime": realtime.rows, "links": links.rows, "guided": guided.rows, "projector": projector.rows, "fdk": fdk.rows,
    "forks": forks.rows,
}


def main() -> int:
    """-> 0; figures are for people to judge, a loaded machine is no error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(BENCHMARKS), help=f"some of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    chosen = parser.parse_args()
    names = chosen.only.split(",")
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    found: list[dict[str, Any]] = []
    if not chosen.json:
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    for name in names:
        for row in BENCHMARKS[name]():
            found.append({"benchmark": name} | row.data())
            if not chosen.json:
                print(f"{name:9s} {row.text()}", flush=True)
    if chosen.json:
        print(json.dumps({"load": os.getloadavg()[0], "rows": found}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
