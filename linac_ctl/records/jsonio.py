"""JSON as every record file uses it: UTF-8, no NaN (null means "no reading"), replaced in one step or not at all."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from linac_ctl.errors import RecordError

COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """The same value in JSON's own types; not-a-number and infinity become None."""
    if value is None or isinstance(value, str | int):  # most are; asking for a Mapping takes ten times as long
        return value
    if isinstance(value, dict | Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def dumps(value: Any, indent: int | None = None) -> str:
    """Compact unless `indent` is given; keys keep their order."""
    if indent is None:
        return COMPACT.encode(plain(value))
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def replace_file(path: Path, data: bytes) -> None:
    """Old content or new content, never half of it; RecordError when it cannot be written."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as e:
        part.unlink(missing_ok=True)
        raise RecordError(f"{path}: cannot be written: {e.strerror}; free space or choose another --out") from None


def write_json(path: Path, value: Any) -> None:
    """One readable JSON file."""
    replace_file(path, (dumps(value, indent=1) + "\n").encode())


def read_json(path: Path) -> Any:
    """RecordError names the file and what is wrong with it."""
    try:
        return json.loads(path.read_bytes())
    except OSError as e:
        raise RecordError(f"{path}: cannot be read: {e.strerror}") from None
    except ValueError as e:
        raise RecordError(f"{path}: damaged: {e}") from None
