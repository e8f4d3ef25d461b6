"""Why only the synchronous `Machine` of transitions is used: what `AsyncMachine` does in the version that is pinned.

Each test shows a trap. If one fails after an upgrade, the trap is gone and this file may shrink; the rule at the end stays.
"""

import ast
import asyncio
from typing import Any

import pytest
from transitions import MachineError
from transitions.extensions.asyncio import AsyncMachine

from linac_ctl.subsystems.beam_states import BeamState
from linac_ctl.subsystems.motion import State
from tests.contracts.sources import files, imported, name, tree

TABLE = [["start", "off", "on"], ["stop", "on", "off"]]


class Slow:
    """A model whose way to "on" waits for a slow device."""

    state: str
    start: Any
    stop: Any

    def __init__(self, queued: bool = False) -> None:
        self.done: list[str] = []
        AsyncMachine(self, states=["off", "on"], initial="off", transitions=TABLE, auto_transitions=False, queued=queued)

    async def on_enter_on(self) -> None:
        self.done.append("on begins")
        await asyncio.sleep(0.05)
        self.done.append("on is done")

    def on_enter_off(self) -> None:
        self.done.append("off")


def test_trap_a_timeout_around_a_trigger_is_swallowed() -> None:
    async def run() -> tuple[Slow, Any]:
        it, result = Slow(), None
        async with asyncio.timeout(0.01):
            result = await it.start()
        return it, result  # a TimeoutError should have been raised above

    it, result = asyncio.run(run())
    assert result is False and it.state == "on" and it.done == ["on begins"]


def test_trap_a_cancelled_task_ends_as_if_nothing_had_happened() -> None:
    async def run() -> bool:
        task = asyncio.ensure_future(Slow().start())
        await asyncio.sleep(0.01)
        task.cancel()
        await task  # a CancelledError should have been raised here
        return task.cancelled()

    assert asyncio.run(run()) is False


def test_trap_a_queued_trigger_says_yes_before_it_has_done_anything() -> None:
    async def run() -> list[Any]:
        it = Slow(queued=True)
        task = asyncio.ensure_future(it.start())
        await asyncio.sleep(0.01)
        said = await it.stop()  # a trip
        seen = [said, it.state, list(it.done)]
        await task
        return seen

    assert asyncio.run(run()) == [True, "on", ["on begins"]]


def test_trap_a_queued_trip_behind_a_failing_transition_never_happens() -> None:
    class Failing(Slow):
        async def on_enter_on(self) -> None:
            await asyncio.sleep(0.02)
            raise ValueError("device")

    async def run() -> tuple[Any, str, list[str]]:
        it = Failing(queued=True)
        task = asyncio.ensure_future(it.start())
        await asyncio.sleep(0.01)
        said = await it.stop()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.02)
        return said, it.state, it.done

    assert asyncio.run(run()) == (True, "on", [])


@pytest.mark.parametrize("path", files(), ids=name)
def test_no_module_of_ours_uses_the_asynchronous_machine(path: Any) -> None:
    fine = ("transitions.Machine", "transitions.MachineError")  # the error is what a console hears of a verb out of order
    wrong = {module for module in imported(path) if module.startswith("transitions.") and module not in fine}
    assert not wrong


def test_machines_of_ours_have_no_automatic_transitions_and_no_queue() -> None:
    made = [node for path in files() for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Machine"
            and any(k.arg == "transitions" for k in node.keywords)]
    assert len(made) >= 2
    for call in made:
        settings = {k.arg: ast.unparse(k.value) for k in call.keywords}
        assert settings["auto_transitions"] == "False" and "queued" not in settings and "send_event" not in settings


@pytest.mark.parametrize("states", [State, BeamState])
def test_states_are_names_without_values_in_common(states: Any) -> None:
    assert len({s.value for s in states}) == len(list(states)) and not issubclass(MachineError, RuntimeError)
