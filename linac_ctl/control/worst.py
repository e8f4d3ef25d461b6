"""Numbers that may be none: NaN wins every comparison of worst, so that no news is never good news."""

from device_models.interface.compiled import compiled

NAN = float("nan")
FAR_MM = 1e5  # no reading of a distance in the room is longer


@compiled
def worst(x, y):
    """The larger; NaN wins, so that no news is never good news."""
    return x if (x >= y) | (x != x) else y


@compiled
def lesser(x, y):
    """The smaller; NaN wins."""
    return x if (x <= y) | (x != x) else y


@compiled
def closed(contact):
    """1.0 for a contact that says so; whatever else it says is not closed, and NaN stays NaN."""
    said = 1.0 if contact == 1.0 else 0.0
    return said if contact == contact else contact


@compiled
def known_mm(distance_mm):
    """A distance that may be; NaN for any other."""
    return distance_mm if abs(distance_mm) <= FAR_MM else NAN
