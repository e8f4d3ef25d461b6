"""Picture of a plan's apertures in beam's-eye view: jaws, leaves, angles and MU at some control points of each beam."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from linac_ctl.errors import PlanError
from linac_ctl.plan.model import Beam, Floats, Plan

NOT_CLINICAL = "SIMULATOR - NOT FOR CLINICAL USE"
TILE, EDGE, CAPTION, HEAD = 260, 10, 54, 66
MOST_PER_BEAM, MOST_BEAMS = 5, 40
PAPER, INK, SOFT, FIELD = (255, 255, 255), (25, 25, 25), (120, 120, 120), (255, 236, 170)
LEAF, LEAF_LINE, JAW, AXIS, WARN = (120, 150, 190), (70, 95, 135), (70, 70, 70), (200, 60, 50), (176, 0, 32)


def draw_plan(plan: Plan, path: str | Path) -> None:
    """Write the PNG; PlanError if it cannot be written. One row per beam, control points from left to right."""
    rows = [(beam, shown_points(beam)) for beam in plan.beams[:MOST_BEAMS]]
    columns = max(3, *(len(points) for _, points in rows))
    size = (columns * (TILE + EDGE) + EDGE, HEAD + len(rows) * (TILE + CAPTION + EDGE) + EDGE)
    picture = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(picture)
    _headline(pen, plan, size[0])
    for row, (beam, points) in enumerate(rows):
        scale = TILE / (2.0 * half_width_mm(beam))
        for column, point in enumerate(points):
            corner = (EDGE + column * (TILE + EDGE), HEAD + row * (TILE + CAPTION + EDGE))
            picture.paste(_tile(beam, point, scale), corner)
            _caption(pen, beam, point, (corner[0], corner[1] + TILE + 2))
    try:
        picture.save(path, format="PNG")
    except OSError as exc:
        raise PlanError(f"{path}: the picture cannot be written: {exc.strerror or exc}; choose another place") from exc


def shown_points(beam: Beam) -> list[int]:
    """Control points spread over the beam's MU."""
    n = len(beam.cumulative_mu)
    if beam.technique == "static":
        return [0]
    at = np.searchsorted(beam.cumulative_mu, np.linspace(0.0, beam.mu, min(MOST_PER_BEAM, n)))
    return sorted({min(int(i), n - 1) for i in at})


def half_width_mm(beam: Beam) -> float:
    """Half the side of the square that shows every aperture of the beam."""
    jaws = np.abs(beam.jaw_mm[np.isfinite(beam.jaw_mm)])
    known = [float(jaws.max())] if len(jaws) else []
    if beam.leaf_mm is not None and np.isnan(beam.jaw_mm[:, 0]).any():
        opened = _open_pairs(beam)
        known += [float(np.abs(beam.leaf_mm[opened]).max())] if opened.any() else []
    return min(max([20.0, *known]) * 1.15, 230.0) if known else 230.0


def _open_pairs(beam: Beam) -> np.ndarray:
    """(n, 2 p) True for leaves of pairs that the Y jaws expose."""
    assert beam.leaf_mm is not None and beam.leaf_boundaries_mm is not None
    y1, y2 = (np.nan_to_num(beam.jaw_mm[:, c : c + 1], nan=s * 1e3) for c, s in ((2, -1.0), (3, 1.0)))
    seen = (beam.leaf_boundaries_mm[None, 1:] > y1) & (beam.leaf_boundaries_mm[None, :-1] < y2)
    return np.hstack([seen, seen])


