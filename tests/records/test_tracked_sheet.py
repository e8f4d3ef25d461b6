"""Sheets of triggered images: which are shown, and where the crosses stand."""

import math

import numpy as np
import pytest

from linac_ctl.records.tracked_sheet import MOST, Shown, picked, picture, sheet

NAN = math.nan


def shown(seen: str, off: tuple[float, float] = (1.0, 0.0)) -> Shown:
    image = np.random.default_rng(1).normal(3.0, 0.1, (64, 48)).astype(np.float32)
    return Shown(image, (32.0, 24.0), 0.3, off, seen, "title")


def test_a_sheet_shows_what_was_out_and_still_has_room_for_the_rest() -> None:
    many = [shown("inside")] * 20 + [shown("outside")] * 20
    chosen = picked(many)
    assert len(chosen) == MOST and sum(k >= 20 for k in chosen) == MOST // 2 and chosen == sorted(chosen) and 39 in chosen
    assert picked([shown("inside")] * 3) == [0, 1, 2]
    assert sheet(many).ndim == 3


def test_the_found_cross_stands_where_it_was_found() -> None:
    here, there, lost = (picture(shown("inside", off)).astype(int) for off in ((0.0, 0.0), (30.0, 0.0), (NAN, NAN)))

    def green(image: np.ndarray) -> np.ndarray:
        return np.argwhere((image == (0, 224, 160)).all(axis=-1)).mean(axis=0)

    assert green(there)[1] - green(here)[1] == pytest.approx(30.0 * 0.3 * 232 / 36, abs=2.0)
    assert not (lost == (0, 224, 160)).all(axis=-1).any()
