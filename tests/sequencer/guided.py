"""Image-guided orders in the quick mode: two small arcs on a patient with a given hidden error; about a second each.

    order = guided(error=(4.0, -3.0, 2.0, 1.0, -0.5, 0.8))
    sim = run(order, prepared=room())
    sim.residuals[1]  # truth at beam-on of beam 1
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from linac_ctl.config.loader import load, validate
from linac_ctl.config.session import MotionConfig, PatientConfig, SetUpErrorConfig
from linac_ctl.imager_link import Prepared, prepare
from linac_ctl.order import ImagingOrder, Order
from linac_ctl.sequencer.protocol import ProtocolConfig
from tests.support import order_for, plan_of, quick, small_arc

MACHINE = "c_arm_hd120"
STILL = MotionConfig()
ERROR = (4.0, -3.0, 2.0, 1.0, -0.5, 0.8)
Settings = dict[str, Any]


def soon(step: str, **settings: Any) -> Settings:
    """A step that takes next to no time."""
    return {"step": step, "takes_s": 0.1} | settings


BEFORE: list[Settings] = [{"step": "load"}, soon("identify"), soon("set_up"), soon("clear_room")]
CBCT, MATCH, APPROVE = soon("acquire_cbct"), soon("match"), soon("approve")
SHIFT, CLOSE = {"step": "shift_couch"}, {"step": "close"}
VERIFY = {"step": "verify", "image_s": 0.1, "match_s": 0.1, "approve_s": 0.1}
GUIDE = [CBCT, MATCH, APPROVE, SHIFT, VERIFY, APPROVE]
TREAT: Settings = {"step": "treat", "patience_s": 5.0}
WHOLE = [*BEFORE, *GUIDE, TREAT | {"most_beams": 1}, VERIFY, APPROVE, TREAT, {"step": "retract_imager"}, CLOSE]
SHORT = [*BEFORE, *GUIDE, TREAT, CLOSE]


def protocol(name: str = "spine_sbrt", **changes: Any) -> ProtocolConfig:
    """A file of configs/protocols with parts replaced: levels={"verify_mm": 10.0}."""
    data = validate(ProtocolConfig, load("protocols", name)).model_dump()
    for part, values in changes.items():
        data[part] |= values
    return ProtocolConfig.model_validate(data)


def looking(surface: Settings | None = None, limit_mm: float = 1.5, **triggered: Any) -> ProtocolConfig:
    """The protocol with triggered images as small arcs need them, and the surface monitor only where it is asked for."""
    usual = {"every_mu": 10.0, "binning": 16, "takes_s": 0.2, "similarity": 0.6, "patience_s": 0.5, "longest_s": 20.0,
             "repeat_s": 0.5, "most_repeats": 4, "then": "reposition"}
    if {"every_deg", "every_s", "every_gates"} & set(triggered):
        usual.pop("every_mu")
    return protocol(intrafraction={"limit_mm": limit_mm, "limit_deg": 1.0, "triggered": usual | triggered, "surface": surface})


def patient(error: Sequence[float] = ERROR, motion: MotionConfig = STILL) -> PatientConfig:
    """The spine, with this hidden error."""
    return PatientConfig(phantom="spine", spacing_mm=2.0, set_up_error=SetUpErrorConfig(given=tuple(error)), motion=motion)


@cache
def room() -> Prepared:
    """Voxels and planning images, shared by all tests of a process."""
    return prepare(patient(), plan_of([small_arc(quick(MACHINE))]))


def guided(error: Sequence[float] = ERROR, steps: Sequence[Settings] = SHORT, *, beams: int = 1, seed: int = 1,
           motion: MotionConfig = STILL, rules: ProtocolConfig | None = None, mu: float = 8.0, mode: str = "10FFF",
           **kw: Any) -> Order:
    """An order of the quick imaging mode."""
    machine = quick(MACHINE)
    arcs = [small_arc(machine, number=n + 1, seed=n + 1, mu=mu, mode=mode) for n in range(beams)]
    order = order_for(machine, arcs, seed, steps=[dict(step) for step in steps], reaction_s=0.1, **kw)
    return replace(order, imaging=ImagingOrder(patient(error, motion), rules or protocol(), "quick"))
