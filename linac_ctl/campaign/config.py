"""A campaign as a file says it: configs/campaigns/*.yaml. Several parts may stand in one file; they run in this order."""

from typing import Literal

from pydantic import Field, model_validator

from ..config.machine import Frozen

PHASES = ("idle", "load", "setup", "imaging", "registration", "approve", "shift", "arm", "beam_on", "hold", "resume",
          "terminate", "record")
Phase = Literal["idle", "load", "setup", "imaging", "registration", "approve", "shift", "arm", "beam_on", "hold", "resume",
                "terminate", "record"]
Severity = Literal["S1", "S2", "S3", "S4"]
Relation = Literal["before", "after", "same"]
Span = tuple[float, float]
DEFAULT_AFTER_S: Span = (0.0, 0.3)


class SessionChoice(Frozen):
    """A session of the campaign, and which phases of the workflow are visited in it."""

    session: str = Field(min_length=1, description="name or path of a session file")
    workflow: str | None = Field(default=None, description="in place of the session's own")
    machine: str | None = Field(default=None, description="in place of the session's own")
    phases: tuple[Phase, ...] = Field(default=(), description="faults of these phases are tried here; none = of every phase")

    def visits(self, phase: str) -> bool:
        """Are faults of this phase tried here?"""
        return not self.phases or phase in self.phases


class ModesChoice(Frozen):
    """Modes of the catalogue: all that fit every line that is given."""

    tiers: tuple[Literal[1, 2, 3], ...] = Field(default=(), description="none = every tier")
    families: tuple[str, ...] = Field(default=(), description="first part of the id, like SEN; none = every family")
    severities: tuple[Severity, ...] = Field(default=(), description="none = every severity")
    ids: tuple[str, ...] = Field(default=(), description="none = every mode")
    without: tuple[str, ...] = Field(default=(), description="ids left out")
    without_needs: tuple[str, ...] = Field(default=(), description="left out: modes that need this of a session, like imaging")


class LastsChoice(Frozen):
    """How long a fault lasts: nothing given = for good."""

    blip: bool = Field(default=False, description="one cycle")
    s: float | None = Field(default=None, gt=0, le=1e5)
    mu: float | None = Field(default=None, gt=0, le=1e5)
    every_s: float | None = Field(default=None, gt=0, le=1e5, description="again and again")
    times: int | None = Field(default=None, ge=1, le=10_000)

    @model_validator(mode="after")
    def one(self) -> "LastsChoice":
        """One length; what comes again must end in between."""
        if sum((self.blip, self.s is not None, self.mu is not None)) > 1:
            raise ValueError("give one of blip, s, mu; none = for good")
        if self.every_s is not None and not (self.blip or (self.s is not None and self.s < self.every_s)):
            raise ValueError("`every_s` needs a blip, or an `s` shorter than it")
        return self


PERMANENT = LastsChoice()


class Axes(Frozen):
    """What a grid, a table of pairs, a swarm or a search may choose from."""

    modes: ModesChoice = ModesChoice()
    phases: tuple[Phase, ...] = Field(default=(), description="none = those of each mode")
    sizes: tuple[float, ...] = Field(default=(0.1, 0.5, 1.0), min_length=1,
                                     description="places in the range of every setting, 0 its low and 1 its high end")
    lasts: tuple[LastsChoice, ...] = Field(default=(PERMANENT,), min_length=1)
    after_s: dict[Phase, Span] = Field(default_factory=dict,
                                       description="phase -> from, to: drawn, from the beginning of the phase; 0 to 0.3 s if none")

    @model_validator(mode="after")
    def fits(self) -> "Axes":
        """Places are from 0 to 1, moments go forward."""
        if any(not 0.0 <= size <= 1.0 for size in self.sizes):
            raise ValueError(f"sizes: places in a range are from 0 to 1, not {self.sizes}")
        for phase, (low, high) in self.after_s.items():
            if not 0.0 <= low <= high <= 1e5:
                raise ValueError(f"after_s.{phase}: from {low} to {high} s; give two times that do not fall, from 0 to 1e5")
        return self


class GridConfig(Axes):
    """Single faults: every mode in every of its phases, in every size, for every length, with every seed."""


class PairsConfig(Axes):
    """Two faults: every pair of modes in three relations of time; everything else by pairwise tables."""

    lasts: tuple[LastsChoice, ...] = Field(default=(PERMANENT, LastsChoice(s=0.5)), min_length=1)
    relations: tuple[Relation, ...] = Field(default=("before", "after", "same"), min_length=1)
    gap_s: tuple[float, ...] = Field(default=(0.03, 1.0), min_length=1, description="between the two, unless the same cycle")
    every: Literal["pair_and_relation", "pair"] = Field(
        default="pair_and_relation", description="what is gone through completely; `pair` chooses the relation by the table too")
    runs: int | None = Field(default=None, ge=1, description="at most so many, spread evenly; none = all")


class SwarmConfig(Axes):
    """Many faults at once: every run draws a few modes that are possible in it, and then faults of these only."""

    runs: int = Field(ge=1, le=10_000_000)
    faults: tuple[int, int] = Field(default=(3, 12), description="from, to: of one run")
    kinds: tuple[int, int] = Field(default=(1, 4), description="from, to: different modes in one run")

    @model_validator(mode="after")
    def rises(self) -> "SwarmConfig":
        """From a smaller to a larger number."""
        for name, (low, high) in (("faults", self.faults), ("kinds", self.kinds)):
            if not 1 <= low <= high <= 64:
                raise ValueError(f"{name}: from {low} to {high}; from 1 to 64, and not falling")
        return self


class GuidedConfig(Axes):
    """A search: generations of schedules; those that shrink a margin or reach a new (state x interlock) pair have offspring."""

    generations: int = Field(ge=1, le=10_000)
    runs: int = Field(ge=1, le=100_000, description="of every generation")
    faults: int = Field(default=6, ge=1, le=64, description="at most so many in one schedule")
    kept: int = Field(default=200, ge=1, le=100_000, description="schedules that may have offspring, the latest finds first")


class FaultFreeConfig(Frozen):
    """Sessions without any fault: every trip is a false one."""

    runs: int = Field(ge=1, le=10_000_000, description="seeds, from the first of `seeds` on")


class CampaignConfig(Frozen):
    """What is run."""

    kind: Literal["campaign"]
    name: str = Field(min_length=1)
    description: str = ""
    seed: int = Field(default=1, ge=0, lt=2**63, description="of everything that is drawn here; the runs have `seeds`")
    sessions: tuple[SessionChoice, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1, description="of the runs: noise, patients")
    repeat: float = Field(default=0.05, ge=0, le=1, description="share of runs done twice; equal digests are demanded")
    fork: bool = Field(default=False, description="branch from a session in progress instead of beginning every one anew")
    fork_check: float = Field(default=0.05, ge=0, le=1, description="share of branched runs also done from the beginning")
    fault_free: FaultFreeConfig | None = None
    grid: GridConfig | None = None
    pairs: PairsConfig | None = None
    swarm: SwarmConfig | None = None
    guided: GuidedConfig | None = None

    @model_validator(mode="after")
    def something(self) -> "CampaignConfig":
        """At least one part, and seeds of runs in their range, each once."""
        if all(part is None for part in (self.fault_free, self.grid, self.pairs, self.swarm, self.guided)):
            raise ValueError("nothing to run: give at least one of fault_free, grid, pairs, swarm, guided")
        if len({*self.seeds}) != len(self.seeds) or any(not 0 <= seed < 2**63 for seed in self.seeds):
            raise ValueError("seeds: different whole numbers from 0 on")
        return self
