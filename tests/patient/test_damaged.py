"""Damaged files: refused in one sentence that names the file, or read; never another exception, and no warnings of a parser."""

import random
import warnings
from pathlib import Path
from typing import Any

import pytest

from device_models.patient.ct_import import load_ct
from device_models.patient.errors import PatientError
from device_models.patient.rtstruct_import import load_structures
from linac_ctl.errors import LinacError
from linac_ctl.imaging.dicom_series import read_series
from linac_ctl.records.images_look import look
from tests.patient.dicom_files import blob, ct_slice, save, series, structure_set

ISOCENTRE, PREAMBLE, WINDOW = (0.0, 0.0, 0.0), 132, (-200.0, 300.0)
SQUARE = [[[-3, -10, 12], [3, -10, 12], [3, -4, 12], [-3, -4, 12]]]


def damaged(good: bytes, seed: int, upto: int) -> bytes:
    """Cut short, or up to ten bytes before `upto` changed."""
    draw, data = random.Random(seed), bytearray(good)
    if seed % 4 == 0:
        return bytes(data[: draw.randrange(len(data))])
    for _ in range(draw.choice((1, 3, 10))):
        data[draw.randrange(PREAMBLE, upto)] = draw.randrange(256)
    return bytes(data)


def said(call: Any) -> str:
    """What the refusal says; nothing when there is none. Any other exception fails the test."""
    try:
        call()
    except (LinacError, PatientError) as error:
        return str(error)
    return ""


def test_a_damaged_slice_is_read_or_refused_by_name(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    file = folder / "ct4.dcm"
    good = file.read_bytes()
    refusals: list[str] = []
    for seed in range(60):
        file.write_bytes(damaged(good, seed, len(good) - 2000))
        for call in (lambda: load_ct(folder, ISOCENTRE), lambda: read_series(folder), lambda: look(file, WINDOW)):
            refusals.append(said(call))
    assert all(str(folder) in words for words in refusals if words) and len([r for r in refusals if r]) > 60


def test_a_damaged_structure_set_is_read_or_refused_by_name(tmp_path: Path) -> None:
    ct = load_ct(series(tmp_path / "ct"), ISOCENTRE)
    file = structure_set(tmp_path / "rs.dcm", rois=(("CTV", "CTV", SQUARE),))
    good, refusals = file.read_bytes(), []
    assert load_structures(file, ct)
    for seed in range(100):
        file.write_bytes(damaged(good, seed, len(good)))
        refusals.append(said(lambda: load_structures(file, ct)))
    assert all("rs.dcm" in words for words in refusals if words) and len([r for r in refusals if r]) > 50


@pytest.mark.parametrize("spacing", [["2,0", "1.0"], ["two", "1.0"]])
def test_a_number_that_is_none_is_told_with_its_file(tmp_path: Path, spacing: list[str]) -> None:
    folder = series(tmp_path / "ct")
    file = folder / "ct4.dcm"
    file.write_bytes(file.read_bytes().replace(b"2.0\\1.0", "\\".join(spacing).encode()))
    words = said(lambda: load_ct(folder, ISOCENTRE))
    assert str(folder) in words and "export it again" in words and spacing[0] in words


def test_what_a_parser_warns_of_is_not_shown(tmp_path: Path) -> None:
    folder = series(tmp_path / "ct")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        for k in range(9):
            save(ct_slice(k, 3.0 * k, blob(k), StudyInstanceUID="no uid"), folder / f"ct{k}.dcm")
        assert shown  # pydicom does warn of such a file
        shown.clear()
        load_ct(folder, ISOCENTRE)
        read_series(folder)
    assert shown == []
