"""The catalogue as a campaign sees it: which modes are meant, and which value a place in a setting's range is."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

from ..config.suggest import did_you_mean
from ..errors import ConfigError
from .config import PHASES, ModesChoice

WIDE = 100.0  # a range over two decades and more is gone through by factors


class ModeLike(Protocol):
    """What is needed of a mode of the catalogue."""

    @property
    def id(self) -> str:
        """Like ACT-04."""

    @property
    def tier(self) -> int:
        """1 to 3."""

    @property
    def phases(self) -> tuple[str, ...]:
        """Where it bites; none = everywhere."""

    @property
    def severity(self) -> str:
        """S1 to S4."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Name -> range or choice."""


Catalogue = Mapping[str, Any]  # id -> ModeLike


def chosen(catalogue: Catalogue, choice: ModesChoice) -> list[Any]:
    """Modes that fit, in order of their ids; ConfigError for an id that is not there, or when nothing is left."""
    for name in (*choice.ids, *choice.without):
        if name not in catalogue:
            raise ConfigError(f"campaign: no mode {name!r} in the catalogue{did_you_mean(name, catalogue)}; "
                              "see linac-ctl fault list")
    fits = [catalogue[name] for name in sorted(catalogue) if _fits(catalogue[name], choice)]
    if not fits:
        raise ConfigError("campaign: no mode of the catalogue fits every line of `modes`; take one of its lines out")
    return fits


def _fits(mode: ModeLike, choice: ModesChoice) -> bool:
    lines = ((choice.tiers, mode.tier), (choice.families, mode.id.split("-")[0]), (choice.severities, mode.severity),
             (choice.ids, mode.id))
    needs = {*getattr(mode, "needs", ())} & {*choice.without_needs}
    return mode.id not in choice.without and not needs and all(not allowed or value in allowed for allowed, value in lines)


def phases_of(mode: ModeLike, allowed: tuple[str, ...]) -> list[str]:
    """Phases of a mode that are tried, in the order of a treatment."""
    return [p for p in PHASES if (not mode.phases or p in mode.phases) and (not allowed or p in allowed)]


def settings_at(mode: ModeLike, place: float, turn: int) -> dict[str, Any]:
    """Every setting of a mode at a place of its range; a choice takes its `turn`-th value, round and round."""
    return {name: value_at(setting, place, turn + k) for k, (name, setting) in enumerate(mode.settings.items())}


def value_at(setting: Any, place: float, turn: int) -> Any:
    """A number in a range, or one of a choice's values."""
    if hasattr(setting, "values"):
        return setting.values[turn % len(setting.values)]
    low, high = setting.low, setting.high
    if setting.whole:
        return int(low) + round(place * (high - low))
    if low > 0 and high / low >= WIDE:
        return _rounded(low * (high / low) ** place)
    return _rounded(low + place * (high - low))


def _rounded(value: float) -> float:
    """Six significant digits: a schedule is read by people."""
    return float(f"{value:.6g}") if math.isfinite(value) else value
