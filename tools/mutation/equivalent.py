"""Mutants that people have found to be no different from the code as it is, with the reason: equivalent.yaml."""

from collections import Counter
from pathlib import Path

import yaml

from .changes import Mutant

LIST = Path(__file__).with_name("equivalent.yaml")


def known(target: str) -> Counter[str]:
    """How often each change of a file is called equivalent."""
    return Counter(change for group in yaml.safe_load(LIST.read_text(encoding="utf-8")) for change in group.get(target, []))


def change(source: list[str], mutant: Mutant) -> str:
    """The line, and what is changed in it: it holds until somebody changes the line."""
    return f"{source[mutant.line - 1].strip()}  |  {mutant.before}  ->  {mutant.after}"
