"""The plugin in a user's project: plain tests, and async ones under pytest-asyncio in strict and in auto mode."""

import pytest

from tests.testing.projects import door_test, fault_test

CASES = {
    "plain, without pytest-asyncio": (door_test(False), ("-p", "no:asyncio"), ""),
    "plain, beside pytest-asyncio": (door_test(False), (), "asyncio_mode = auto"),
    "async, strict": (door_test(True, "@pytest.mark.asyncio"), (), "asyncio_mode = strict"),
    "async, auto": (door_test(True), (), "asyncio_mode = auto"),
    "fault, strict": (fault_test(True, "@pytest.mark.asyncio"), (), "asyncio_mode = strict"),
    "fault, auto": (fault_test(True), (), "asyncio_mode = auto"),
    "async, loop of the module": (door_test(True, "@pytest.mark.asyncio(loop_scope='module')"), (), "asyncio_mode = strict"),
}


@pytest.mark.parametrize("source, options, ini", CASES.values(), ids=list(CASES))
def test_the_same_words_serve_every_kind_of_test(project, source, options, ini):
    project(source, *options, ini=ini).assert_outcomes(passed=1)


TASKS = """
import asyncio
from linac_ctl.testing import at_mu

async def test_tasks_of_the_test_have_their_turn_and_change_no_bits(new_linac):
    turns = []

    async def other():
        while True:
            turns.append(asyncio.current_task())
            await asyncio.sleep(0)

    a, b = new_linac(), new_linac()
    task = asyncio.create_task(other())
    await a.until(at_mu(3))
    assert turns
    task.cancel()
    b.until(at_mu(3))  # no await: it has happened all the same
    assert (a.cycle, a.mu) == (b.cycle, b.mu)
    assert a.sim.finish() == b.sim.finish()
"""


def test_other_tasks_have_their_turn_and_change_no_bits(project):
    project(TASKS, ini="asyncio_mode = auto").assert_outcomes(passed=1)
