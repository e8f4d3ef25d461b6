"""Python and YAML that the pages show: it parses, what it imports is there, and configuration files are right."""

import ast
import importlib
import re
import shutil
from pathlib import Path

import pytest

from linac_ctl.cli.config import problems_of
from tests.docs.pages import PAGES, ROOT, blocks, name

TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
PLACE = re.compile(r"^# (configs/(\w+)/([\w.-]+)\.yaml)$", re.MULTILINE)
PYTHON = [pytest.param(block, id=f"{name(path)} {i}") for path in PAGES for i, block in enumerate(blocks(path, "python"))]
YAML = [(path, block) for path in PAGES for block in blocks(path, "yaml") if PLACE.search(block)]


@pytest.mark.parametrize("block", PYTHON)
def test_python_parses_and_imports_what_there_is(block: str) -> None:
    tree = compile(block, "example", "exec", TOP_LEVEL_AWAIT)
    ours = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
            and (node.module or "").split(".")[0] in ("linac_ctl", "device_models", "tests")]
    for node in ours:
        module = importlib.import_module(node.module or "")
        assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with every configuration file of every page, and the table that one page says to copy."""
    for _, block in YAML:
        found = PLACE.search(block)
        assert found
        target = tmp_path / found[1]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block, encoding="utf-8")
    (tmp_path / "configs" / "interlocks").mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "configs" / "interlocks" / "linac.yaml", tmp_path / "configs" / "interlocks" / "tight.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", [pytest.param(block, id=f"{name(path)} {PLACE.findall(block)[0][0]}") for path, block in YAML])
def test_configuration_files_are_right(folder: Path, block: str) -> None:
    assert problems_of(PLACE.findall(block)[0][0], None) == []


def test_there_are_examples_to_look_at() -> None:
    assert len(PYTHON) > 5 and len(YAML) > 3
