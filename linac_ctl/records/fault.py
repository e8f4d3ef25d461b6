"""Faults on record: the schedule of a run that was armed for any, and what became of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from .jsonio import read_json, write_json
from .strict import Strict, described

NAME = "faults.json"


@dataclass(frozen=True, slots=True)
class FaultResult(Strict):
    """One injected fault. A fault that was never effective proves nothing about the machine."""

    id: str
    what: Annotated[str, described("mode of the catalogue, wire, or parameter")]
    state: Annotated[Literal["waiting", "active", "cleared"], described("at the end of the run; waiting = its moment never came")]
    armed_s: Annotated[float, described("known to the run since then, s of machine time")]
    injected_s: Annotated[float | None, described("first cycle in which it could act; null = never")]
    effective_s: Annotated[
        float | None, described("first cycle in which truth or a wire differed because of it; null = not activated")
    ]
    due_s: Annotated[
        float | None, described("first cycle in which truth or a wire was off by more than it may be; null = never")
    ]
    cleared_s: Annotated[float | None, described("first cycle without it again, the last time; null = not cleared")]
    times: Annotated[int, described("injected so often")]


def write_schedule(folder: Path, data: Any) -> None:
    """RecordError when the folder cannot be written."""
    write_json(folder / NAME, data)


def read_schedule(folder: Path) -> Any:
    """As written; None for a run that was not armed. RecordError for a file that is damaged."""
    return read_json(folder / NAME) if (folder / NAME).exists() else None
