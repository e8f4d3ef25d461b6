"""Small studies for tests: one file of ours with parts of it changed."""

from dataclasses import replace
from functools import cache
from typing import Any

from linac_ctl.config.loader import load, validate
from linac_ctl.study.config import StudyConfig
from linac_ctl.study.room import Room, furnish

STILL = (0.0, 0.0, 0.0)
NO_DRIFT = {"systematic_mm_per_min": STILL, "random_mm_per_min": STILL, "wander_mm": STILL, "systematic_deg_per_min": STILL,
            "random_deg_per_min": STILL, "wander_deg": STILL}
NO_SET_UP = {"systematic_mm": STILL, "random_mm": STILL, "systematic_deg": STILL, "random_deg": STILL}
NO_MACHINE = {"couch_mm": 0.0, "couch_deg": 0.0, "imager_mm": 0.0, "chain_mm": 0.0}


@cache
def usual() -> StudyConfig:
    return validate(StudyConfig, load("studies", "spine_margins"))


def world(**changes: Any) -> StudyConfig:
    """`world(drift=NO_DRIFT)`; arms by name with `arms=("none", "cbct_6dof")`; groups are merged into the usual ones."""
    data = usual().model_dump()
    names = changes.pop("arms", None)
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    if names is not None:
        data["arms"] = [arm for arm in data["arms"] if arm["name"] in names]
    data["published"] = [p for p in data["published"] if p["arm"] in {arm["name"] for arm in data["arms"]}]
    return StudyConfig.model_validate(data)


@cache
def furnished() -> Room:
    """Voxels, planning CT and matchers: the same in all of these worlds."""
    return furnish(usual())


def room(study: StudyConfig) -> Room:
    """The usual room with another study in it; matchers are shared."""
    full = furnished()
    return replace(full, study=study)
