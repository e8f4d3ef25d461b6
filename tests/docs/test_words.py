"""Pages name no place of the computer they were written on, say what the project is, and promise nothing that is not there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name

PLACES = re.compile(r"(?<![\w.~])/(?:home|root|work|tmp|opt|mnt|srv|Users)/|[A-Z]:\\")
HOSTS = re.compile(r"pypi\.|pythonhosted|npmjs|registry\.|localhost:\d|127\.0\.0\.1|\b10\.\d+\.\d+\.\d+")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b")
EVERYWHERE = {"a folder of this computer": PLACES, "a host": HOSTS, "unfinished work": UNFINISHED}


@pytest.mark.parametrize("what", EVERYWHERE)
@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_does_not_name(path: Path, what: str) -> None:
    assert EVERYWHERE[what].findall(path.read_text(encoding="utf-8")) == []


SAFE = re.compile(r"not a medical device|is\s+or controls a medical device|may be used to decide about a patient")


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/tutorial/first-session.md", "docs/fidelity.md"])
def test_who_comes_here_first_reads_that_it_is_a_simulator(page: str) -> None:
    assert SAFE.search((ROOT / page).read_text(encoding="utf-8"))
