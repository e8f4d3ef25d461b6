"""manifest.json: what a run folder holds, written before the first cycle."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from linac_ctl.errors import RecordError

from .jsonio import read_json, write_json

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class PlannedBeam:
    """What this run was to deliver of one beam; `start_mu` came from earlier partial deliveries."""

    number: int
    name: str
    planned_mu: float
    start_mu: float = 0.0
    time_limit_s: float = 0.0  # 0 = no timer
    done_before: bool = False  # nothing was left of it


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything needed to read the other files, and to run the same thing again."""

    session: str
    machine: str
    seed: int
    config_sha256: str
    plan_sha256: str
    code_version: str  # release and a hash over all sources
    started: str  # wall time, ISO 8601; the only clock in a run folder
    columns: tuple[str, ...]
    phases: dict[int, str]  # value of the column "phase" -> name
    cycle_s: float
    row_every: int
    beams: tuple[PlannedBeam, ...] = ()
    faults: bool = False  # True = armed: faults may have been injected on purpose
    faults_sha256: str = ""  # of the schedule, where there is one
    referee: str = "stop"  # in line; watch = a violated property is noted, and the run goes on
    sequences: tuple[tuple[int, ...], ...] = ()  # beams delivered in one auto-sequence; others stand alone
    resumes: str = ""  # run folder whose remaining MU this run delivers
    imaged_before_mu: float = 0.0  # given for images in the runs before
    stop_after_s: float | None = None  # of machine time: asked to leave then
    versions: dict[str, str] = field(default_factory=dict)  # package -> version
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """RecordError when the folder cannot be written."""
        write_json(folder / NAME, asdict(self))


def read_manifest(folder: Path) -> Manifest:
    """RecordError says which key is wrong or missing."""
    path = folder / NAME
    data = read_json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        got = data.get("format") if isinstance(data, dict) else None
        raise RecordError(f"{path}: format {got}, this program reads {FORMAT}; use the version that wrote it")
    try:
        return Manifest(**_values(data))
    except (TypeError, ValueError, KeyError, AttributeError) as e:
        raise RecordError(f"{path}: damaged: {e}") from None


def _values(data: dict[str, Any]) -> dict[str, Any]:
    changed = {
        "columns": tuple(data["columns"]),
        "phases": {int(value): name for value, name in data["phases"].items()},
        "beams": tuple(PlannedBeam(**beam) for beam in data["beams"]),
        "sequences": tuple(tuple(numbers) for numbers in data.get("sequences", [])),
    }
    return data | changed
