"""A fault that cannot be: unknown, out of its range, or of something that is not there."""

from difflib import get_close_matches


class FaultError(ValueError):
    """Who, what, the limit, what to do next; raised before anything runs."""


def nearest(word: str, known: list[str]) -> str:
    """ "; did you mean ...?" when something is close, else a list of what there is."""
    close = get_close_matches(word, known, 3, 0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known[:40])}{' ...' if len(known) > 40 else ''}"
