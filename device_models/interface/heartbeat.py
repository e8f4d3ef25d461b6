"""The challenge and its answer, or a refusal: a controller that only repeats itself, or a timer left running, cannot give it."""

from .compiled import compiled

REFUSAL = -1  # said in place of an answer: open at once, do not wait for silence


@compiled
def answer(challenge):
    """The 31-bit response the safety channel expects one cycle later (a multiplicative generator, Lehmer 1951)."""
    return (challenge * 48271 + 11) % 2147483647
