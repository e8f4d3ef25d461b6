"""From the beam's wires to signals: doses, rates, pulses, quality."""

from device_models.interface.compiled import compiled
from device_models.interface.image import DT_S

from .phases import Phase
from .signals import Signal
from .state import LIVE
from .worst import NAN, closed, worst

BEAM = int(Phase.BEAM)
SHORTER, SHORT, LONG = 0.25, 0.1, 0.01  # share of the newest value in a mean over about 0.04 s, 0.1 s and 1 s
SOONEST = 3  # cycle of a permit in which its first pulse may come: SI-02 wants it there for two whole cycles
RADIATING = 10  # cycles: longer than the other channel waits for a heartbeat


@compiled
def measure_dose(job, signals, param, beam, backup_mu):
    """Counters, their agreement with each other and with the second channel's own, and what is left of the field."""
    signals[Signal.MU_1] = job.mu_offset + beam.mu_1
    signals[Signal.MU_2] = job.mu_offset + beam.mu_2
    allowed = max(param.split_floor_mu, param.split_ratio * beam.mu_1)
    apart = worst(abs(beam.mu_1 - beam.mu_2), abs(signals[Signal.MU_1] - backup_mu))
    signals[Signal.MU_SPLIT] = apart / allowed
    signals[Signal.MU_LEFT] = job.mu_end - signals[Signal.MU_1]
    signals[Signal.MU_OVER] = -signals[Signal.MU_LEFT]
    signals[Signal.MU_BACKWARDS] = worst(job.last_mu_1 - beam.mu_1, job.last_mu_2 - beam.mu_2)
    measure_counters(job, signals, beam)
    job.last_mu_1, job.last_mu_2 = beam.mu_1, beam.mu_2


@compiled
def measure_counters(job, signals, beam):
    """Dose of the pulses against either counter, about the last second. Between fields the counters are cleared."""
    counts = 1.0 / DT_S if job.phase == BEAM else 0.0
    job.mu_rate_mean[0] += LONG * ((beam.mu_1 - job.last_mu_1) * counts - job.mu_rate_mean[0])
    job.mu_rate_mean[1] += LONG * ((beam.mu_2 - job.last_mu_2) * counts - job.mu_rate_mean[1])
    apart = worst(abs(job.pulse_rate_mean - job.mu_rate_mean[0]), abs(job.pulse_rate_mean - job.mu_rate_mean[1]))
    signals[Signal.RATE_PLAUS] = apart / max(job.max_rate_mu_per_s, 1e-9)


@compiled
def forget_bad_means(job):
    """A mean that swallowed a NaN in the last cycle starts again: its signal has been NaN by then, and need not stay so."""
    job.pulse_rate_mean = job.pulse_rate_mean if job.pulse_rate_mean == job.pulse_rate_mean else 0.0
    for i in range(2):
        job.symmetry_mean[i] = job.symmetry_mean[i] if job.symmetry_mean[i] == job.symmetry_mean[i] else 0.0
        job.mu_rate_mean[i] = job.mu_rate_mean[i] if job.mu_rate_mean[i] == job.mu_rate_mean[i] else 0.0


@compiled
def measure_rates(job, signals, beam):
    """Dose rate against what was asked, arcs, pulses without permit."""
    pulses = beam.pulses - job.last_pulses
    missed = beam.missed_pulses - job.last_missed
    job.last_pulses, job.last_missed = beam.pulses, beam.missed_pulses
    job.rate_mean_mu_per_s += SHORT * (job.rate_mu_per_s * job.permit - job.rate_mean_mu_per_s)
    counted = pulses - missed if job.phase == BEAM else 0
    job.pulse_rate_mean += LONG * (counted * job.pulse_mu / DT_S - job.pulse_rate_mean)
    job.missed_mean += missed - job.missed_mean * LONG
    highest = max(job.max_rate_mu_per_s, 1e-9)
    signals[Signal.RATE_RATIO] = abs(beam.rate_1_mu_per_s) / highest
    signals[Signal.PULSE_RATIO] = abs(beam.pulse_mu) / max(job.pulse_mu, 1e-9)
    weak = 1.0 - signals[Signal.PULSE_RATIO]
    signals[Signal.PULSE_SHORT] = weak if pulses > missed or weak != weak else 0.0
    steady = job.flowing > 30 and job.rate_mean_mu_per_s > 0.02 * highest
    short = 1.0 - beam.rate_1_mu_per_s / max(job.rate_mean_mu_per_s, 1e-9)
    signals[Signal.RATE_SHORT] = short if steady or short != short else 0.0
    signals[Signal.MISSED_PULSES] = job.missed_mean
    begun = job.permit == 1 and pulses > 0 and beam.pulses != job.pulses_at_permit
    job.flowing += 1 if begun or job.flowing > 0 else 0
    job.radiating = max(job.radiating - 1, 0)
    signals[Signal.RADIATION_OFF] = unpermitted(job, beam) if pulses != 0 else 0.0
    if signals[Signal.RADIATION_OFF] > 0.0:
        job.radiating = RADIATING


@compiled
def unpermitted(job, beam):
    """Cycles that pulses go on for after their permit, or come too soon before one could have given them.

    The first one without a permit counts where the source had heard of it: else an order may have been lost on its way.
    """
    late = job.low_cycles if beam.heard_cycle == job.cycle else job.low_cycles - 1
    return max(late, 0) if job.permit == 0 else max(SOONEST - job.high_cycles, 0)


@compiled
def measure_quality(job, signals, param, beam):
    """Symmetry, chamber voltages, energy, mode, live parameters."""
    for i in range(2):
        pair = beam.quadrants[2 * i] + beam.quadrants[2 * i + 1]
        skew = (beam.quadrants[2 * i] - beam.quadrants[2 * i + 1]) / pair if pair > 0.0 else NAN
        skew = skew if job.flowing > 0 or skew != skew else 0.0
        job.symmetry_mean[i] += SHORTER * (skew - job.symmetry_mean[i])
    signals[Signal.SYMMETRY] = worst(abs(job.symmetry_mean[0]), abs(job.symmetry_mean[1]))
    signals[Signal.CHAMBER_HV] = worst(abs(beam.chamber_hv_1_v / param.chamber_hv_v - 1.0),
                                       abs(beam.chamber_hv_2_v / param.chamber_hv_v - 1.0))
    signals[Signal.ENERGY] = abs(beam.energy_ratio - 1.0)
    signals[Signal.MODE_WRONG] = 0.0 if beam.mode_sensed == beam.mode else 1.0
    job.selecting = 0 if beam.mode_sensed == beam.mode else job.selecting
    signals[Signal.MODE_UNASKED] = signals[Signal.MODE_WRONG] if job.selecting == 0 else 0.0
    signals[Signal.ACCESSORY_WRONG] = 0.0 if beam.accessory == job.accessory else 1.0
    signals[Signal.HV_ON] = closed(beam.hv_on)
    signals[Signal.WATER_LEVEL] = closed(beam.water_level_ok)
    live = (beam.gun_hv_kv, beam.gun_current_a, beam.pfn_kv, beam.afc_error_v, beam.rf_driver_v, beam.vacuum_ua,
            beam.gas_psi, beam.water_c)
    band = 0.0
    for i in range(len(LIVE)):
        band = worst(abs(live[i] - param.live_middle[i]) * param.live_per_half[i], band)
    signals[Signal.UTILITY_BAND] = band
