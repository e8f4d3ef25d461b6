"""The second decider: own chamber, preset, timer, door chain, heartbeat check, self-test. It only takes beam and drive power away.

Nothing here believes the controller: limits are taken over once, and only while there is no permit.
"""

from typing import Any

import numpy as np

from .config import SafetyConfig
from .interface.compiled import compiled
from .interface.grid import on_grid
from .interface.heartbeat import REFUSAL, answer
from .interface.image import DT_S, SafetyOpen, records
from .parts.chamber import collect
from .parts.node import report
from .parts.noise import MASK_32

DOSE, TIMER, HEARTBEAT = int(SafetyOpen.DOSE), int(SafetyOpen.TIMER), int(SafetyOpen.HEARTBEAT)
DOOR, ESTOP, LIMITS = int(SafetyOpen.DOOR), int(SafetyOpen.ESTOP), int(SafetyOpen.LIMITS)
LAST = LIMITS  # bits are tested in turn from DOSE to here
HOLDS_MOTION = HEARTBEAT | ESTOP  # nobody is in command, or somebody wants all of it to stop: drives lose their power too
VIOLATING = 1e9  # what a comparator is fed in its test

SAFETY_STATE = np.dtype([
    # memory
    ("loaded", "i8"), ("preset_mu", "f8"), ("time_limit_s", "f8"),
    ("mu_backup", "f8"), ("beam_s", "f8"),
    ("challenge", "i8"), ("silent_cycles", "i8"),
    ("open", "i8"),  # SafetyOpen bits, latched
    ("permit", "f8"),  # what the beam's contactor sees
    ("motion", "f8"),  # what the contactor of all drives sees; axes are stepped before the channel, so it acts one cycle later
    ("passed", "i8"), ("test_bit", "i8"), ("test_cycle", "i8"), ("acted", "i8"),
    ("was_armed", "f8"), ("was_asked", "f8"),
    ("other_cycles", "i8"),  # in a row in which the controller said other limits than those in force
    # parameters
    ("margin_mu", "f8"), ("margin_ratio", "f8"), ("silence_limit", "i8"), ("step_cycles", "i8"),
    ("silence_tested", "i8"),  # with which the self-test feeds the heartbeat's check: the limit as it was built, in cycles
    ("longest_s", "f8"), ("largest_mu", "f8"), ("key", "i8"),
    # where faults write
    ("dead", "i8"),  # 0; SafetyOpen bits whose comparator never opens: latent, found by the self-test
    ("timer_rate", "f8"),  # 1.0
    ("keeps_limits", "f8"),  # 0.0; 1.0 = does not take over a new preset: the old one stays in force
    ("stuck_permit", "f8"),  # 0.0; 1.0 = the output relay of the beam is welded
    ("supplied", "f8"),  # 1.0; 0.0 = the channel itself has no power: its relays fall
])


@compiled
def valid(safety, wire):
    """Limits that can be worked with: numbers, above zero, not absurd. NaN is not."""
    preset = wire.preset_mu > 0.0 and wire.preset_mu <= safety.largest_mu
    limit = wire.time_limit_s > 0.0 and wire.time_limit_s <= safety.longest_s
    return preset and limit and wire.start_mu >= 0.0 and wire.start_mu <= wire.preset_mu


@compiled
def take_over(safety, wire, permit):
    """While armed and without permit: new limits, counter and timer from the start. Arming asks for a new self-test."""
    armed = wire.arm == 1.0
    safety.passed = 0 if armed and safety.was_armed < 0.5 else safety.passed
    safety.was_armed = 1.0 if armed else 0.0
    if not armed or permit:
        return
    safety.beam_s = 0.0
    safety.mu_backup = wire.start_mu if wire.start_mu >= 0.0 else 0.0
    if safety.keeps_limits > 0.5:
        return
    good = valid(safety, wire)
    safety.loaded = 1 if good else 0
    safety.preset_mu = wire.preset_mu if good else 0.0
    safety.time_limit_s = wire.time_limit_s if good else 0.0


@compiled
def count(safety, chamber, beam, permit, sample):
    """Own dose and own time. What is counted is last cycle's beam: this cycle's has not happened yet."""
    collect(chamber, beam.dose_mu, beam.pulses_now, sample)
    safety.mu_backup += chamber.reading_mu
    safety.beam_s += DT_S * safety.timer_rate if permit or beam.pulses_now > 0 else 0.0


@compiled
def listen(safety, response, cycle):
    """Check the answer to the last challenge, count silence, and set the next challenge. A refusal is as good as all silence."""
    safety.silent_cycles = 0 if response == answer(safety.challenge) else safety.silent_cycles + 1
    if response == REFUSAL and safety.silent_cycles < safety.silence_limit:
        safety.silent_cycles = safety.silence_limit
    safety.challenge = ((cycle * 0x9E3779B1 + safety.key) & MASK_32) >> 1


