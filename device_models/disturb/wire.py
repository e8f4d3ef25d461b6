"""One disturbed wire: what its sender put there is kept aside, what the others read is what the fault makes of it.

Before the sender writes again it finds its own value, so a wire that is not written in a cycle is not disturbed twice.
"""

from typing import Any

import numpy as np

from ..faults.behaviour import Behaviour
from ..interface.compiled import compiled
from ..interface.image import DT_S, records
from ..parts.noise import MASK_32, normal, spread, uniform

(OFF, FREEZE, BIAS, GAIN, DRIFT, NOISE, QUANTISE, CLIP, NAN, DELAY, DROP, DUPLICATE, REORDER, REPLAY, CORRUPT, SWAP, WRAP, STICK,
 SLIP, RUNAWAY, LIE) = (int(behaviour) for behaviour in Behaviour)
YOUNG_CYCLES = 2  # a frame or two may be lost: what is known is not stale before 30 ms (SI-13)
GRID = 1000.0  # a bit that turns over does so in whole thousandths, as on a line

WIRE = np.dtype([
    ("part", "i8"), ("word", "i8"), ("whole", "i8"),  # where it is; 1 = a whole number
    ("other_part", "i8"), ("other_word", "i8"), ("other_whole", "i8"),  # SWAP, LIE; -1 = none
    ("behaviour", "i8"), ("size", "f8"), ("size_2", "f8"), ("chance", "f8"),
    ("ring", "i8"), ("ring_size", "i8"), ("ring_at", "i8"), ("behind", "i8"),  # its past
    ("key", "u4"), ("key_2", "u4"),  # of its draws; wires of one frame share them, and so its fate
    ("active", "i8"), ("cycles_active", "i8"),
    ("clean", "f8"),  # what the sender put there in this cycle
    ("said", "f8"),  # what the others read
    ("before", "f8"),  # clean, one cycle ago
    ("base", "f8"),  # clean, when the fault began
    ("borrowed", "f8"),  # the other wire's value in this cycle
    ("held", "i8"),  # REORDER: 1 = a value is on its way still; DROP: how many were lost in a row
    ("noise", "f8"),  # differences up to this are none
    ("bound", "f8"),  # what it may be off before somebody has to notice; see `allowed`
    ("due", "i8"),  # cycle in which it was off by more, first; -1 = not yet
    ("effective", "i8"),  # cycle in which others first read something else; -1 = not yet
    ("fault", "i8"),  # whose it is
])


@compiled
def get(floats, wholes, part, word, whole):
    """The number on a wire."""
    return float(wholes[part][word]) if whole == 1 else floats[part][word]


@compiled
def put(floats, wholes, part, word, whole, value):
    """Another number on it."""
    if whole == 1:
        wholes[part][word] = int(np.rint(value))
    else:
        floats[part][word] = value


@compiled
def same(a, b):
    """Equal, and no number is equal to no number."""
    return a == b or (a != a and b != b)


@compiled
def remember(wire, rings, value):
    """The past that DELAY and REPLAY need; a ring that was never written is full of the first value."""
    if wire.ring_size == 0:
        return
    if wire.ring_at < 0:
        for i in range(wire.ring_size):
            rings[wire.ring + i] = value
        wire.ring_at = 0
    rings[wire.ring + wire.ring_at] = value
    wire.ring_at = (wire.ring_at + 1) % wire.ring_size


@compiled
def recall(wire, rings, back):
    """The value `back` cycles ago; 0 = the one remembered last."""
    return rings[wire.ring + (wire.ring_at - 1 - back) % wire.ring_size]


@compiled
def lucky(wire, cycle):
    """Does it happen in this cycle?"""
    return uniform(wire.key, wire.key_2, spread(cycle)) < wire.chance


@compiled
def corrupted(wire, value, cycle):
    """One bit of the thousandths turned over; no number stays none."""
    if not abs(value) < 1e15:
        return value
    bits = max(1, int(wire.size))
    bit = int(uniform(wire.key_2, wire.key, spread(cycle)) * bits)
    turned = int(np.rint(value * GRID)) ^ (1 << bit)
    return turned / GRID


@compiled
def late(wire, rings, value, cycle):
    """DELAY, DUPLICATE, REPLAY: the ring decides."""
    if wire.behaviour == REPLAY:
        return rings[wire.ring + (wire.ring_at + wire.cycles_active) % wire.ring_size]
    remember(wire, rings, value)
    if wire.behaviour == DELAY:
        wire.behind = wire.ring_size - 1
    elif lucky(wire, cycle) and wire.behind < wire.ring_size - 1:
        wire.behind += 1
    return recall(wire, rings, wire.behind)


@compiled
def swapped_in_time(wire, value, cycle):
    """REORDER: this value is late, and arrives after the next one."""
    if wire.held == 1:
        wire.held = 0
        return wire.before
    if lucky(wire, cycle):
        wire.held = 1
        return wire.said
    return value


