"""Two steps before anything radiates."""

from ..bench import ARMED, Bench, SkipError

NONCE, OTHER = "1A2B", "1A2C"
SYNTAX, VERB, UNARMED = 1, 2, 5  # codes of refusals
LAPSE_MS = 2200.0


def refusals(bench: Bench) -> None:
    """What does not arm; or both verbs refused by a device that does not radiate."""
    if "ar" not in bench.told.caps:
        bench.refused(bench.ask(f"AR {NONCE}"), VERB, "makes no radiation: AR is refused as unknown")
        bench.refused(bench.ask(f"FI {NONCE}"), VERB, "makes no radiation: FI is refused as unknown")
        return
    bench.refused(bench.ask(f"FI {NONCE}"), UNARMED, "FI without AR is refused with code 5")
    for wrong in ("AR", "AR 1A2", "AR 1a2b", f"AR {NONCE} {NONCE}"):
        bench.refused(bench.ask(wrong), SYNTAX, f"{wrong} is refused with code 1")
    bench.expect((reply := bench.ask(f"AR {NONCE}")).ok and not armed(reply.args), "AR alone does not arm", reply.text)
    bench.refused(bench.ask(f"FI {OTHER}"), UNARMED, "FI with another nonce is refused with code 5")
    bench.refused(bench.ask(f"FI {NONCE}"), UNARMED, "and then the first nonce is gone too")
    if bench.told.unit == "mv_imager":
        return  # its panel gathers as long as the beam takes
    bench.ask(f"AR {NONCE}")
    bench.client.listen(LAPSE_MS)
    bench.refused(bench.ask(f"FI {NONCE}"), UNARMED, f"FI {LAPSE_MS:g} ms after AR is refused with code 5")


def arming(bench: Bench) -> None:
    """Arms with no permit given, so nothing radiates; `HT`, another nonce, and a stop end it."""
    if "ar" not in bench.told.caps:
        raise SkipError("this device makes no radiation")
    if "im" in bench.told.caps:
        raise SkipError("FI of an imager makes an exposure: to be tried by hand")
    for how, words in (("HT", "HT"), ("another nonce", f"AR {OTHER}")):
        arm(bench)
        bench.ask(words)
        bench.expect(not now_armed(bench), f"{how} ends the arming")
    arm(bench)
    bench.client.say(b"\x18")
    bench.client.listen(50.0)
    bench.expect(not now_armed(bench), "a stop ends the arming")
    bench.reset()
    bench.expect(not now_armed(bench), "and RS does not bring it back")


def arm(bench: Bench) -> None:
    """Both steps."""
    bench.ask(f"AR {NONCE}")
    reply = bench.ask(f"FI {NONCE}")
    bench.expect(armed(reply.args), "AR, then FI with the same nonce: armed", reply.text)


def armed(args: tuple[str, ...]) -> bool:
    """Of a reply that begins with flags."""
    return bool(args) and args[0].isdigit() and bool(int(args[0]) & ARMED)


def now_armed(bench: Bench) -> bool:
    """By status."""
    return armed(bench.ask("ST").args[1:])