@compiled
def violated(safety, room, fed):
    """SafetyOpen bits that are not fine now; `fed` is the bit whose comparator gets a violating test value instead."""
    most_mu = safety.preset_mu + max(safety.margin_mu, safety.margin_ratio * safety.preset_mu)
    mu = VIOLATING if fed == DOSE else safety.mu_backup
    beam_s = VIOLATING if fed == TIMER else safety.beam_s
    silent = safety.silence_tested if fed == HEARTBEAT else safety.silent_cycles
    found = 0 if mu <= most_mu else DOSE
    found |= 0 if beam_s <= safety.time_limit_s else TIMER
    found |= 0 if silent < safety.silence_limit else HEARTBEAT
    found |= 0 if room.door_1 == 1.0 and room.door_2 == 1.0 and fed != DOOR else DOOR
    found |= 0 if room.estop_ok == 1.0 and fed != ESTOP else ESTOP
    found |= 0 if safety.loaded == 1 and fed != LIMITS else LIMITS
    return found & ~safety.dead


@compiled
def unlike(safety, wire):
    """LIMITS where the controller says other limits than those in force, twice in a row: one of the two is wrong."""
    same = wire.preset_mu == safety.preset_mu and wire.time_limit_s == safety.time_limit_s
    safety.other_cycles = 0 if same or safety.loaded == 0 else safety.other_cycles + 1
    return LIMITS & ~safety.dead if safety.other_cycles > 1 else 0


@compiled
def begin_test(safety, asked, permit):
    """A rising request without permit starts the self-test; a permit ends it at once."""
    if asked and safety.was_asked < 0.5 and not permit:
        safety.test_bit, safety.test_cycle, safety.acted, safety.passed = DOSE, 0, 0, 0
    safety.was_asked = 1.0 if asked else 0.0
    safety.test_bit = 0 if permit else safety.test_bit


@compiled
def fed_bit(safety):
    """The comparator under test in this cycle; the last cycle of each step feeds the true value again."""
    return safety.test_bit if safety.test_cycle < safety.step_cycles - 1 else 0


@compiled
def go_on_testing(safety, found):
    """A check has passed when it opened on the test value and closed on the true one."""
    if safety.test_bit == 0:
        return
    opened = (found & safety.test_bit) != 0
    safety.test_cycle += 1
    if safety.test_cycle < safety.step_cycles:
        safety.acted = 1 if opened else 0
        return
    safety.passed |= safety.test_bit if safety.acted == 1 and not opened else 0
    safety.test_bit = safety.test_bit * 2 if safety.test_bit < LAST else 0
    safety.test_cycle, safety.acted = 0, 0


@compiled
def latch(safety, found, reset):
    """What opened stays open until reset with its cause gone; missing limits close as soon as they are loaded."""
    kept = found if reset else safety.open | found
    safety.open = (kept & ~LIMITS) | (found & LIMITS)


@compiled
def forget(safety):
    """A channel without power knows nothing afterwards: limits and tests have to be given again."""
    safety.loaded, safety.passed = 0, 0


@compiled
def switch_relays(safety, testing):
    """The two outputs. What a self-test opens is not latched, so it takes no drive power."""
    alive = safety.supplied > 0.5
    closed = alive and safety.open == 0 and safety.loaded == 1 and not testing
    safety.permit = 1.0 if closed or safety.stuck_permit > 0.5 else 0.0
    safety.motion = 1.0 if alive and (safety.open & HOLDS_MOTION) == 0 else 0.0


@compiled
def step_safety(safety, chamber, wire, beam_wire, beam, room, node, node_wire, sample, cycle):
    """One cycle, before the beam's: what opens here stops the beam in this very cycle."""
    permit = beam_wire.permit == 1.0
    take_over(safety, wire, permit)
    if safety.supplied < 0.5:
        forget(safety)
    count(safety, chamber, beam, permit, sample)
    listen(safety, wire.response, cycle)
    begin_test(safety, wire.selftest == 1.0, permit)
    fed = fed_bit(safety)
    found = violated(safety, room, fed) | unlike(safety, wire)
    latch(safety, found & ~fed, wire.reset == 1.0 and not permit)
    testing = safety.test_bit != 0
    go_on_testing(safety, found)
    switch_relays(safety, testing)
    if report(node, node_wire, True, cycle):
        show(safety, wire, safety.open | (found & fed), testing)


@compiled
def show(safety, wire, opened, testing):
    """The channel's wires."""
    wire.challenge = safety.challenge
    wire.mu_backup, wire.beam_s = on_grid(safety.mu_backup), on_grid(safety.beam_s)
    wire.preset_echo_mu, wire.time_limit_echo_s = on_grid(safety.preset_mu), on_grid(safety.time_limit_s)
    wire.open, wire.permit, wire.passed = opened, safety.permit, safety.passed
    wire.testing = 1.0 if testing else 0.0


def new_safety(config: SafetyConfig, key: int, answered: bool = True) -> Any:
    """SAFETY_STATE (1,): nothing loaded, nothing tested, chain open. `key` makes the challenges of this run its own.

    `answered` False: nobody is there who could answer challenges, so silence opens nothing.
    """
    return records(
        1, SAFETY_STATE, open=LIMITS, margin_mu=config.backup_margin_mu, margin_ratio=config.backup_margin_ratio,
        silence_limit=round(config.heartbeat_limit_s / DT_S), silence_tested=round(config.heartbeat_limit_s / DT_S),
        step_cycles=max(2, round(config.selftest_step_s / DT_S)),
        longest_s=config.longest_limit_s, largest_mu=config.largest_preset_mu, key=key, timer_rate=1.0, motion=1.0, supplied=1.0,
        dead=0 if answered else HEARTBEAT,
    )
