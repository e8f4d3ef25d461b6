"""The catalogue of fault modes, as this layer sees it."""

from typing import Any


def catalogue() -> dict[str, Any]:
    """id -> mode."""
    from device_models.faults.modes import catalogue as modes

    return dict(modes())
