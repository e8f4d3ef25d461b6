"""The beam: whole pulses per cycle, dose rate by dropping pulses, and what chambers and switches say about it."""

import math
from typing import Any

import numpy as np

from .config import SourceConfig
from .interface.compiled import compiled
from .interface.grid import on_grid, on_micro
from .interface.image import DT_S, records
from .parts.carousel import known, turn
from .parts.chamber import clear, collect, counter, seen
from .parts.live import NAMES, show_energy, show_live, wander
from .parts.node import hears, report
from .parts.noise import numbered, spread, uniform

RATE_WINDOW = 10  # cycles over which chamber 1's rate is averaged: 0.1 s
PER_WINDOW_S = 1.0 / (RATE_WINDOW * DT_S)
SLOW_CYCLES = 10  # grid of the live parameters
LATE_CYCLES = 1  # of a permit: one frame may be lost
FIELD_GAIN = len(NAMES)  # slow streams: live parameters, then each chamber's gain of the field

BEAM_STATE = np.dtype([
    # truth
    ("true_mu", "f8"),  # since clear_dose
    ("true_total_mu", "f8"),  # never reset
    ("pulses", "i8"), ("missed_pulses", "i8"),  # never reset
    ("pulses_now", "i8"), ("dose_mu", "f8"), ("rate_mu_per_s", "f8"),  # in this cycle
    ("warm_cycles", "i8"), ("hv_on", "f8"),
    ("on_cycles", "i8"),  # cycles for which pulses have been allowed
    ("carry", "f8"),  # pulses owed, in [-0.5, 0.5]
    ("last_rate_mu_per_s", "f8"),  # what a stuck trigger goes on with
    ("limited", "i8"),  # 1 = the limiter has seen a pulse that was too large: none follow until the high voltage has been off
    ("asymmetry", "f8"),  # transient after beam-on
    ("window_mu", "f8", (RATE_WINDOW,)), ("window_at", "i8"),
    ("quadrants", "f8", (4,)),
    # parameters
    ("warm_up_cycles", "i8"), ("latency_cycles", "i8"), ("pulse_sigma", "f8"), ("pulse_limit", "f8"),
    ("asymmetry_at_start", "f8"), ("asymmetry_decay", "f8"), ("quadrant_sigma", "f8"),
    # where faults write
    ("stuck_on", "f8"),  # 0.0; 1.0 = trigger ignores the controller's permit
    ("chain_stuck", "f8"),  # 0.0; 1.0 = contactor ignores the safety channel
    ("pulse_factor", "f8"),  # 1.0; dose per pulse runs away
    ("missed_share", "f8"),  # 0.0; probability that a pulse gives no dose
    ("asymmetry_x", "f8"), ("asymmetry_y", "f8"),  # 0.0; lasting symmetry error, relative
    ("energy_factor", "f8"),  # 1.0
    ("cross_talk", "f8"),  # 0.0; 1.0 = chamber 2's counter is wired to chamber 1
    ("accessory", "i8"),  # 0; what is really in the tray
    ("water_level_ok", "f8"),  # 1.0
    ("stream", "i8"),  # pulse noise, then four quadrants, then misfires
])


@compiled
def warm(beam, wanted, supply):
    """Gun and RF: hot after the warm-up, cold at once without request or supply."""
    beam.warm_cycles = beam.warm_cycles + 1 if wanted and supply else 0
    beam.hv_on = 1.0 if beam.warm_cycles > beam.warm_up_cycles else 0.0
    beam.limited = 0 if beam.warm_cycles == 0 else beam.limited


@compiled
def allowed(beam, wire, chain_closed, sensed):
    """Pulses need heat, the controller's permit, the safety channel's closed chain, and a filter in place."""
    asked = wire.permit == 1.0 or beam.stuck_on > 0.5
    closed = chain_closed or beam.chain_stuck > 0.5
    return beam.hv_on > 0.5 and asked and closed and sensed >= 0 and beam.limited == 0


@compiled
def of_now(beam, wire, cycle):
    """A permit is good for the cycle it was given in, and one that was late for the next one: what is older is no permit."""
    return beam.stuck_on > 0.5 or wire.said_cycle == 0 or abs(cycle - wire.said_cycle) <= LATE_CYCLES


