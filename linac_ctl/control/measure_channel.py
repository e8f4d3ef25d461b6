"""From the safety channel's wires to signals: what the second decider says of itself."""

from device_models.interface.compiled import compiled
from device_models.interface.image import ALL_TESTED, SafetyOpen

from .signals import Signal
from .worst import closed, worst

DOSE, TIMER, HEARTBEAT, DOOR, ESTOP, LIMITS = (int(bit) for bit in SafetyOpen)


@compiled
def bits(word):
    """How many bits of a small non-negative number are set."""
    n = 0
    for i in range(6):
        n += (word >> i) & 1
    return n


@compiled
def measure_safety(job, signals, safety):
    """What the second channel says of itself; a self-test opens it on purpose."""
    opened = 0 if safety.testing > 0.5 else safety.open
    signals[Signal.CHANNEL_PERMIT] = closed(safety.permit)
    signals[Signal.PERMIT_WELDED] = 1.0 if safety.permit != 0.0 and (safety.open != 0 or safety.testing > 0.5) else 0.0
    refused = job.permit == 1 and safety.permit != 1.0
    signals[Signal.CHANNEL_REFUSED] = signals[Signal.CHANNEL_REFUSED] + 1.0 if refused else 0.0
    signals[Signal.OPEN_DOSE] = 1.0 if opened & DOSE else 0.0
    signals[Signal.OPEN_TIMER] = 1.0 if opened & TIMER else 0.0
    signals[Signal.OPEN_HEARTBEAT] = 1.0 if opened & HEARTBEAT else 0.0
    signals[Signal.OPEN_DOOR] = 1.0 if opened & DOOR else 0.0
    signals[Signal.OPEN_ESTOP] = 1.0 if opened & ESTOP else 0.0
    signals[Signal.OPEN_LIMITS] = 1.0 if opened & LIMITS else 0.0
    signals[Signal.ECHO_OFF] = worst(abs(safety.preset_echo_mu - job.preset_mu),
                                     abs(safety.time_limit_echo_s - job.time_limit_s))
    signals[Signal.TIMER_SPLIT_S] = abs(safety.beam_s - job.beam_s)
    job.timer_ahead_s = job.timer_ahead_s if job.permit == 1 else safety.beam_s - job.beam_s
    signals[Signal.TIMER_SLOW_S] = abs(safety.beam_s - job.beam_s - job.timer_ahead_s)
    signals[Signal.BEAM_TIME_OVER_S] = job.flowing_s - job.longest_s
    missing = ALL_TESTED & ~safety.passed
    signals[Signal.SELFTEST_MISSING] = bits(missing)
    signals[Signal.SELFTEST_DOSE_MISSING] = bits(missing & (DOSE | TIMER))
