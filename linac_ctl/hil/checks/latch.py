"""Latched states: they end with `RS` and the right session alone, and `RS` never moves anything."""

from ..bench import BOOT, IDLE, Bench, powered, state_of

WRONG_SESSIONS = ("00000000", "11111111")
STATE, SESSION = 4, 6  # codes of refusals
POWER_GONE_MS = 3000.0
STILL, STILL_MS = 500, 200.0  # um or mdeg: encoders are noisy


def latched(bench: Bench, state: int) -> None:
    """In this state now: nothing but RS leads out, then the drives have no power."""
    bench.refused(bench.ask("EN 1"), STATE, f"latched in {state}: EN 1 is refused with code 4")
    known = None not in bench.places()
    if known:  # else a device that does not keep to this would move who knows where
        answer = bench.cyclic(1)
        bench.expect(state_of(answer) == state, "SV 1 is answered with readings, and does nothing else", answer.text[:80])
    if known and bench.told.axes:
        axis = bench.told.axes[0]
        bench.refused(bench.ask(f"MV {axis.number} {bench.here()[0]:.0f}"), STATE, "MV is refused with code 4")
    bench.refused(bench.ask(f"RS {another_session(bench)}"), SESSION, "RS with another session is refused with code 6")
    bench.ask("HI")
    bench.expect((now := bench.state()) == state, "none of these, nor HI, led out of it", f"state {now}")
    out_of(bench)


def another_session(bench: Bench) -> str:
    """Not the device's."""
    return next(session for session in WRONG_SESSIONS if session != bench.told.session)


def out_of(bench: Bench) -> None:
    """RS, and what is then."""
    drives = bool(bench.told.axes)
    if drives:
        bench.expect(no_power(bench), "the drives have lost power, after braking", f"within {POWER_GONE_MS:g} ms")
    before = bench.places()
    reply = bench.ask(f"RS {bench.told.session}")
    rested = state_of(reply) == IDLE and not (drives and powered(reply))
    bench.expect(rested, "RS with this session: state IDLE, no drive power", reply.text)
    bench.client.listen(STILL_MS)
    pairs = zip(bench.places(), before, strict=True)
    still = max((abs(now - then) for now, then in pairs if now is not None and then is not None), default=0.0)
    bench.expect(still <= STILL, "and nothing moves", f"{still:g} um or mdeg in {STILL_MS:g} ms")


def no_power(bench: Bench) -> bool:
    """Waits for the power flag to go."""
    end_us = bench.client.now_us() + int(POWER_GONE_MS * 1000)
    while powered(bench.ask("ST")):
        if bench.client.now_us() > end_us:
            return False
        bench.client.listen(20.0)
    return True


def power_up(bench: Bench) -> None:
    """As we found it: after power-up it is in BOOT. Its session is needed, and is one of hexadecimal digits."""
    if bench.first_state == BOOT:
        bench.expect(True, "it was in BOOT when we came")
    bench.expect(bench.ask("RS").code == 1, "RS without a session is refused with code 1")
    reply = bench.ask(f"RS {another_session(bench)}")
    bench.refused(reply, SESSION, "RS with another session is refused with code 6, latched or not")
    reply = bench.ask(f"RS {bench.told.session}")
    bench.expect(state_of(reply) == IDLE, "RS when nothing is latched does nothing", reply.text)
