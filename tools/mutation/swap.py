"""Another body for functions that are already imported: what a mutant changes, without importing anything again."""

import ast
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

Key = tuple[str, int]  # qualified name and first line


def code_objects(code: CodeType) -> Iterator[CodeType]:
    """This one and all inside."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from code_objects(inner)


def bodies(tree: ast.Module, path: Path) -> dict[Key, CodeType]:
    """Every function of a module, compiled."""
    return {key(code): code for code in code_objects(compile(tree, str(path), "exec"))}


def key(code: CodeType) -> Key:
    """What tells one function of a file from another."""
    return code.co_qualname, code.co_firstlineno


def alive(path: Path) -> list[FunctionType]:
    """Every function object that was made from this file."""
    return [it for it in gc.get_objects() if isinstance(it, FunctionType) and os.path.abspath(it.__code__.co_filename) == str(path)]


def swap(functions: list[FunctionType], new: dict[Key, CodeType]) -> None:
    """From now on they run these bodies; ValueError where a body needs other variables from around it."""
    for function in functions:
        function.__code__ = new[key(function.__code__)]
