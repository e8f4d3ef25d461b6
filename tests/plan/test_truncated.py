"""A file cut anywhere is refused, or holds every beam as it was; nothing else ever comes out of it."""

import numpy as np
import pytest

from linac_ctl.errors import PlanError
from linac_ctl.plan.dicom_import import read_plan
from linac_ctl.plan.make import make_plan


def beams_text(plan):
    return [
        (
            b.number,
            b.name,
            b.mu,
            b.mode,
            b.cumulative_mu.tolist(),
            b.jaw_mm.tolist(),
            str(np.asarray(b.leaf_mm).tolist()),
        )
        for b in plan.beams
    ]


@pytest.fixture(params=["defined", "undefined"])
def whole(request, tmp_path):
    plan = make_plan("box_3dcrt", "mlci_80")
    if request.param == "undefined":
        for element in plan.iterall():
            if element.VR == "SQ":
                element.is_undefined_length = True
    path = tmp_path / "whole.dcm"
    plan.save_as(str(path))
    return path


def test_a_cut_file_never_gives_another_plan(whole, tmp_path):
    raw, expected = whole.read_bytes(), beams_text(read_plan(whole))
    accepted = []
    for cut in [*range(130, len(raw), 23), *range(len(raw) - 120, len(raw))]:
        path = tmp_path / "cut.dcm"
        path.write_bytes(raw[:cut])
        try:
            plan = read_plan(path)
        except PlanError:
            continue
        accepted.append(cut)
        assert beams_text(plan) == expected
    assert all(cut > 0.95 * len(raw) for cut in accepted)  # what is lost then comes after the beams


def test_a_flipped_byte_gives_a_refusal_or_a_plan_but_no_other_error(whole, tmp_path):
    raw = bytearray(whole.read_bytes())
    path = tmp_path / "flipped.dcm"
    for at in range(132, len(raw), 37):
        damaged = bytearray(raw)
        damaged[at] ^= 0x15
        path.write_bytes(damaged)
        try:
            read_plan(path)
        except PlanError as exc:
            assert str(exc)


def test_a_plan_with_lost_control_points_says_so(tmp_path):
    plan = make_plan("arc_conformal")
    del plan.BeamSequence[0].ControlPointSequence[1:]
    plan.save_as(str(tmp_path / "p.dcm"))
    with pytest.raises(PlanError, match="only one control point, at least 2 are needed; the file may be truncated"):
        read_plan(tmp_path / "p.dcm")
