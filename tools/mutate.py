"""Mutation of safety code: change one thing at a time, run the tests in plain Python, list what nobody noticed.

    python tools/mutate.py                                  all targets of tools/mutation/targets.py
    python tools/mutate.py linac_ctl/interlocks/scan.py     one of them
    python tools/mutate.py linac_ctl/interlocks/scan.py --at 44   mutants of one line only
    python tools/mutate.py --every 5                        every fifth mutant of each: a share, with the bounds that it leaves
    python tools/mutate.py FILE --tests TEST...             any other file, and the tests that have to notice

Each mutant lives in a forked process; no file is touched. It is tried twice: first in a copy of a process that has its tests
ready (`mutation.warm`), then, if nobody noticed or it acts on import, in one that imports the changed module (`mutation.afresh`).
A mutant is killed when a test fails, or when the tests take ten times as long as they should. Some are equivalent: they change
nothing that anybody could see, which a person has to decide, with a reason, in tools/mutation/equivalent.yaml. All others that
survive are printed with their line: see docs/how-to/mutation.md.
"""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.mutation.afresh import noticed, run_tests  # noqa: E402
from tools.mutation.changes import Mutant, mutants  # noqa: E402
from tools.mutation.child import forked  # noqa: E402
from tools.mutation.equivalent import change, known  # noqa: E402
from tools.mutation.targets import NOT_COMPILED, TARGETS  # noqa: E402
from tools.mutation.warm import KILLED, SURVIVED, Warm  # noqa: E402

LONGEST_S = 3600  # for one file, the fast way


def say(text: str) -> None:
    """At once: a run takes long."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def chosen(path: Path, line: int | None, every: int) -> Iterator[Mutant]:
    """The mutants that were asked for."""
    for k, mutant in enumerate(mutants(path.read_text())):
        if (line is None or mutant.line == line) and k % every == 0:
            yield mutant


def warm_verdicts(path: Path, tests: list[str], ask: partial[Iterator[Mutant]]) -> bytes:
    """What `Warm` says."""
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.close(ours)
        forked(lambda: run_tests(tests, Warm(path, ask, theirs)), LONGEST_S)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as answers:
        return answers.read()


class Tally(NamedTuple):
    """How mutants of a file have ended."""

    killed: int
    equivalent: int
    left: int

    @property
    def share(self) -> float:
        """Of those that can be killed; nothing tried is nothing shown."""
        return self.killed / max(self.killed + self.left, 1)


def judge(target: str, tests: list[str], line: int | None, every: int) -> Tally:
    """One file; prints each survivor that is not known to be equivalent."""
    path, begin = (ROOT / target).resolve(), time.monotonic()
    ask, source = partial(chosen, path, line, every), path.read_text().splitlines()
    verdicts = warm_verdicts(path, tests, ask)
    if verdicts[:1] != bytes([SURVIVED]):
        raise SystemExit(f"{target}: its tests fail without any change: {' '.join(tests)}")
    alike, ends, limit_s = known(target), Counter[str](), 20 + int(10 * (time.monotonic() - begin))
    for mutant, verdict in zip(ask(), verdicts[1:], strict=True):
        end = last_word(verdict, alike[change(source, mutant)] > 0, partial(noticed, path, mutant.tree, tests, limit_s))
        ends[end] += 1
        if end == "equivalent":
            alike[change(source, mutant)] -= 1
        if end == "left":
            say(f"{target}:{mutant.line}: {mutant.before}  ->  {mutant.after}")
    for it in alike.elements() if line is None and every == 1 else ():
        say(f"{target}: is called equivalent, but was killed or is not there: {it}")
    return Tally(ends["killed"], ends["equivalent"], ends["left"])


def last_word(verdict: int, alike: bool, afresh: Callable[[], bool]) -> str:
    """killed, equivalent or left: what the fast way did not kill has another chance, unless it is known to be no different."""
    if verdict == KILLED or (not (alike and verdict == SURVIVED) and afresh()):
        return "killed"
    return "equivalent" if alike else "left"


def report(target: str, tally: Tally, every: int, took_s: float) -> str:
    """One line."""
    text = (f"{target}: {tally.killed} of {sum(tally)} killed, {tally.equivalent} equivalent, {tally.left} left"
            f" ({100 * tally.share:.1f} %) in {took_s:.0f} s")
    certain = f", every {every}th: with 95 % certainty {100 * (1.0 - most_left(tally)):.1f} % of all"
    return text + (certain if every > 1 else "")


def most_left(tally: Tally) -> float:
    """The share of survivors that is not exceeded with 95 % certainty."""
    from linac_ctl.campaign.numbers import upper_bound

    return upper_bound(tally.left, tally.killed + tally.left) or 0.0


def asked(arguments: list[str]) -> Namespace:
    """What the command line says."""
    parser = ArgumentParser(description="change one thing at a time, and see whether a test notices")
    parser.add_argument("files", nargs="*", default=list(TARGETS))
    parser.add_argument("--tests", nargs="+")
    parser.add_argument("--at", type=int, metavar="LINE")
    parser.add_argument("--every", type=int, default=1)
    return parser.parse_args(arguments)


def import_others() -> None:
    """Once here, so that no child has to; nothing of ours."""
    import hypothesis  # noqa: F401
    import numba  # noqa: F401
    import pydantic  # noqa: F401
    import pydicom  # noqa: F401
    import pytest  # noqa: F401
    import transitions  # noqa: F401
    import yaml  # noqa: F401


def main(arguments: list[str]) -> int:
    """0 when at least 95 % of the mutants that are not equivalent were killed, in every file."""
    options = asked(arguments)
    if len(options.files) > 1:  # plain Python or not is decided once in a process
        alone = [[sys.executable, __file__, target, "--every", str(options.every)] for target in options.files]
        return max([subprocess.run(command, check=False).returncode for command in alone])
    target = options.files[0]
    os.environ["NUMBA_DISABLE_JIT"] = "0" if target in NOT_COMPILED else "1"
    import_others()
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    begin = time.monotonic()
    tally = judge(target, options.tests or TARGETS[target], options.at, options.every)
    say(report(target, tally, options.every, time.monotonic() - begin))
    return 0 if tally.share >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
