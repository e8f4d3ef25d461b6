"""How a signal can lie: one closed vocabulary for every wire of the machine, in either direction.

`size` and `size_2` mean something else for each; units are the signal's own.
"""

from enum import IntEnum


class Behaviour(IntEnum):
    """What becomes of a value on its way."""

    OFF = 0  # 0.0: no voltage
    FREEZE = 1  # as it was when the fault began
    BIAS = 2  # + size
    GAIN = 3  # x size
    DRIFT = 4  # + size per second
    NOISE = 5  # + a normal draw of sigma size
    QUANTISE = 6  # to whole multiples of size
    CLIP = 7  # into size .. size_2
    NAN = 8  # no number
    DELAY = 9  # as it was `cycles` cycles ago
    DROP = 10  # with `chance` per cycle the last one that came through
    DUPLICATE = 11  # with `chance` the last value once more, which pushes all later ones back by a cycle
    REORDER = 12  # with `chance` this value and the next change places
    REPLAY = 13  # the last `cycles` cycles before the fault, over and over
    CORRUPT = 14  # with `chance` one bit of its thousandths turned over, bits up to `size`
    SWAP = 15  # the value of another wire: see `other`
    WRAP = 16  # modulo size, as a counter that is too short
    STICK = 17  # stays until it would have moved by size
    SLIP = 18  # loses size of every unit of motion
    RUNAWAY = 19  # leaves its place at size per second
    LIE = 20  # says what was asked for: the setpoint of the same axis, or `size` where there is none


class Needs(IntEnum):
    """What a behaviour cannot do without."""

    NOTHING = 0
    SIZE = 1
    CYCLES = 2
    OTHER = 3


NEEDS = {
    Behaviour.BIAS: Needs.SIZE, Behaviour.GAIN: Needs.SIZE, Behaviour.DRIFT: Needs.SIZE, Behaviour.NOISE: Needs.SIZE,
    Behaviour.QUANTISE: Needs.SIZE, Behaviour.CLIP: Needs.SIZE, Behaviour.WRAP: Needs.SIZE, Behaviour.STICK: Needs.SIZE,
    Behaviour.SLIP: Needs.SIZE, Behaviour.RUNAWAY: Needs.SIZE, Behaviour.DELAY: Needs.CYCLES, Behaviour.REPLAY: Needs.CYCLES,
    Behaviour.SWAP: Needs.OTHER,
}
WITH_MEMORY = (Behaviour.DELAY, Behaviour.REPLAY)  # these need the past: a ring of so many cycles
