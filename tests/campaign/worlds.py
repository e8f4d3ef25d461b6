"""A small catalogue and work without a machine: what a campaign does with cases and rows does not depend on what a run is."""

import hashlib
import os
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from linac_ctl.campaign.case import Case
from linac_ctl.campaign.config import CampaignConfig
from linac_ctl.campaign.row import Row, of_case

VERDICTS = ("passed", "passed", "passed", "failed", "missed", "not_activated", "harmless")
BEFORE_DEATH = "LINAC_TEST_LATER"  # folder in which a worker leaves a mark before it dies, so that it dies only so often


@dataclass(frozen=True)
class Range:
    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Mode:
    id: str
    tier: int = 1
    phases: tuple[str, ...] = ("beam_on",)
    severity: str = "S3"
    settings: dict[str, Any] = field(default_factory=dict)


CATALOGUE = {mode.id: mode for mode in (
    Mode("ACT-04", phases=("setup", "beam_on"), severity="S4",
         settings={"leaf": Range(0, 10, whole=True), "at_mm": Range(-20.0, 20.0)}),
    Mode("SEN-01", settings={"which": Choice(("primary", "secondary"))}, phases=("setup", "beam_on")),
    Mode("DOS-01", settings={"value": Choice((0, "last", "max"))}, severity="S4"),
    Mode("DOS-04", settings={"gain": Range(0.001, 0.9)}, tier=2),
    Mode("ROM-03", phases=(), severity="S4"),
    Mode("IMG-04", phases=("imaging",)),
)}


def config(**parts: Any) -> CampaignConfig:
    """A campaign on one session."""
    base = {"kind": "campaign", "name": "small", "sessions": [{"session": "box"}], "repeat": 0.0}
    return CampaignConfig.model_validate(base | parts)


def row_of(case: Case, **changes: Any) -> Row:
    """What came of a case that nobody has run: a function of the case alone."""
    luck = hashlib.sha256(case.id.removesuffix("r").encode()).digest()
    return replace(of_case(case, "test"), verdict=VERDICTS[luck[0] % len(VERDICTS)], outcome="completed", digest=luck.hex()[:16],
                   activated=luck[0] % len(VERDICTS) != 5, detection_ms=float(luck[1]), detection_limit_ms=120.0,
                   excess_mu=luck[2] / 100, margins={"SI-05": (luck[3] / 100, "MU")}, visited=(f"beam_on:X{luck[4] % 9}",),
                   judged=True, seconds=1e-4, **changes)


def work(batch: tuple[Case, ...]) -> list[Row]:
    """As a worker does it."""
    return [row_of(case) for case in batch]


def deadly(batch: tuple[Case, ...]) -> list[Row]:
    """Seed 666 kills its worker every time, seed 13 once."""
    for case in batch:
        mark = Path(os.environ[BEFORE_DEATH]) / case.id
        if case.seed == 666 or (case.seed == 13 and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return work(batch)
