"""A repeat is answered from memory and not executed again."""

from device_models.interface.wire.framing import REQUEST, make

from ..bench import Bench

BODIES = ("CN", "ST", "WD 500", "ZZ", "DD 0")


def repeats(bench: Bench) -> None:
    """Byte for byte the same, also later, also what changes with every call; in lockstep time passes once."""
    for body in BODIES:
        again(bench, body)
    if "ls" in bench.told.caps:
        bench.ask("LS 1")
        bench.ask("TK 1")
        before = bench.ask("CN").t_ms
        again(bench, "TK 3")
        passed = bench.ask("CN").t_ms - before
        bench.expect(passed == 30, "TK 3, sent twice, lets three cycles pass", f"{passed} ms")
        bench.ask("LS 0")


def again(bench: Bench, body: str) -> None:
    """Twice, with time in between."""
    before = bench.counters()
    bench.client.sequence = (bench.client.sequence + 1) % 256
    line = make(REQUEST, bench.client.sequence, body)
    first = bench.client.send_line(line)
    bench.client.listen(60.0)
    second = bench.client.send_line(line)
    bench.expect(second.heard.line.raw == first.heard.line.raw, f"{body} again: the same reply byte for byte",
                 f"{first.text[:60]} / {second.text[:60]}" if second.text != first.text else "")
    grown = [now - then for then, now in zip(before, bench.counters(), strict=True)][:3]
    bench.expect(grown == [3, 0, 1], f"{body} again: CN counts one repeat", f"good, invalid, repeated grew by {grown}")
