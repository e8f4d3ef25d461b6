"""The MU journal: one record per beam of the fraction, written by the cycle into a mapped file, so that a killed
process loses at most the cycle it was in."""

import numpy as np

JOURNAL = np.dtype([
    ("beam", "i8"),
    ("started", "i8"),
    ("complete", "i8"),
    ("mu_1", "f8"),
    ("mu_2", "f8"),
    ("mu_backup", "f8"),
    ("cycle", "i8"),
])
SLOTS = 64
