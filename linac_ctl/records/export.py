"""Rows for other programs: CSV with named columns, or Parquet with whole micrometres and millidegrees."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RecordError

from .jsonio import dumps
from .rows import Rows
from .run_record import RunRecord

WHOLE = ("cycle", "phase", "beam", "permit", "hold", "reactions")  # codes and counts
# column's own unit -> (unit in the file, steps per unit): one step is finer than any encoder
GRID = {"mm": ("um", 1000.0), "deg": ("mdeg", 1000.0), "mu": ("umu", 1e6), "s": ("umu_per_s", 1e6)}
MISSING = np.iinfo(np.int32).min


def write_csv(rows: Rows, out: Path) -> Path:
    """One line per row; a missing reading is an empty field."""
    formats = ",".join("%d" if name in WHOLE else "%.5g" if "rate" in name else "%.4f" for name in rows.columns)
    try:
        with out.open("w", encoding="utf-8", newline="\n") as file:
            file.write(",".join(rows.columns) + "\n")
            for row in rows.data:
                line = formats % tuple(row.tolist())
                file.write((line.replace("nan", "") if "nan" in line else line) + "\n")
    except OSError as e:
        raise RecordError(f"{out}: cannot be written: {e.strerror}") from None
    return out


def grid_name(column: str) -> tuple[str, float]:
    """Name and steps per unit of a column in the Parquet file; ("...", 0) stays as it is."""
    if column in WHOLE or column == "control_point":
        return column, 0.0
    if column == "rate_mu_per_s":
        return "rate_umu_per_s", 1e6
    if column in ("expected_mu", "mu_1", "mu_2"):
        return column.replace("mu", "umu"), 1e6
    stem, _, unit = column.rpartition("_")
    name, steps = GRID[unit]
    return f"{stem}_{name}", steps


def on_grid(values: NDArray[Any], steps: float) -> NDArray[np.int32]:
    """Nearest whole step; MISSING for not-a-number and for what does not fit."""
    scaled = np.rint(values.astype(np.float64) * steps)
    fine = np.isfinite(scaled) & (np.abs(scaled) < -float(MISSING))
    return np.where(fine, scaled, MISSING).astype(np.int32)


def write_parquet(record: RunRecord, rows: Rows, out: Path) -> Path:
    """Delta-packed, zstd. RecordError when pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise RecordError(
            "export: Parquet needs pyarrow, which is not installed: pip install 'linac-ctl[parquet]', or export csv"
        ) from None
    table = pa.table(_arrays(pa, rows), metadata={"linac-ctl": dumps(_about(record))})
    packed = [name for name in table.column_names if table.schema.field(name).type == pa.int32()]
    try:
        pq.write_table(
            table,
            out,
            compression="zstd",
            use_dictionary=False,
            column_encoding=dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
        )
    except OSError as e:
        raise RecordError(f"{out}: cannot be written: {e.strerror}") from None
    return out


def _arrays(pa: Any, rows: Rows) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for column in rows.columns:
        name, steps = grid_name(column)
        values = rows[column]
        if column == "control_point":
            arrays[name] = pa.array(values)
        else:
            whole = on_grid(values, steps or 1.0)
            arrays[name] = pa.array(whole, mask=whole == MISSING)
    return arrays


def _about(record: RunRecord) -> dict[str, Any]:
    m = record.manifest
    return {
        "session": m.session,
        "machine": m.machine,
        "seed": m.seed,
        "code_version": m.code_version,
        "cycle_s": m.cycle_s,
        "phases": m.phases,
        "config_sha256": m.config_sha256,
        "plan_sha256": m.plan_sha256,
    }
