"""A monitor chamber and its dose counter: what one ionisation channel makes of the dose that passes it."""

from typing import Any

import numpy as np

from ..config import SourceConfig
from ..interface.compiled import compiled
from ..interface.grid import on_grid
from ..interface.image import records

CHAMBER = np.dtype([
    ("counter_mu", "f8"),  # MU since cleared, not yet rounded to the counter's step
    ("reading_mu", "f8"),  # this cycle's dose as the chamber sees it
    ("field_gain", "f8"),  # this field's share of `spread`: sealed chambers differ a little from day to day
    # parameters
    ("spread", "f8"), ("sigma", "f8"), ("lsb_mu", "f8"), ("per_lsb", "f8"), ("per_hv", "f8"),
    # where faults write; healthy: the configured gain, the configured voltage, no limit
    ("gain", "f8"),
    ("hv_v", "f8"),  # polarising voltage; without it no charge is collected
    ("most_mu_per_pulse", "f8"),  # the amplifier saturates here
    ("stream", "i8"),
])


@compiled
def gain_of(chamber):
    """What it makes of a MU: its own gain, this field's, and that of its voltage."""
    return chamber.gain * chamber.field_gain * (chamber.hv_v * chamber.per_hv)


@compiled
def seen(chamber, dose_mu):
    """What it makes of one pulse of so much dose, its noise aside, MU."""
    reading = dose_mu * gain_of(chamber)
    return chamber.most_mu_per_pulse if reading > chamber.most_mu_per_pulse else reading


@compiled
def collect(chamber, dose_mu, pulses, sample):
    """Add this cycle's dose to the counter; `pulses` is how many pulses gave it."""
    reading = dose_mu * gain_of(chamber) * (1.0 + chamber.sigma * sample[chamber.stream])
    most = chamber.most_mu_per_pulse * pulses
    chamber.reading_mu = most if reading > most else reading
    chamber.counter_mu += chamber.reading_mu


@compiled
def clear(chamber, slow_sample):
    """Zero the counter; a new field, a new gain within the chamber's spread."""
    chamber.counter_mu = 0.0
    chamber.field_gain = 1.0 + chamber.spread * slow_sample


@compiled
def counter(chamber):
    """What the counter shows, in whole steps, MU; over a wire that is 0.001 MU."""
    return on_grid(np.rint(chamber.counter_mu * chamber.per_lsb) * chamber.lsb_mu)


def new_chambers(config: SourceConfig) -> Any:
    """CHAMBER (3,): chamber 1, chamber 2, and the safety channel's own."""
    chambers = records(3, CHAMBER, field_gain=1.0, sigma=config.chamber_noise, lsb_mu=config.chamber_lsb_mu,
                       per_lsb=1.0 / config.chamber_lsb_mu, per_hv=1.0 / config.chamber_hv_v, hv_v=config.chamber_hv_v,
                       most_mu_per_pulse=1e9)
    chambers["gain"] = (config.chamber_1_gain, config.chamber_2_gain, config.chamber_3_gain)
    chambers["spread"][1] = config.chamber_2_spread
    return chambers
