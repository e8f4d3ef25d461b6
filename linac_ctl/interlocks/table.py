"""The interlock table as a file says it: rows of cause and effect, checked and compiled into scan records."""

import operator
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from device_models.interface.image import DT_S, records

from ..config.machine import MachineConfig
from ..control.phases import ANY_PHASE, Phase, Reaction
from ..control.signals import signal_index, signal_names
from ..control.state import LIVE, PARAM
from .scan import new_rows

Role = Literal["therapist", "physicist", "physician", "engineer"]
SENSES = {"<=": operator.le, ">=": operator.ge}


class Frozen(BaseModel, frozen=True, extra="forbid"):
    """Unknown keys are errors."""


class ClassDefaults(Frozen):
    """What a class of interlocks means unless a row says otherwise."""

    reaction: tuple[str, ...]
    latched: bool
    reset: Role
    clear_cycles: int = Field(default=1, ge=1)
    most_holds: int = Field(default=0, ge=0)
    longest_s: float = Field(default=0.0, ge=0)
    codes: str = ""


class Interlock(Frozen):
    """One row. Healthy while `signal fine`; trips after `debounce` bad cycles in a row."""

    id: str = Field(pattern="^[A-Z][A-Z0-9_]*$")
    name: str = ""  # of the catalogue, when several rows serve one name
    signal: str
    fine: str = Field(pattern=r"^(<=|>=) -?[0-9.]+$")
    debounce: int = Field(default=2, ge=1)
    phases: tuple[str, ...] = ()
    kind: str = Field(alias="class")
    reaction: tuple[str, ...] = ()
    latched: bool | None = None
    clear_cycles: int | None = None
    most_holds: int | None = Field(default=None, ge=0)
    longest_s: float | None = Field(default=None, ge=0)
    reset: Role | None = None
    dose: bool = False  # a dose latch: the same one twice in a field escalates
    standing: bool = False  # its signal means the same in every phase: no reset while it is not fine, watched or not
    deviation: str = ""  # why its class is not the one that the catalogue of interlocks gives this name
    source: str

    @field_validator("signal")
    @classmethod
    def known_signal(cls, name: str) -> str:
        """A row must test something that is measured."""
        signal_index_or_fail(name)
        return name

    @property
    def sense(self) -> str:
        """"<=" or ">="."""
        return self.fine.split()[0]

    @property
    def threshold(self) -> float:
        """In the unit of the signal."""
        return float(self.fine.split()[1])

    def is_fine(self, value: float) -> bool:
        """NaN is not."""
        return bool(SENSES[self.sense](value, self.threshold))

    @property
    def catalogue_name(self) -> str:
        """The name operators see."""
        return self.name or self.id


def signal_index_or_fail(name: str) -> int:
    """Position of a signal; ValueError with the nearest name."""
    import difflib

    try:
        return signal_index(name)
    except KeyError:
        near = difflib.get_close_matches(name, signal_names(), 1)
        raise ValueError(f"no signal {name!r}" + (f"; did you mean {near[0]}?" if near else "")) from None


class Parameters(Frozen):
    """Figures that signals are scaled with."""

    split_floor_mu: float = Field(gt=0)
    split_ratio: float = Field(gt=0)
    angle_floor_mu: float = Field(gt=0)
    angle_ratio: float = Field(gt=0)
    chamber_hv_v: float = Field(gt=0)
    gantry_hold_deg: float = Field(gt=0)
    leaf_hold_mm: float = Field(gt=0)
    jaw_hold_mm: float = Field(gt=0)
    bands: dict[str, tuple[float, float]]


class InterlockTable(Frozen):
    """The whole file."""

    kind: Literal["interlocks"]
    name: str
    description: str = ""
    parameters: Parameters
    classes: dict[str, ClassDefaults]
    rows: tuple[Interlock, ...]
    not_decidable: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def sound(self) -> "InterlockTable":
        """Ids are unique, classes and reactions exist."""
        ids = [row.id for row in self.rows]
        if doubles := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"interlock ids used twice: {', '.join(doubles)}")
        for row in self.rows:
            if row.kind not in self.classes:
                raise ValueError(f"{row.id}: class {row.kind!r} is not among {', '.join(self.classes)}")
            reaction_bits(self.reactions(row))
            phase_bits(row.phases)
        return self

    def reactions(self, row: Interlock) -> tuple[str, ...]:
        """The row's own, or its class's."""
        return row.reaction or self.classes[row.kind].reaction

    def latched(self, row: Interlock) -> bool:
        """The row's own, or its class's."""
        return self.classes[row.kind].latched if row.latched is None else row.latched

    def reset_role(self, row: Interlock) -> Role:
        """Who may reset it."""
        return row.reset or self.classes[row.kind].reset


@cache
def phase_bits(names: tuple[str, ...]) -> int:
    """Phase bits; none named means any."""
    if unknown := [n for n in names if n.upper() not in Phase.__members__]:
        raise ValueError(f"no phase {unknown[0]!r}; phases are {', '.join(p.name.lower() for p in Phase if p.name)}")
    bits = 0
    for name in names:
        bits |= int(Phase[name.upper()])
    return bits or int(ANY_PHASE)


@cache
def reaction_bits(names: tuple[str, ...]) -> int:
    """Reaction bits."""
    if unknown := [n for n in names if n.upper() not in Reaction.__members__]:
        raise ValueError(f"no reaction {unknown[0]!r}; reactions are {', '.join(r.name.lower() for r in Reaction if r.name)}")
    bits = 0
    for name in names:
        bits |= int(Reaction[name.upper()])
    return bits


def compile_table(table: InterlockTable) -> Any:
    """-> scan records, one per row, in the order of the file."""
    rows = new_rows(len(table.rows))
    for i, row in enumerate(table.rows):
        defaults = table.classes[row.kind]
        values = {
            "signal": signal_index(row.signal), "sense": 1.0 if row.sense == "<=" else -1.0, "threshold": row.threshold,
            "debounce": row.debounce, "phases": phase_bits(row.phases), "reaction": reaction_bits(table.reactions(row)),
            "latched": int(table.latched(row)), "clear_cycles": row.clear_cycles or defaults.clear_cycles,
            "most_holds": defaults.most_holds if row.most_holds is None else row.most_holds,
            "longest": round((defaults.longest_s if row.longest_s is None else row.longest_s) / DT_S),
            "escalates_to": int(Reaction.BEAM_OFF),
        }
        for name, value in values.items():
            rows[name][i] = value
    return rows


def compile_parameters(table: InterlockTable, machine: MachineConfig) -> Any:
    """-> PARAM (1,)."""
    p, beam = table.parameters, machine.beam
    bands = [p.bands[name] for name in LIVE]
    middle = [(low + high) / 2 for low, high in bands]
    return records(1, PARAM, servo_gain=beam.dose_servo_gain, slow_down_at=beam.slow_down_at,
                   split_floor_mu=p.split_floor_mu, split_ratio=p.split_ratio, angle_floor_mu=p.angle_floor_mu,
                   angle_ratio=p.angle_ratio, chamber_hv_v=p.chamber_hv_v,
                   settle_cycles=round(beam.hold_settle_s / DT_S), per_gantry_hold=1 / p.gantry_hold_deg,
                   per_leaf_hold=1 / p.leaf_hold_mm, per_jaw_hold=1 / p.jaw_hold_mm, live_middle=middle,
                   live_per_half=[2 / (high - low) for low, high in bands])
