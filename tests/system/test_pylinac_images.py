"""Our QA images in the analyser that physicists use."""

import os
from pathlib import Path

import pytest

from tools.interop_images import VARIABLE, find_ball, find_imager, find_phantom


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter with pylinac."""
    name = os.environ.get(VARIABLE)
    if not name:
        pytest.skip(f"pylinac: {VARIABLE} names no interpreter with pylinac")
    return name


@pytest.mark.parametrize("judged", [find_ball, find_imager, find_phantom], ids=["ball", "imager", "catphan"])
def test_pylinac_finds_what_was_put_in(judged, python: str, tmp_path: Path) -> None:
    beyond = [finding for finding in judged(python, tmp_path) if not finding.fine]
    assert not beyond