@compiled
def dropped(wire, value, cycle):
    """DROP: the value of before stands, for as many cycles as were lost in a row."""
    wire.held = wire.held + 1 if lucky(wire, cycle) else 0
    return value if wire.held == 0 else wire.said


@compiled
def number(wire, value, cycle):
    """Behaviours that need nothing but the value and how long it has been."""
    kind, seconds = wire.behaviour, (wire.cycles_active + 1) * DT_S
    if kind == FREEZE:
        return wire.base
    if kind == BIAS:
        return value + wire.size
    if kind == GAIN:
        return value * wire.size
    if kind == DRIFT:
        return value + wire.size * seconds
    if kind == NOISE:
        return value + wire.size * normal(wire.key, wire.key_2, spread(cycle))
    if kind == QUANTISE:
        return np.rint(value / wire.size) * wire.size
    if kind == CLIP:
        return min(max(value, wire.size), wire.size_2)
    if kind == WRAP:
        return value - wire.size * np.floor(value / wire.size)
    if kind == SLIP:
        return wire.base + (value - wire.base) * (1.0 - wire.size)
    if kind == RUNAWAY:
        return wire.base + wire.size * seconds
    if kind == STICK:
        return wire.said if abs(value - wire.said) < wire.size else value
    return 0.0  # OFF


@compiled
def disturbed(wire, rings, value, cycle):
    """What the others read."""
    kind = wire.behaviour
    if kind == NAN:
        return np.nan
    if kind in (DELAY, DUPLICATE, REPLAY):
        return late(wire, rings, value, cycle)
    if kind == DROP:
        return dropped(wire, value, cycle)
    if kind == REORDER:
        return swapped_in_time(wire, value, cycle)
    if kind == CORRUPT:
        return corrupted(wire, value, cycle) if lucky(wire, cycle) else value
    if kind == SWAP:
        return wire.borrowed
    if kind == LIE:
        return wire.borrowed if wire.other_part >= 0 else wire.size
    return number(wire, value, cycle)


@compiled
def beyond(read, fine, most):
    """Off by more than it may be; below zero = a share of what is right, but one unit at least."""
    if same(read, fine):
        return False
    return not abs(read - fine) <= (most if most >= 0.0 else max(1.0, -most * abs(fine)))


@compiled
def notice(wire, read, cycle):
    """-> 1 in the first cycle in which the others read something else, by more than the noise."""
    young = wire.behaviour == DROP and wire.held <= YOUNG_CYCLES
    if wire.due < 0 and not young and beyond(read, wire.clean, wire.bound):
        wire.due = cycle
    if wire.effective >= 0 or same(read, wire.clean) or abs(read - wire.clean) <= wire.noise:
        return 0
    wire.effective = cycle
    return 1


@compiled
def lie(wires, rings, floats, wholes, cycle):
    """The sender has written: keep that aside and put down what the others read. -> 1 if a fault acts for the first time."""
    acts = 0
    for i in range(wires.size):
        w = wires[i]
        if w.other_part >= 0:
            w.borrowed = get(floats, wholes, w.other_part, w.other_word, w.other_whole)
    for i in range(wires.size):
        w = wires[i]
        w.before, w.clean = w.clean, get(floats, wholes, w.part, w.word, w.whole)
        if w.active == 0:
            remember(w, rings, w.clean)
            w.said = w.clean
            continue
        w.base = w.before if w.cycles_active == 0 else w.base
        w.said = disturbed(w, rings, w.clean, cycle)
        put(floats, wholes, w.part, w.word, w.whole, w.said)
        w.said = get(floats, wholes, w.part, w.word, w.whole)  # a whole number may be another one
        w.cycles_active += 1
        acts |= notice(w, w.said, cycle)
    return acts


@compiled
def tell_truth(wires, floats, wholes):
    """Before the sender writes again: its own value is back, the last disturbance undone first.

    What is no more what the others read has been written in between, by a sender that has its own time: that is its value then.
    """
    for k in range(wires.size):
        w = wires[wires.size - 1 - k]
        if w.active == 1 and w.cycles_active > 0 and same(get(floats, wholes, w.part, w.word, w.whole), w.said):
            put(floats, wholes, w.part, w.word, w.whole, w.clean)


def new_wires(n: int) -> Any:
    """WIRE (n,), none active."""
    return records(n, WIRE, other_part=-1, effective=-1, due=-1, ring_at=-1, chance=1.0, clean=np.nan, said=np.nan, before=np.nan)


def keys(seed: int, name: str) -> tuple[int, int]:
    """Two 32-bit keys of a fault's own draws: nobody else's noise depends on them."""
    import hashlib

    digest = hashlib.sha256(f"{seed}/fault/{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & MASK_32, int.from_bytes(digest[4:8], "big") & MASK_32