@compiled
def wanted_rate(beam, mode, wire):
    """Dose rate to give, MU/s, inside what the modulator can do; NaN and negative give nothing."""
    rate = wire.rate_mu_per_s if wire.permit == 1.0 else beam.last_rate_mu_per_s
    most = mode.pulses_per_s * mode.mu_per_pulse
    rate = most if rate > most else rate
    beam.last_rate_mu_per_s = rate if rate > 0.0 and wire.permit == 1.0 else beam.last_rate_mu_per_s
    return rate if rate > 0.0 else 0.0


@compiled
def trigger(beam, mode, rate):
    """Whole pulses of this cycle: the nearest number, and what is left over is owed."""
    owed = beam.carry + rate * DT_S / mode.mu_per_pulse
    pulses = np.rint(owed)
    beam.carry = owed - pulses
    return int(pulses)


@compiled
def limit(beam, mode, chamber, pulses):
    """The modulator's own limiter hears chamber 1 pulse by pulse: the first one that is far too large is the last one."""
    fine = seen(chamber, mode.mu_per_pulse * beam.pulse_factor) <= beam.pulse_limit * mode.mu_per_pulse
    if pulses < 1 or fine:
        return pulses
    beam.limited = 1
    return 1


@compiled
def misfires(beam, pulses, noise, cycle):
    """How many of these pulses give no dose."""
    if not beam.missed_share > 0.0:
        return 0
    missed, now, stream = 0, spread(cycle), beam.stream + 5
    for i in range(pulses):
        draw_i = uniform(numbered(noise.key[stream], i), noise.key_2[stream], now)
        missed += 1 if draw_i < beam.missed_share else 0
    return missed


@compiled
def give_dose(beam, mode, pulses, missed, sample):
    """True dose of this cycle's pulses; each has its own small error, so n of them have it by 1 / sqrt(n)."""
    good = pulses - missed
    error = beam.pulse_sigma * sample[beam.stream] / np.sqrt(max(good, 1))
    beam.pulses_now = good
    beam.pulses += pulses
    beam.missed_pulses += missed
    beam.dose_mu = good * mode.mu_per_pulse * beam.pulse_factor * (1.0 + error)
    beam.true_mu += beam.dose_mu
    beam.true_total_mu += beam.dose_mu


@compiled
def rest(beam):
    """A cycle without pulses."""
    beam.pulses_now, beam.dose_mu, beam.carry, beam.on_cycles = 0, 0.0, 0.0, 0
    beam.asymmetry = beam.asymmetry_at_start


@compiled
def pulse(beam, modes, chamber, wire, chain_closed, sensed, noise, cycle):
    """Pulses of this cycle, if any are allowed and the latency is over."""
    beam.pulses_now, beam.dose_mu = 0, 0.0
    if not (known(modes, wire.mode) and allowed(beam, wire, chain_closed, sensed) and of_now(beam, wire, cycle)):
        rest(beam)
    elif beam.on_cycles < beam.latency_cycles:
        beam.on_cycles += 1
    else:
        mode = modes[wire.mode]
        pulses = limit(beam, mode, chamber, trigger(beam, mode, wanted_rate(beam, mode, wire)))
        give_dose(beam, mode, pulses, misfires(beam, pulses, noise, cycle), noise.sample)
    beam.rate_mu_per_s = beam.dose_mu / DT_S


@compiled
def ionise(beam, chambers, sample):
    """Both dose channels, and the ring for chamber 1's rate."""
    collect(chambers[0], beam.dose_mu, beam.pulses_now, sample)
    collect(chambers[1], beam.dose_mu, beam.pulses_now, sample)
    beam.window_mu[beam.window_at] = chambers[0].reading_mu
    beam.window_at = (beam.window_at + 1) % RATE_WINDOW


