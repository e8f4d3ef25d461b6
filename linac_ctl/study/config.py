"""A margin study as a file says it: configs/studies/*.yaml."""

from typing import Literal

from pydantic import Field, model_validator

from ..config.machine import Frozen
from ..sequencer.protocol import ScanConfig

Triple = tuple[float, float, float]


class SetUpConfig(Frozen):
    """Set-up by marks and lasers, standard deviations per axis; systematic: of a patient, random: of a day."""

    systematic_mm: Triple
    random_mm: Triple
    systematic_deg: Triple
    random_deg: Triple
    limit_sigma: float = Field(default=3.5, gt=0, description="no draw beyond")


class DriftConfig(Frozen):
    """Motion on the couch, growing with time. Rates: standard deviations per axis, drawn once for a patient and once for a day."""

    systematic_mm_per_min: Triple
    random_mm_per_min: Triple
    wander_mm: Triple = Field(description="standard deviation of a random walk after one minute")
    systematic_deg_per_min: Triple
    random_deg_per_min: Triple
    wander_deg: Triple


class MachineErrors(Frozen):
    """What stays wrong although the match is right; standard deviations per axis."""

    couch_mm: float = Field(ge=0, description="of every shift: where the couch comes to stand against what was ordered")
    couch_deg: float = Field(ge=0)
    imager_mm: float = Field(ge=0, description="kV imager's isocentre against the beam's, one draw for a patient's machine")
    chain_mm: float = Field(ge=0, description="planning CT, transfer and beam against the plan's isocentre, one draw for a patient")


class Timeline(Frozen):
    """Machine time. Images take as long as the scan says."""

    start_s: float = Field(gt=0, description="from the end of set-up to the first image, or to the beam where there is none")
    decide_s: float = Field(gt=0, description="from the last frame to match and approval")
    shift_s: float = Field(gt=0, description="couch shift")
    set_up_s: float = Field(gt=0, description="entering the room and setting up again")
    beam_s: float = Field(gt=0, description="treatment from first to last beam, without the images between")
    pair_s: float = Field(gt=0, description="between the two radiographs of a pair")
    gantry_deg_per_s: float = Field(gt=0, description="of a scan")
    sample_s: float = Field(gt=0, description="the target is looked at so often while the beam is on")


class PairConfig(Frozen):
    """Two radiographs."""

    gantry_deg: tuple[float, float]
    binning: int = Field(ge=1, le=32)


class ArmConfig(Frozen):
    """One way to treat everybody."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    image: Literal["none", "pair", "cbct"]
    dof: Literal[3, 4, 6] = Field(default=6, description="matched and shifted: translations; and the turn about Z; and all")
    every_s: float | None = Field(default=None, gt=0, description="treatment time between images; none = before treatment only")
    action_mm: float = Field(default=0.0, ge=0, description="a repeated image moves the couch only beyond this or action_deg")
    action_deg: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def fits(self) -> "ArmConfig":
        """Without images there is nothing to repeat."""
        if self.image == "none" and self.every_s is not None:
            raise ValueError("an arm without images cannot repeat them; leave `every_s` out")
        return self


class Published(Frozen):
    """A figure to be compared with."""

    statement: str
    margin_mm: tuple[float, float] = Field(description="from, to")
    arm: str = Field(description="the arm that comes closest to it")
    source: str


class StudyConfig(Frozen):
    """Who is treated, how, and what is asked of the result."""

    kind: Literal["study"]
    name: str = Field(min_length=1)
    description: str = ""
    machine: str = Field(description="name or path of a machine file: what the controller knows of its imager")
    protocol: str = Field(description="name or path of a protocol file: technique, registration, limits of shifts")
    sessions: int = Field(ge=4, le=1_000_000, description="of each arm")
    fractions: int = Field(ge=2, le=60, description="sessions of one patient")
    seed: int = Field(default=1, ge=0, lt=2**63)
    truth_mm: float = Field(default=2.0, ge=1.0, le=4.0, description="voxels of the patient that is imaged")
    scan: ScanConfig
    pair: PairConfig
    set_up: SetUpConfig
    drift: DriftConfig
    machine_errors: MachineErrors
    timeline: Timeline
    most_set_ups: int = Field(default=2, ge=0, le=5, description="set up again so often before a session is given up")
    time_share: float = Field(default=0.95, gt=0, le=1, description="of the beam-on time that must be covered")
    bootstrap: int = Field(default=1000, ge=100, le=100_000, description="samples of the confidence intervals")
    arms: tuple[ArmConfig, ...] = Field(min_length=1)
    published: tuple[Published, ...] = ()

    @model_validator(mode="after")
    def fits(self) -> "StudyConfig":
        """Names are unique, and what refers to an arm finds it."""
        names = [arm.name for arm in self.arms]
        if len({*names}) != len(names):
            raise ValueError("two arms have the same name")
        if missing := [p.arm for p in self.published if p.arm not in names]:
            raise ValueError(f"published: no arm is named {missing[0]!r}; there are {', '.join(names)}")
        if self.sessions < 2 * self.fractions:
            raise ValueError(f"{self.sessions} sessions of {self.fractions} fractions are fewer than two patients; ask for more")
        return self

    @property
    def patients(self) -> int:
        """As many as give at least the sessions asked for."""
        return -(-self.sessions // self.fractions)

    @property
    def most_minutes(self) -> int:
        """From a set-up to the last beam, at most."""
        times = self.timeline
        scan_s = (self.scan.stop_deg - self.scan.start_deg) / times.gantry_deg_per_s
        around = times.decide_s + times.shift_s + max(times.pair_s, scan_s)
        images = 1 + max(times.beam_s / arm.every_s if arm.every_s else 0.0 for arm in self.arms)
        return 1 + int((times.start_s + times.beam_s + images * around) / 60.0)
