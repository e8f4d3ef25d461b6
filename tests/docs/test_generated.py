"""Generated reference pages are those of the code as it is; the book builds without a warning where Sphinx is."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, name
from tools.reference_pages import pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_generated_page_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path], "run: python tools/reference_pages.py"


def test_every_command_has_its_section() -> None:
    text = PAGES[ROOT / "docs" / "reference" / "cli.md"]
    for command in ("run", "plan make", "interlocks reset", "report", "export", "config schema", "doctor"):
        assert f"## linac-ctl {command}\n" in text


@pytest.mark.skipif(not all(map(find_spec, ("sphinx", "furo", "myst_parser"))), reason="needs the extra 'docs'")
def test_the_book_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", str(tmp_path)], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
