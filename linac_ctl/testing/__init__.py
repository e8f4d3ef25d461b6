"""For tests of users: a machine in virtual time, and words for what has to be true of it. Light: nothing heavy is imported here.

    from linac_ctl.testing import at_mu, beam_off

    async def test_a_door_stops_the_beam(linac, operator):
        await linac.until(at_mu(20))
        operator.open_door()
        await linac.expect(beam_off, within_ms=60)
"""

from .predicates import (
    Predicate,
    at_mu,
    beam_off,
    beam_on,
    door_closed,
    door_open,
    finished,
    first_out,
    interlock,
    phase,
    pulses,
    still,
    tripped,
)

__all__ = [
    "Predicate", "at_mu", "beam_off", "beam_on", "door_closed", "door_open", "finished", "first_out", "interlock", "phase",
    "pulses", "still", "tripped",
]