def _headline(pen: ImageDraw.ImageDraw, plan: Plan, width: int) -> None:
    pen.text((EDGE, 6), NOT_CLINICAL, fill=WARN, font=_font(20))
    name = (
        f"{plan.label}   {Path(plan.source).name}   patient {plan.patient_id}   {plan.approval or 'no approval status'}"
    )
    pen.text((EDGE, 32), name[: width // 7], fill=INK, font=_font(13))
    pen.text(
        (EDGE, 48),
        "beam's-eye view at the isocentre, collimator axes, +X right, +Y up; leaves blue, jaws grey",
        fill=SOFT,
        font=_font(12),
    )


def _caption(pen: ImageDraw.ImageDraw, beam: Beam, point: int, corner: tuple[int, int]) -> None:
    first = f"beam {beam.number} {beam.name}  {beam.mode} {beam.mu:.1f} MU"
    second = (
        f"CP {point}/{len(beam.cumulative_mu) - 1}  G {beam.gantry_deg[point]:.1f}  C {beam.collimator_deg[point]:.1f}  "
        f"T {beam.couch[point, 3]:.1f}  {beam.cumulative_mu[point]:.1f} MU"
    )
    pen.text(corner, NOT_CLINICAL, fill=WARN, font=_font(12))
    pen.text((corner[0], corner[1] + 15), first[:44], fill=INK, font=_font(12))
    pen.text((corner[0], corner[1] + 30), second, fill=INK, font=_font(12))


def _tile(beam: Beam, point: int, scale: float) -> Image.Image:
    """One aperture, with ticks every 10 mm along both axes."""
    tile = Image.new("RGB", (TILE, TILE), FIELD)
    pen = ImageDraw.Draw(tile)
    if beam.leaf_mm is not None and beam.leaf_boundaries_mm is not None:
        _leaves(pen, beam.leaf_mm[point], beam.leaf_boundaries_mm, scale)
    _jaws(pen, beam.jaw_mm[point], scale)
    _axes(pen, scale)
    pen.rectangle((0, 0, TILE - 1, TILE - 1), outline=INK)
    return tile


def _leaves(pen: ImageDraw.ImageDraw, leaves: Floats, sides: Floats, scale: float) -> None:
    pairs = len(sides) - 1
    for i in range(pairs):
        top, bottom = _y(float(sides[i + 1]), scale), _y(float(sides[i]), scale)
        pen.rectangle((_x(float(leaves[i]), scale), top, TILE, bottom), fill=LEAF, outline=LEAF_LINE)
        pen.rectangle((-1, top, _x(float(leaves[pairs + i]), scale), bottom), fill=LEAF, outline=LEAF_LINE)


def _jaws(pen: ImageDraw.ImageDraw, jaws: Floats, scale: float) -> None:
    """Outside of each jaw hatched, so that leaves behind it stay visible; its edge drawn full."""
    for value, upright, low_side in (
        (jaws[0], True, True),
        (jaws[1], True, False),
        (jaws[2], False, True),
        (jaws[3], False, False),
    ):
        if np.isnan(value):
            continue
        edge = _x(float(value), scale) if upright else _y(float(value), scale)
        if upright:
            box = (0.0, 0.0, edge, float(TILE)) if low_side else (edge, 0.0, float(TILE), float(TILE))
        else:
            box = (0.0, edge, float(TILE), float(TILE)) if low_side else (0.0, 0.0, float(TILE), edge)
        for y in range(0, TILE, 4):
            if box[1] <= y <= box[3]:
                pen.line((box[0], y, box[2], y), fill=JAW)
        pen.line((edge, 0, edge, TILE) if upright else (0, edge, TILE, edge), fill=INK, width=2)


def _axes(pen: ImageDraw.ImageDraw, scale: float) -> None:
    middle = TILE / 2
    pen.line((middle, 0, middle, TILE), fill=AXIS)
    pen.line((0, middle, TILE, middle), fill=AXIS)
    step = 10.0 if scale * 10.0 > 6.0 else 50.0
    for k in range(-int(middle / scale / step), int(middle / scale / step) + 1):
        length = 5 if (k * step) % 50.0 == 0.0 else 2
        pen.line((_x(k * step, scale), middle - length, _x(k * step, scale), middle + length), fill=AXIS)
        pen.line((middle - length, _y(k * step, scale), middle + length, _y(k * step, scale)), fill=AXIS)
    pen.rectangle((1, 1, 70, 15), fill=PAPER)
    pen.text((4, 1), f"ticks {step:g} mm", fill=AXIS, font=_font(12))


def _x(mm: float, scale: float) -> float:
    return min(max(TILE / 2 + mm * scale, -1.0), TILE + 1.0)


def _y(mm: float, scale: float) -> float:
    return min(max(TILE / 2 - mm * scale, -1.0), TILE + 1.0)


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
