"""The fast way: tests are collected and run once, and every mutant is a copy of that process with another body for one function.

Only tests that reached the changed statement are run, the quickest first, until one fails. A test whose way there was cut
short (by a cache that an earlier one filled, or because its data were made when it was collected) is not among them, so what
is not killed here has to be judged afresh.
"""

import ast
import builtins
import gc
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .changes import MARK, Mutant, Place, marked
from .child import forked
from .swap import alive, bodies, swap

KILLED, SURVIVED, CANNOT, FAILS = 1, 0, 3, 4


class Test(NamedTuple):
    """A test and what it does."""

    item: Any
    took_s: float
    reached: frozenset[Place]


class Warm:
    """A pytest plugin that runs tests its own way; writes a byte per mutant to `out`, and one before: do they pass without?"""

    def __init__(self, path: Path, mutants: Callable[[], Iterable[Mutant]], out: int) -> None:
        self.path, self.mutants, self.out = path, mutants, out

    def pytest_runtestloop(self, session: Any) -> bool:
        """In place of pytest's own loop."""
        functions = alive(self.path)
        tests = sorted(self.learn(session.items, functions), key=lambda test: test.took_s)
        gc.collect()
        gc.freeze()
        passing = tests and not session.testsfailed and forked(lambda: run(tests), limit_s(tests)) == SURVIVED
        os.write(self.out, bytes([SURVIVED if passing else FAILS]))
        for mutant in self.mutants() if passing else ():
            os.write(self.out, bytes([self.judge(mutant, functions, tests)]))
        return True

    def learn(self, items: list[Any], functions: list[Any]) -> list[Test]:
        """Every test once, with marks in the file under test."""
        reached: set[Place] = set()
        setattr(builtins, MARK, reached.add)
        swap(functions, bodies(marked(self.path.read_text()), self.path))
        tests = [learnt(item, reached) for item in items]
        swap(functions, bodies(ast.parse(self.path.read_text()), self.path))
        return tests

    def judge(self, mutant: Mutant, functions: list[Any], tests: list[Test]) -> int:
        """KILLED, SURVIVED, or CANNOT: it acts on import, or nobody is known to come by."""
        chosen = [test for test in tests if mutant.statement in test.reached]
        if not chosen:
            return CANNOT
        new = bodies(mutant.tree, self.path)

        def work() -> int:
            try:
                swap(functions, new)
            except ValueError:
                return CANNOT
            return run(chosen)

        return forked(work, limit_s(chosen))


def learnt(item: Any, reached: set[Place]) -> Test:
    """One test, once."""
    reached.clear()
    begin = time.monotonic()
    passes(item)
    return Test(item, time.monotonic() - begin, frozenset(reached))


def run(tests: list[Test]) -> int:
    """Until one fails."""
    return SURVIVED if all(passes(test.item) for test in tests) else KILLED


def passes(item: Any) -> bool:
    """One test with everything that it needs set up for it alone."""
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def limit_s(tests: list[Test]) -> int:
    """Ten times as long as they should take."""
    return 5 + int(10 * sum(test.took_s for test in tests))