@compiled
def split(beam, sample):
    """Chamber 1's quadrants, mean 1.0; held while there is nothing to measure."""
    if beam.pulses_now == 0:
        return
    x, y = beam.asymmetry + beam.asymmetry_x, beam.asymmetry_y - 0.5 * beam.asymmetry
    sigma, first = beam.quadrant_sigma, beam.stream + 1
    a, b = 1.0 + x + sigma * sample[first], 1.0 - x + sigma * sample[first + 1]
    c, d = 1.0 + y + sigma * sample[first + 2], 1.0 - y + sigma * sample[first + 3]
    scale = 4.0 / (a + b + c + d)
    beam.quadrants[0], beam.quadrants[1] = a * scale, b * scale
    beam.quadrants[2], beam.quadrants[3] = c * scale, d * scale
    beam.asymmetry *= beam.asymmetry_decay


@compiled
def clear_dose(beam, chambers, wire, slow_sample):
    """Zero both counters on request; never while the controller gives a permit."""
    if wire.clear_dose == 1.0 and wire.permit != 1.0:
        beam.true_mu = 0.0
        clear(chambers[0], slow_sample[FIELD_GAIN])
        clear(chambers[1], slow_sample[FIELD_GAIN + 1])


@compiled
def show_dose(beam, chambers, wire):
    """Dose side of the beam's wires."""
    wire.mu_1 = counter(chambers[0])
    wire.mu_2 = counter(chambers[0]) if beam.cross_talk > 0.5 else counter(chambers[1])
    total = 0.0
    for i in range(RATE_WINDOW):
        total += beam.window_mu[i]
    wire.rate_1_mu_per_s = on_grid(total * PER_WINDOW_S)
    wire.pulse_mu = on_micro(chambers[0].reading_mu / beam.pulses_now) if beam.pulses_now > 0 else 0.0
    wire.pulses, wire.missed_pulses = beam.pulses, beam.missed_pulses
    for i in range(4):
        wire.quadrants[i] = on_micro(beam.quadrants[i])
    wire.chamber_hv_1_v, wire.chamber_hv_2_v = on_grid(chambers[0].hv_v), on_grid(chambers[1].hv_v)


@compiled
def show_mode(beam, carousel, wire):
    """Mode side of the beam's wires."""
    wire.hv_on, wire.heard_cycle = beam.hv_on, wire.said_cycle
    wire.mode_sensed = carousel.sensed
    wire.carousel_deg = on_grid(carousel.angle_deg + carousel.resolver_bias_deg)
    wire.accessory = beam.accessory
    wire.water_level_ok = beam.water_level_ok


@compiled
def step_beam(beam, modes, carousel, chambers, live, wire, node, node_wire, chain_closed, supply, noise, slow, cycle):
    """One cycle. `chain_closed`: the safety channel's yes; `supply`: mains there and no emergency stop pressed."""
    powered = supply and node.healthy > 0.5 and hears(node_wire, cycle)
    warm(beam, wire.hv_request == 1.0, powered)
    turn(carousel, modes, wire.mode)
    clear_dose(beam, chambers, wire, slow.sample)
    pulse(beam, modes, chambers[0], wire, chain_closed, carousel.sensed, noise, cycle)
    ionise(beam, chambers, noise.sample)
    split(beam, noise.sample)
    if cycle % SLOW_CYCLES == 0:
        wander(live, slow.sample)
    if report(node, node_wire, powered, cycle):
        show_dose(beam, chambers, wire)
        show_mode(beam, carousel, wire)
        show_energy(live, modes, wire, beam.energy_factor)
        show_live(live, modes, wire, beam.hv_on)


def new_beam(config: SourceConfig, modes: Any) -> Any:
    """BEAM_STATE (1,): cold, no pulses; a trigger that sticks before the first beam gives full rate."""
    full = modes["mu_per_pulse"][0] * modes["pulses_per_s"][0]
    return records(
        1, BEAM_STATE, last_rate_mu_per_s=full, quadrants=1.0, pulse_factor=1.0, energy_factor=1.0, water_level_ok=1.0,
        warm_up_cycles=round(config.warm_up_s / DT_S), latency_cycles=round(config.beam_on_latency_s / DT_S),
        pulse_sigma=config.pulse_noise, pulse_limit=config.pulse_limit, quadrant_sigma=config.quadrant_noise,
        asymmetry_at_start=config.asymmetry_at_start, asymmetry_decay=round(math.exp(-DT_S / config.asymmetry_decay_s), 9),
    )
