"""Lockstep: time passes only when asked."""

from ..bench import LOCKSTEP, Bench, flags_of

LIMIT, VERB, MODE = 3, 2, 7  # codes of refusals
CYCLE_MS = 10
STANDING_MS = 100.0


def lockstep(bench: Bench) -> None:
    """From 0, ten ms a cycle, nothing in between; or refused as unknown by a device that cannot."""
    if "ls" not in bench.told.caps:
        bench.refused(bench.ask("LS 1"), VERB, "not offered: LS is refused as unknown")
        bench.refused(bench.ask("TK 1"), VERB, "not offered: TK is refused as unknown")
        return
    bench.refused(bench.ask("TK 1"), MODE, "TK without lockstep is refused with code 7")
    begun = bench.ask("LS 1")
    said = begun.args[0] if begun.args else ""
    if bench.expect(said.isdigit() and bool(int(said) & LOCKSTEP), "LS 1 answers with flags, lockstep among them", begun.text):
        cycles(bench)
    bench.expect((ended := bench.ask("LS 0")).ok, "LS 0 is taken", ended.text)
    then = bench.ask("CN").t_ms
    bench.client.listen(STANDING_MS)
    bench.expect(bench.ask("CN").t_ms > then, "after it the clock runs by itself again")


def cycles(bench: Bench) -> None:
    """The clock, cycle by cycle."""
    times = [bench.cyclic(0).t_ms for _ in range(5)]
    bench.expect(times == [CYCLE_MS * i for i in range(5)], "each SV lets one cycle of 10 ms pass, the first has t = 0", f"{times}")
    last = times[-1]
    bench.client.listen(STANDING_MS)
    standing = [bench.ask("CN").t_ms, bench.ask("ST").t_ms]
    bench.expect(standing == [last, last], f"in {STANDING_MS:g} ms without SV or TK no time passes", f"{standing}")
    reply = bench.ask("TK 10")
    bench.expect(reply.t_ms == last + 10 * CYCLE_MS, "TK 10 lets 100 ms pass", f"{reply.t_ms - last} ms")
    bench.expect(bool(flags_of(reply) & LOCKSTEP), "and is answered with a status, lockstep among the flags", reply.text[:80])
    for cycles_asked in (0, 1001):
        bench.refused(bench.ask(f"TK {cycles_asked}"), LIMIT, f"TK {cycles_asked} is refused with code 3")
