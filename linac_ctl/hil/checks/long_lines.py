"""`maxline`: the longest line is taken, a longer one is junk."""

from ..bench import Bench

LEAST, MOST = 160, 10_000  # characters
AROUND = 9  # start character, sequence number, space, asterisk, CRC
VERB = "ZZ "


def long_lines(bench: Bench) -> None:
    """At the limit answered, one beyond it counted, and far beyond it as well, without an end to what is lost."""
    most = bench.told.maxline
    if not bench.expect(LEAST <= most <= MOST, f"maxline is {LEAST} to {MOST}", f"{most}"):
        return
    reply = bench.answered(padded(most))
    bench.expect(reply is not None and reply.code == 2, f"a line of maxline = {most} characters is answered",
                 "silence" if reply is None else reply.text)
    for length in (most + 1, 2 * most, 10 * most):
        before = bench.counters()
        answer = bench.answered(padded(length))
        grown = bench.counters()[1] - before[1]
        bench.expect(answer is None, f"a line of {length} is not answered", "" if answer is None else answer.text)
        bench.expect(grown == 1, f"it is counted as one invalid line ({length})", f"{grown}")


def padded(length: int) -> str:
    """Body of a line of so many characters; no verb of anybody."""
    return VERB + "A" * (length - AROUND - len(VERB))
