"""The MU journal: one record per beam of the fraction, written by the cycle into a mapped file, so that a killed
process loses at most the cycle it was in."""

import numpy as np

from device_models.interface.compiled import compiled

JOURNAL = np.dtype([
    ("beam", "i8"),
    ("started", "i8"),
    ("complete", "i8"),
    ("mu", "f8"),  # what was given: the one number that a resumed run, a report and the treatment record go by
    ("mu_1", "f8"),  # what each of the three counted: for whoever wants to know why
    ("mu_2", "f8"),
    ("mu_backup", "f8"),
    ("cycle", "i8"),
])
SLOTS = 64
MOST_MU = 1e5  # no field has more: what says so does not count


@compiled
def counts(mu):
    """A number that may be a dose."""
    return mu >= 0.0 and mu <= MOST_MU


@compiled
def alike(a, b, floor_mu, ratio):
    """Two counts bear each other out: within `floor_mu`, or `ratio` of the lower. No number bears out nothing."""
    return counts(a) and counts(b) and abs(a - b) <= max(floor_mu, ratio * min(a, b))


@compiled
def settled(mu_1, mu_2, backup_mu, floor_mu, ratio):
    """What was given, of three counts of it: chamber 1, which ends a field, as long as one of the others bears it out.

    Otherwise the higher, so that one that reads low can never cause an overdose (FDA recall 180603): of the two others if they bear
    each other out, else of all that may be a dose.
    """
    if alike(mu_1, mu_2, floor_mu, ratio) or alike(mu_1, backup_mu, floor_mu, ratio):
        return mu_1
    if alike(mu_2, backup_mu, floor_mu, ratio):
        return max(mu_2, backup_mu)
    highest = mu_1 if counts(mu_1) else 0.0
    highest = max(highest, mu_2) if counts(mu_2) else highest
    return max(highest, backup_mu) if counts(backup_mu) else highest
