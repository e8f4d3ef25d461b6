"""From wires and approval to signals: is the patient still where somebody approved?"""

from math import sqrt

from device_models.interface.compiled import compiled
from device_models.interface.image import DT_S

from .signals import FIRST_GUARD, Guard, Signal
from .worst import NAN, known_mm, worst

POSITION_APPROVED = FIRST_GUARD + int(Guard.POSITION_APPROVED)
ENDED_BY_SKIN = -2  # in place of the cycle of the images


@compiled
def way_mm(couch, place):
    """From there to where the couch says it is."""
    way2 = 0.0
    for i in range(min(couch.size, 3)):
        off = couch[i].readback - place[i]
        way2 += off * off
    return sqrt(way2)


@compiled
def turn_deg(couch, place):
    """The worst of its turns from there."""
    turn = 0.0
    for i in range(3, couch.size):
        turn = worst(abs(couch[i].readback - place[i]), turn)
    return turn


@compiled
def measure_approval(job, signals, couch):
    """How far the couch has moved since the position was approved, and how old the images are that it rests on."""
    needed, held = job.token_needed != 0.0, job.token_cycle >= 0
    signals[Signal.POSITION_MOVED_MM] = way_mm(couch, job.token_couch) if needed and held else 0.0
    signals[Signal.POSITION_MOVED_DEG] = turn_deg(couch, job.token_couch) if needed and held else 0.0
    job.image_moved_mm = worst(way_mm(couch, job.image_couch), job.image_moved_mm)
    job.image_moved_deg = worst(turn_deg(couch, job.image_couch), job.image_moved_deg)
    age = (job.cycle - job.token_cycle) * DT_S if held else NAN
    signals[Signal.IMAGE_AGE_S] = age if needed else 0.0


@compiled
def measure_target(job, signals):
    """What triggered images say: out of its limit for too long, or not looked at for too long."""
    if job.target_watched == 0.0:
        signals[Signal.TARGET_OUT_S] = signals[Signal.TARGET_UNSEEN] = 0.0
        return
    job.target_out = 0 if job.target_off_mm <= job.target_limit_mm else job.target_out + 1
    signals[Signal.TARGET_OUT_S] = job.target_out * DT_S - job.target_patience_s
    signals[Signal.TARGET_UNSEEN] = (job.cycle - job.target_cycle) * DT_S / job.target_longest_s


@compiled
def measure_surface(job, signals, room):
    """What the surface monitor says. Too far from where it was approved, and the approval is over in this very cycle."""
    if job.surface_watched == 0.0:
        signals[Signal.SURFACE_OFF_MM] = signals[Signal.SURFACE_OUT_S] = signals[Signal.SURFACE_AGE_S] = 0.0
        return
    way2 = 0.0
    for i in range(3):
        off = room.surface_mm[i] - job.surface_reference_mm[i]
        way2 += off * off
    way = sqrt(way2)  # NaN while no position is approved
    job.surface_out = 0 if way <= job.surface_limit_mm else job.surface_out + 1
    signals[Signal.SURFACE_OFF_MM] = way
    signals[Signal.SURFACE_OUT_S] = job.surface_out * DT_S - job.surface_patience_s
    signals[Signal.SURFACE_AGE_S] = abs(job.cycle - room.surface_cycle) * DT_S
    if way > job.surface_excursion_mm:
        job.token_cycle = ENDED_BY_SKIN
        signals[POSITION_APPROVED] = 0.0


@compiled
def measure_patient(job, signals, room):
    """The patient during the beam, and exposures that nobody asked for."""
    measure_target(job, signals)
    measure_surface(job, signals, room)
    shut = 0.0 if known_mm(room.breath_mm) <= job.gate_mm else 1.0
    signals[Signal.GATE_SHUT] = shut if job.gate_mm > 0.0 else 0.0
    signals[Signal.KV_UNASKED] = room.kv_exposures - job.kv_asked
