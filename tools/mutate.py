"""Mutation of safety code: change one thing at a time, run the tests in plain Python, list what nobody noticed.

    python tools/mutate.py                                  all targets of tools/mutation/targets.py
    python tools/mutate.py linac_ctl/interlocks/scan.py     one of them
    python tools/mutate.py linac_ctl/interlocks/scan.py --at 44   mutants of one line only
    python tools/mutate.py --every 5                        every fifth mutant of each: a share, with the bounds that it leaves
    python tools/mutate.py FILE --tests TEST...             any other file, and the tests that have to notice

Each mutant lives in a forked process; no file is touched. It is tried twice: first in a copy of a process that has its tests
ready (`mutation.warm`), then, if nobody noticed or it acts on import, in one that imports the changed module (`mutation.afresh`).
A mutant is killed when a test fails, or when the tests take ten times as long as they should. Survivors are printed with
their line; some are equivalent (they change nothing that anybody could see), which a person has to decide: see
docs/how-to/mutation.md.
"""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools.mutation.afresh import noticed, run_tests  # noqa: E402
from tools.mutation.changes import Mutant, mutants  # noqa: E402
from tools.mutation.child import forked  # noqa: E402
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


def judge(target: str, tests: list[str], line: int | None, every: int) -> tuple[int, int]:
    """-> (mutants tried, survivors) of one file; prints each survivor."""
    path, begin = (ROOT / target).resolve(), time.monotonic()
    ask = partial(chosen, path, line, every)
    verdicts = warm_verdicts(path, tests, ask)
    if verdicts[:1] != bytes([SURVIVED]):
        raise SystemExit(f"{target}: its tests fail without any change: {' '.join(tests)}")
    total = survivors = 0
    limit_s = 20 + int(10 * (time.monotonic() - begin))
    for mutant, verdict in zip(ask(), verdicts[1:], strict=True):
        total += 1
        if verdict != KILLED and not noticed(path, mutant.tree, tests, limit_s):
            survivors += 1
            say(f"{target}:{mutant.line}: {mutant.before}  ->  {mutant.after}")
    say(f"{target}: {total - survivors} of {total} killed ({100 * (total - survivors) / max(total, 1):.1f} %)"
        f" in {time.monotonic() - begin:.0f} s"
        + (f", every {every}th: with 95 % certainty {100 * (1.0 - share(survivors, total)):.1f} % of all" if every > 1 else ""))
    return total, survivors


def share(survivors: int, tried: int) -> float:
    """The share of survivors that is not exceeded with 95 % certainty."""
    from linac_ctl.campaign.numbers import upper_bound

    return upper_bound(survivors, tried) or 0.0


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
    """0 when at least 95 % of all mutants were killed, in every file."""
    options = asked(arguments)
    if len(options.files) > 1:  # plain Python or not is decided once in a process
        alone = [[sys.executable, __file__, target, "--every", str(options.every)] for target in options.files]
        return max([subprocess.run(command, check=False).returncode for command in alone])
    target = options.files[0]
    os.environ["NUMBA_DISABLE_JIT"] = "0" if target in NOT_COMPILED else "1"
    import_others()
    os.chdir(ROOT)
    sys.dont_write_bytecode = True
    total, survivors = judge(target, options.tests or TARGETS[target], options.at, options.every)
    return 0 if total and survivors <= 0.05 * total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
