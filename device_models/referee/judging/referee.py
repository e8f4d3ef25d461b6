"""The judge: all properties, on one finished trace."""

from typing import Any

import numpy as np

from ..properties import PROPERTIES
from .facts import Facts
from .table import Table
from .verdict import Verdicts


def judge(rows: Any, leaves: Any, facts: Facts) -> Verdicts:
    """`rows`: ROW (n,); `leaves`: (m, leaves) mm."""
    if not len(rows):
        return Verdicts(tuple(it.apart("nothing was recorded") for it in PROPERTIES))
    table = Table(rows, leaves, facts)
    with np.errstate(invalid="ignore"):
        return Verdicts(tuple(it(table) for it in PROPERTIES))
