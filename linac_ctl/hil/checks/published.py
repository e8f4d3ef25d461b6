"""The published vectors, sent to the device: what goes through, what is counted, what is answered."""

from ..bench import CALM_WD_MS, Bench
from ..client import NoAnswerError
from ..vectors import Vector, disagreement, vectors

FIRST, CLOSING = 0x00, 0x7A  # sequence numbers before and after a vector
COUNTED = ("good", "invalid", "repeated", "old", "stops")
AROUND = 3  # good lines around a vector: HI before, HI and CN after


def valid_lines(bench: Bench) -> None:
    """Answered as published."""
    run(bench, vectors("valid"))


def junk(bench: Bench) -> None:
    """Dropped, counted, not answered."""
    run(bench, vectors("invalid"))


def hostile_streams(bench: Bench) -> None:
    """What goes through between noise, cut-off lines, old and repeated requests."""
    run(bench, [vector for vector in vectors("adversarial") if not vector.stops])


def typed_lines(bench: Bench) -> None:
    """Terminal mode, and its end with the first valid line that has a CRC."""
    run(bench, [vector for vector in vectors("typed") if not vector.stops])


def run(bench: Bench, chosen: list[Vector]) -> None:
    """One statement for each."""
    for vector in (one for one in chosen if bench.told.session.encode() not in one.data):  # there `RS` is right
        problem = wrong(bench, vector)
        bench.expect(not problem, f"vector {vector.name}", problem)
        bench.ask(f"WD {CALM_WD_MS}")  # some of them set it


def wrong(bench: Bench, vector: Vector) -> str:
    """"" or what is not as published. A HI is always answered, and in order: what came before its reply are the answers."""
    before = bench.counters()
    numbered(bench, FIRST, "HI")
    typed = vector.section == "typed"
    if typed:
        bench.ask("TT")
    bench.client.forget()
    bench.client.say(vector.data)
    try:
        numbered(bench, CLOSING, "HI")
    except NoAnswerError:
        return "and a HI afterwards is not answered"
    answers = [heard.text for heard in (*bench.client.strays, *bench.client.events)]
    grown = [now - then for then, now in zip(before, bench.counters())]
    return disagreement(vector.answers, answers) or miscounted(vector, grown, AROUND + typed)


def numbered(bench: Bench, sequence: int, body: str) -> None:
    """A request with a number that is not the next one."""
    bench.client.sequence = sequence - 1
    bench.ask(body)


def miscounted(vector: Vector, grown: list[int], around: int) -> str:
    """Compare with what `CN` says."""
    grown[0] -= around
    wanted = (vector.good, vector.invalid, vector.repeated, vector.old, vector.stops)
    return ", ".join(f"counted {got} {name}, not {want}" for name, got, want in zip(COUNTED, grown, wanted) if got != want)
