"""What `doctor` looks at; one file for each part of a computer."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "info", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `fail` stops runs, `warn` spoils some, `info` only tells; `advice` says what to do."""

    name: str
    state: State
    found: str
    advice: str = ""
