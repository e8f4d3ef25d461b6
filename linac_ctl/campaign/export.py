"""Rows for other programs: CSV, or Parquet with the extra `parquet`. Lists and margins are JSON in a cell."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records.jsonio import plain, replace_file
from .row import Row

COLUMNS = tuple(f.name for f in fields(Row))


def cell(value: Any) -> Any:
    """Plain values stay."""
    return json.dumps(plain(value), sort_keys=True) if isinstance(value, dict | tuple) else plain(value)


def write_csv(rows: Sequence[Row], path: Path) -> Path:
    """Empty where nothing was measured."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([cell(getattr(row, name)) for name in COLUMNS] for row in rows)
    replace_file(path, text.getvalue().encode())
    return path


def write_parquet(rows: Sequence[Row], path: Path) -> Path:
    """UsageError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError("--parquet: pyarrow is not installed; pip install 'linac-ctl[parquet]', or take --csv") from None
    real = pyarrow.float64()
    kinds: dict[Any, Any] = {int: pyarrow.int64(), bool: pyarrow.bool_(), float: real, float | None: real}
    schema = pyarrow.schema([(f.name, kinds.get(f.type, pyarrow.string())) for f in fields(Row)])
    columns = {name: [cell(getattr(row, name)) for row in rows] for name in COLUMNS}
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(columns, schema=schema), sink, compression="zstd")
    replace_file(path, sink.getvalue().to_pybytes())
    return path
