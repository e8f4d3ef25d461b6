"""Our QA images before an independent judge: pylinac finds the ball, the imager's offset, and the phantom's geometry.

    LINAC_CTL_INTEROP_PYTHON=... python tools/interop_images.py [ball|imager|catphan ...]

Without names, all of them. Images are made by `tools/qa_images.py`; the exit code is 1 when a figure is beyond its limit.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.qa_images import BALL_MM, Off, Triple, catphan_scan, kv_ball, winston_lutz  # noqa: E402

VARIABLE = "LINAC_CTL_INTEROP_PYTHON"
SAD_OVER_SID = 1000.0 / 1500.0
MV_OFF: Off = (1.0, 0.0)  # mm: the panel stands off across
KV_OFF: Off = (0.0, 1.0)  # the slide of source and panel stands off along the couch
BALL_JUDGE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pylinac import WinstonLutz
for folder, kind in zip(sys.argv[1::2], sys.argv[2::2]):
    wl = WinstonLutz(folder)
    # an open kV image is bright nearly everywhere: pylinac turns it over, and the ball with it
    wl.analyze(bb_size_mm=8, open_field=kind == "kv", low_density_bb=kind == "kv")
    shift = wl.bb_shift_vector  # to bring the ball to the isocentre
    panel = [(float(i.cax2epid_vector.x), float(i.cax2epid_vector.y)) for i in wl.images]
    print(json.dumps({"ball_mm": [-float(shift.x), -float(shift.y), -float(shift.z)], "panel_mm": panel, "images": len(wl.images)}))
"""
CATPHAN_JUDGE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pylinac import CatPhan504
phantom = CatPhan504(sys.argv[1])
phantom.analyze(hu_tolerance=60)
said = phantom.results_data()
print(json.dumps({
    "lines_mm": [float(v) for v in said.ctp404.line_distances_mm],
    "hu": {k: float(v.value) for k, v in said.ctp404.hu_rois.items()},
    "origin_slice": int(said.origin_slice), "roll_deg": float(said.catphan_roll_deg), "images": int(said.num_images),
    "slice_mm": float(said.ctp404.measured_slice_thickness_mm), "mtf50_per_mm": float(said.ctp528.mtf_lp_mm[50]),
    "uniformity_hu": {k: float(v.value) for k, v in said.ctp486.rois.items()},
}))
"""


@dataclass(frozen=True)
class Finding:
    """One figure: what is true, what pylinac found, and how far apart they may be."""

    what: str
    truth: float
    found: float
    limit: float
    unit: str

    @property
    def fine(self) -> bool:
        """Not a number is not fine."""
        return abs(self.found - self.truth) <= self.limit


def say(python: str, program: str, *arguments: object) -> list[dict[str, Any]]:
    """What a judge prints, one JSON object a line."""
    done = subprocess.run([python, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"pylinac: {done.stderr[-800:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def find_ball(python: str, work: Path, ball_mm: Triple = BALL_MM) -> list[Finding]:
    """The offset of the ball in MV images (against the field) and in kV images (against the middle of the panel)."""
    winston_lutz(work / "mv", ball_mm)
    kv_ball(work / "kv", ball_mm)
    said = say(python, BALL_JUDGE, work / "mv", "mv", work / "kv", "kv")
    return [
        Finding(f"ball by {kind}, {axis}", truth, found, 0.2, "mm")
        for kind, it in zip(("MV", "kV"), said, strict=True)
        for axis, truth, found in zip("XYZ", ball_mm, it["ball_mm"], strict=True)
    ]


def find_imager(python: str, work: Path) -> list[Finding]:
    """An MV panel 1 mm off across, and a kV slide 1 mm off along the couch, against the same images without."""
    winston_lutz(work / "mv")
    winston_lutz(work / "mv-off", off_mm=MV_OFF)
    kv_ball(work / "kv")
    kv_ball(work / "kv-off", off_mm=KV_OFF)
    sets = [work / "mv", "mv", work / "mv-off", "mv", work / "kv", "kv", work / "kv-off", "kv"]
    mv, mv_off, kv, kv_off = say(python, BALL_JUDGE, *sets)
    pairs = zip(mv_off["panel_mm"], mv["panel_mm"], strict=True)
    across = sorted(a[0] - b[0] for a, b in pairs)
    shift = [a - b for a, b in zip(mv_off["ball_mm"], mv["ball_mm"], strict=True)]
    return [
        Finding("MV panel off across, at the isocentre", SAD_OVER_SID * MV_OFF[0], across[len(across) // 2], 0.1, "mm"),
        Finding("the same, seen in the ball (field and ball share it)", 0.0, max(map(abs, shift)), 0.1, "mm"),
        Finding("kV slide off along, seen in the ball", -KV_OFF[1], kv_off["ball_mm"][1] - kv["ball_mm"][1], 0.1, "mm"),
    ]


def find_phantom(python: str, work: Path) -> list[Finding]:
    """A full turn of 360 projections about the CatPhan-like phantom, scatter switched off: what is judged is geometry and HU."""
    catphan_scan(work / "catphan")
    (it,) = say(python, CATPHAN_JUDGE, work / "catphan")
    # bone counts 1.05 at 125 kV against the CT's HU: what is denser than water has to look denser
    inserts = {"Air": -1000.0, "PMP": -196.0, "LDPE": -104.0, "Poly": -47.0, "Acrylic": 115.0 * 1.05, "Delrin": 365.0 * 1.05,
               "Teflon": 1000.0 * 1.05}
    found = [Finding(f"line {k} of 50 mm", 50.0, length, 0.5, "mm") for k, length in enumerate(it["lines_mm"], 1)]
    found += [Finding(f"HU of {name}", hu, it["hu"][name], 15.0, "HU") for name, hu in inserts.items()]
    found += [Finding(f"uniformity, {name}", 10.0, hu, 15.0, "HU") for name, hu in it["uniformity_hu"].items()]
    return [
        *found, Finding("slice thickness", 2.0, it["slice_mm"], 0.2, "mm"), Finding("roll", 0.0, it["roll_deg"], 0.2, "deg"),
        Finding("slice of the sensitometry module", 53.25, it["origin_slice"], 1.0, ""),
    ]


JUDGED: dict[str, Callable[[str, Path], list[Finding]]] = {"ball": find_ball, "imager": find_imager, "catphan": find_phantom}


def main() -> int:
    """See the module's first lines."""
    python, names = os.environ.get(VARIABLE, ""), sys.argv[1:] or list(JUDGED)
    if not python:
        raise SystemExit(f"{VARIABLE} must name a Python that has pylinac")
    if unknown := [name for name in names if name not in JUDGED]:
        raise SystemExit(f"no judgement '{unknown[0]}'; there are {', '.join(JUDGED)}")
    print("| what | put in | pylinac found | limit | |\n|---|---|---|---|---|")  # noqa: T201
    fine = True
    for name in names:
        with tempfile.TemporaryDirectory() as work:
            for it in JUDGED[name](python, Path(work)):
                fine = fine and it.fine
                verdict = "" if it.fine else "BEYOND"
                print(f"| {it.what} | {it.truth:.2f} {it.unit} | {it.found:.3f} | ± {it.limit:g} | {verdict} |")  # noqa: T201
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
