"""A device taken away at random instants: a latched stop by the name of the link, in time, and a complete record."""

from tools.pull_the_plug import WAYS, Setup, campaign, summary

SMALL = Setup(moments_s=(36.0, 46.0))  # its beam comes on at 39 s, after the ways of the couch


def test_a_device_that_goes_at_any_moment_is_a_latched_stop_and_nothing_of_the_record_is_lost() -> None:
    found = campaign(SMALL, 9, seed=3)
    assert not [f.problem for f in found if f.problem], summary(found)
    assert sum(f.state == "in a beam" for f in found) >= 3 and len({f.way for f in found}) == 3, summary(found)
    assert all(f.clock == "lockstep" for f in found)


def test_in_real_time_too_the_session_ends_and_says_why() -> None:
    """A busy computer may have stopped it by another name before, so names and times are judged in lockstep alone."""
    found = campaign(Setup(moments_s=(1.0, 3.0)), 3, seed=4, free=3)
    assert not [f for f in found if f.state == "lost" or f.exit_code not in (1, 4)], summary(found)
    assert {f.clock for f in found} == {"free"} and {f.way for f in found} == set(WAYS)
