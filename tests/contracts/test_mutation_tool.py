"""tools/mutate.py on a planted file: what a test can see is killed, what none looks at survives, and it says so."""

import subprocess
import sys
from pathlib import Path

import yaml

from tools.mutation.equivalent import LIST
from tools.mutation.targets import TARGETS

PLANTED = '''"""Planted."""
from functools import cache

LIMIT = 3


def tested(x):
    return x <= LIMIT


def untested(x):
    return x - 1


@cache
def remembered():
    return 5


def without_end(n):
    while n > 0:
        n -= 2
    return n


class Thing:
    @property
    def big(self):
        if not tested(remembered()):
            return True
'''
TESTS = '''"""Planted."""
import sys
sys.path.insert(0, {folder!r})
import planted

def test_limit():
    assert planted.tested(3) and not planted.tested(4)

def test_first_of_two_that_use_a_cache():
    assert planted.remembered() < 10

def test_second_of_two_that_use_a_cache():
    assert planted.remembered() == 5

def test_loop():
    assert planted.without_end(3) == -1 and planted.without_end(2) == 0

def test_property():
    assert planted.Thing().big is True
'''


def mutate(root: Path, folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The tool on the planted file."""
    planted, test = folder / "planted.py", folder / "test_planted.py"
    planted.write_text(PLANTED)
    test.write_text(tests.format(folder=str(folder)))
    return subprocess.run([sys.executable, str(root / "tools/mutate.py"), str(planted), "--tests", str(test), *options],
                          capture_output=True, text=True, timeout=200, check=False)


def test_exactly_the_mutants_that_no_test_can_see_survive(root: Path, tmp_path: Path) -> None:
    done = mutate(root, tmp_path, TESTS)
    survivors = [line.partition("planted.py:")[2] for line in done.stdout.splitlines()[:-1]]
    assert survivors == ["12: x - 1  ->  x + 1", "12: 1  ->  2"]
    assert "planted.py: 14 of 16 killed, 0 equivalent, 2 left (87.5 %)" in done.stdout
    assert done.returncode == 1  # below 95 %
    assert (tmp_path / "planted.py").read_text() == PLANTED


def test_one_line_is_judged_alone(root: Path, tmp_path: Path) -> None:
    done = mutate(root, tmp_path, TESTS, "--at", "4")
    assert done.returncode == 0 and "planted.py: 1 of 1 killed" in done.stdout


def test_every_mutant_that_is_called_equivalent_has_a_reason_and_a_file() -> None:
    for group in yaml.safe_load(LIST.read_text(encoding="utf-8")):
        assert len(group.pop("why")) > 10 and set(group) <= set(TARGETS)
        assert all(change.count("  |  ") == change.count("  ->  ") == 1 for changes in group.values() for change in changes)


def test_tests_that_fail_without_any_change_judge_nothing(root: Path, tmp_path: Path) -> None:
    done = mutate(root, tmp_path, TESTS + "\ndef test_wrong():\n    assert planted.tested(4)\n")
    assert done.returncode == 1 and "killed" not in done.stdout
    assert "its tests fail without any change" in done.stderr
