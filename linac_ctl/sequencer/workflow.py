"""A workflow is configuration: a list of step names with settings. What is not there yet is refused, never faked."""

import dataclasses
import difflib
from typing import Any

from ..errors import ConfigError
from .acquire import AcquireCbct
from .acquire_mv_kv import AcquireMvKv
from .acquire_pair import AcquirePair
from .acquire_port import AcquirePort
from .approve import Approve
from .clear_room import ClearRoom
from .close import Close
from .fluoroscopy import Fluoroscopy
from .identify import Identify
from .load import Load
from .match import Match
from .retract import RetractImager
from .session import Settings, Step
from .set_up import SetUp
from .shift import ShiftCouch
from .treat import Treat
from .verify import Verify

STEPS: dict[str, type[Any]] = {
    "load": Load, "identify": Identify, "set_up": SetUp, "clear_room": ClearRoom,
    "acquire_cbct": AcquireCbct, "acquire_pair": AcquirePair, "acquire_mv_kv": AcquireMvKv,
    "acquire_port": AcquirePort, "fluoroscopy": Fluoroscopy, "match": Match, "approve": Approve,
    "shift_couch": ShiftCouch, "verify": Verify,
    "treat": Treat, "retract_imager": RetractImager, "close": Close,
}
IMAGING_STEPS = (AcquireCbct, AcquirePair, AcquireMvKv, AcquirePort, Fluoroscopy, Match, Approve, ShiftCouch, Verify, RetractImager)
MV_STEPS = (AcquireMvKv, AcquirePort)
NEAR_ENOUGH = 0.4  # so that `cbct` finds `acquire_cbct`


def takes_images(steps: tuple[Step, ...]) -> bool:
    """Does a session with these steps need imager, patient and protocol?"""
    return any(isinstance(step, IMAGING_STEPS) for step in steps)


def takes_mv_images(steps: tuple[Step, ...]) -> bool:
    """Does one of them need the MV imager?"""
    return any(isinstance(step, MV_STEPS) for step in steps)


def build(steps: list[Settings], where: str) -> tuple[Step, ...]:
    """Steps from settings; ConfigError for a step or a setting that does not exist."""
    return tuple(build_one(dict(settings), f"{where}: step {i + 1}") for i, settings in enumerate(steps))


def build_one(settings: Settings, where: str) -> Step:
    """One step."""
    name = str(settings.pop("step", ""))
    if name not in STEPS:
        near = difflib.get_close_matches(name, STEPS, 1, NEAR_ENOUGH)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise ConfigError(f"{where}: no step {name!r}{hint} Steps are {', '.join(STEPS)}")
    known = {f.name: f.type for f in dataclasses.fields(STEPS[name])}
    if unknown := sorted(set(settings) - set(known)):
        near = difflib.get_close_matches(unknown[0], known, 1)
        raise ConfigError(f"{where} ({name}): no setting {unknown[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
    for key, value in settings.items():
        if isinstance(value, bool) != (known[key] is bool) or not isinstance(value, (int, float, bool, str)):
            raise ConfigError(f"{where} ({name}): {key} is {value!r}, which is not a {getattr(known[key], '__name__', known[key])}")
    step: Step = STEPS[name](**settings)
    return step
