"""Fault schedules: YAML files of kind `faults`, strict, with file and line in every complaint."""

import hashlib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from device_models.faults.errors import FaultError
from device_models.faults.fault import Fault, Lasts, Phase, When
from device_models.faults.modes import find

from ..config.files import canonical_json
from ..config.loader import Loaded, Origin, load, validate
from ..errors import ConfigError

Setting = float | str


class Frozen(BaseModel):
    """A part of a file: nothing beside what is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WhenConfig(Frozen):
    """The moment a fault begins: exactly one of the first nine."""

    at_s: float | None = Field(default=None, ge=0, description="machine time")
    phase: Phase | None = Field(default=None, description="entered")
    mu: float | None = Field(default=None, ge=0, description="true MU since the counters were cleared")
    mu_percent: float | None = Field(default=None, ge=0, le=100, description="of the field's MU")
    control_point: int | None = Field(default=None, ge=0, description="of the field in hand, reached")
    gantry_deg: float | None = Field(default=None, description="passed by the true gantry, either way")
    message: int | None = Field(default=None, ge=1, description="n-th frame of `link`, one per cycle")
    truth: str | None = Field(default=None, description="like plant.beam.true_mu >= 12.5")
    fault: str | None = Field(default=None, description="id of another fault")
    event: Literal["injected", "effective", "cleared"] = Field(default="injected", description="of that fault")
    after_s: float = Field(default=0.0, ge=0, description="so much later")
    beam: int | None = Field(default=None, description="only in this beam")
    link: str | None = Field(default=None, description="with `message`: a device")


class LastsConfig(Frozen):
    """How long; nothing given = for good."""

    blip: bool = Field(default=False, description="one cycle")
    s: float | None = Field(default=None, gt=0, description="seconds")
    mu: float | None = Field(default=None, gt=0, description="until so many MU more")
    every_s: float | None = Field(default=None, gt=0, description="again so long after it began")
    times: int | None = Field(default=None, ge=1, description="at most so often; none = for ever")


class FaultConfig(Frozen):
    """A mode of the catalogue, any wire (`signal`), or any parameter of the plant."""

    id: str = Field(min_length=1)
    when: WhenConfig
    mode: str | None = None
    set: dict[str, Any] = Field(default_factory=dict, description="settings of the mode")
    signal: str | None = Field(default=None, description="wire, like gantry.readback or couch[vertical].setpoint")
    behaviour: str | None = Field(default=None, description="what becomes of it")
    size: float = 0.0
    size_2: float = 0.0
    cycles: int = Field(default=0, ge=0)
    chance: float = Field(default=1.0, gt=0, le=1)
    other: str = Field(default="", description="swap: the other wire")
    parameter: str | None = Field(default=None, description="of the plant, like plant.mlc[17].moves")
    value: float | None = None
    lasts: LastsConfig = LastsConfig()


class ScheduleConfig(Frozen):
    """A file of faults for one run."""

    kind: Literal["faults"]
    name: str = Field(min_length=1)
    description: str = ""
    faults: tuple[FaultConfig, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What goes wrong in a run. An empty one arms the injection and nothing more."""

    name: str
    faults: tuple[Fault, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """For records and for another run."""
        return {"kind": "faults", "name": self.name, "faults": [said(fault) for fault in self.faults]}

    @property
    def sha256(self) -> str:
        """Over its canonical JSON."""
        return hashlib.sha256(canonical_json(self.data).encode()).hexdigest()


def said(part: Any) -> dict[str, Any]:
    """A fault, or a part of one, without what was left at its usual value: as a file would have it."""
    found: dict[str, Any] = {}
    for field in fields(part):
        value = getattr(part, field.name)
        usual = field.default if field.default is not MISSING else None
        if isinstance(value, Mapping):
            found |= {field.name: dict(value)} if value else {}
        elif is_dataclass(value):
            found |= {field.name: said(value)} if value != usual else {}
        elif usual is None or value != usual:
            found |= {field.name: value} if value is not None else {}
    return found


def load_schedule(name: str) -> Schedule:
    """A file under configs/faults, by name or path; ConfigError with file:line for everything that cannot be."""
    return made_of(load("faults", name))


def schedule_from(data: dict[str, Any], place: str = "faults") -> Schedule:
    """From what a record, a campaign or a client holds; ConfigError names `place`."""
    sha256 = hashlib.sha256(canonical_json(data).encode()).hexdigest()
    return made_of(Loaded(data, {"": Origin(place, 1, 1)}, (), sha256, str(data.get("name", "")), Path(place)))


def made_of(loaded: Loaded) -> Schedule:
    """Ids are there once; whoever waits for a fault waits for one of these."""
    config = validate(ScheduleConfig, loaded)
    names = [fault.id for fault in config.faults]
    for i, fault in enumerate(config.faults):
        if fault.id in names[:i]:
            raise ConfigError(f"{loaded.at(f'faults.{i}.id')}: faults.{i}.id: {fault.id!r} is taken; every fault has its own")
        if fault.when.fault is not None and fault.when.fault not in names:
            raise ConfigError(f"{loaded.at(f'faults.{i}.when')}: faults.{i}.when.fault: no fault {fault.when.fault!r} in this "
                              "file; it can never begin")
        if fault.when.fault == fault.id:
            raise ConfigError(f"{loaded.at(f'faults.{i}.when')}: faults.{i}.when.fault: waits for itself; it can never begin")
    return Schedule(config.name, tuple(made(loaded, i, fault) for i, fault in enumerate(config.faults)))


def made(loaded: Loaded, i: int, config: FaultConfig) -> Fault:
    """One fault of the file; ConfigError with its place."""
    given = config.model_dump(exclude={"when", "lasts"})
    try:
        if config.mode is not None:
            find(config.mode).settle(config.set)
        return Fault(when=When(**config.when.model_dump()), lasts=Lasts(**config.lasts.model_dump()), **given)
    except FaultError as error:
        raise ConfigError(f"{loaded.at(f'faults.{i}')}: faults.{i}: {error}") from None
