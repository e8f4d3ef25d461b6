"""The challenge and its answer: a controller that only repeats itself, or a timer left running, cannot give it."""

from .compiled import compiled


@compiled
def answer(challenge):
    """The 31-bit response the safety channel expects one cycle later (a multiplicative generator, Lehmer 1951)."""
    return (challenge * 48271 + 11) % 2147483647
