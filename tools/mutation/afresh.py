"""The sure and slow way: a process that has imported nothing of ours gets the changed module, and all tests."""

import ast
import importlib.machinery
import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from .child import forked

QUIET = ("-x", "-q", "--tb=native", "-p", "no:cacheprovider", "-p", "no:xdist")


def run_tests(tests: list[str], *plugins: Any) -> int:
    """pytest's exit code, quiet; stops at the first failure."""
    import pytest

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return int(pytest.main([*QUIET, *tests], list(plugins)))


def give(path: Path, tree: ast.Module) -> None:
    """From now on an import of this file gets the changed module."""
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> object:
        return compile(tree, str(path), "exec") if loader.path == str(path) else original(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]


def noticed(path: Path, tree: ast.Module, tests: list[str], limit_s: int) -> bool:
    """Do the tests notice?"""
    def work() -> int:
        give(path, tree)
        return run_tests(tests)

    return forked(work, limit_s) != 0
