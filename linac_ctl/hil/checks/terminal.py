"""Terminal mode beyond the vectors: what is never plain, and no watchdog."""

from ..bench import COMM, Bench, state_of

NEVER_PLAIN = ("AR 1A2B", "FI 1A2B", "SV 1 0", "LS 1")
WD_MS = 100


def terminal(bench: Bench) -> None:
    """Typed `AR FI SV LS` are not done, `RS` needs no session, the watchdog is off, a line with a CRC ends it."""
    before = bench.ask("ST")
    bench.ask("TT")
    for words in NEVER_PLAIN:
        bench.client.forget()
        bench.client.say(f"{words}\r".encode())
        bench.client.listen(150.0)
        done = [heard.text for heard in bench.client.strays if heard.line.verb == "OK"]
        bench.every(f"{words.split()[0]} is never plain", done)
    bench.client.forget()
    bench.client.say(b"RS\r")
    heard = bench.client.reply_to(0, 500.0)
    bench.expect(heard is not None and heard.line.verb == "OK", "RS typed needs no session", heard.text if heard else "silence")
    after = bench.ask("ST")
    bench.expect(state_of(after) == state_of(before), "state as before", f"{state_of(before)}, then {state_of(after)}")
    quiet(bench)


def quiet(bench: Bench) -> None:
    """Silence in terminal mode, then a line with a CRC and silence again."""
    bench.ask(f"WD {WD_MS}")
    bench.ask("TT")
    bench.client.forget()
    bench.client.listen(4.0 * WD_MS)
    bench.expect(bench.state() != COMM, f"no watchdog in terminal mode: {4 * WD_MS} ms of silence")
    bench.client.listen(4.0 * WD_MS)
    bench.expect(bench.state() == COMM, "a line with a CRC ends terminal mode: the same silence then is COMM")
    bench.reset()
