"""Target and filter carousel: turns to the place of a beam mode; switches say which place it is at."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..config import ModeConfig, SourceConfig
from ..interface.compiled import compiled
from ..interface.image import DT_S, records
from .drive import clip

NOWHERE = -1
AT_REST_DEG = 1e-9

MODE = np.dtype([
    ("mu_per_pulse", "f8"), ("pulses_per_s", "f8"), ("carousel_deg", "f8"), ("magnet_a", "f8"), ("gun_hv_kv", "f8"),
    ("pfn_kv", "f8"),
])

CAROUSEL = np.dtype([
    ("angle_deg", "f8"),  # truth
    ("sensed", "i8"),  # place switches: index of the mode, NOWHERE while moving or between places
    # parameters
    ("step_deg", "f8"), ("window_deg", "f8"),
    # where faults write
    ("moves", "f8"),  # 1.0; 0.0 = jammed
    ("offset_deg", "f8"),  # 0.0; stops beside the place
    ("switch_stuck", "i8"),  # -1; an index = the switches say this place, whatever the truth
    ("resolver_bias_deg", "f8"),  # 0.0
])


@compiled
def known(modes, mode):
    """Is this an index of the table of modes?"""
    return mode >= 0 and mode < modes.size


@compiled
def place(modes, angle_deg, window_deg):
    """Which mode's place this angle is, or NOWHERE."""
    found = NOWHERE
    for i in range(modes.size):
        found = i if abs(angle_deg - modes[i].carousel_deg) <= window_deg else found
    return found


@compiled
def turn(carousel, modes, mode):
    """One cycle towards the place of `mode`; an unknown mode leaves it where it is."""
    target = modes[mode].carousel_deg + carousel.offset_deg if known(modes, mode) else carousel.angle_deg
    step = clip(target - carousel.angle_deg, -carousel.step_deg, carousel.step_deg) * carousel.moves
    carousel.angle_deg += step
    at_rest = abs(step) < AT_REST_DEG
    carousel.sensed = place(modes, carousel.angle_deg, carousel.window_deg) if at_rest else NOWHERE
    carousel.sensed = carousel.switch_stuck if carousel.switch_stuck >= 0 else carousel.sensed


def new_modes(configs: Iterable[ModeConfig]) -> Any:
    """MODE (n,): the table, in the order of the configuration."""
    rows = [tuple(float(getattr(config, str(name))) for name in MODE.names or ()) for config in configs]
    modes = records(len(rows), MODE)
    for i, row in enumerate(rows):
        modes[i] = row
    return modes


def new_carousel(config: SourceConfig, modes: Any) -> Any:
    """CAROUSEL (1,): standing at the place of the first mode."""
    return records(1, CAROUSEL, angle_deg=modes["carousel_deg"][0], step_deg=config.carousel_deg_per_s * DT_S,
                   window_deg=config.carousel_window_deg, moves=1.0, switch_stuck=NOWHERE)
