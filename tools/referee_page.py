"""docs/reference/referee.md, from the properties themselves. `--check`: say whether it is current, and change nothing."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from device_models.referee.properties import PROPERTIES, Property  # noqa: E402
from device_models.referee.properties.agreement import AGREEMENT  # noqa: E402
from device_models.referee.properties.catalogue import ANY  # noqa: E402
from device_models.referee.properties.delivery import DELIVERY  # noqa: E402
from device_models.referee.properties.dose import DOSE  # noqa: E402
from device_models.referee.properties.imaging import IMAGING  # noqa: E402
from device_models.referee.properties.liveness import LIVENESS  # noqa: E402
from device_models.referee.properties.logic import LOGIC  # noqa: E402
from device_models.referee.properties.motion import MOTION  # noqa: E402
from device_models.referee.properties.permits import PERMITS  # noqa: E402
from tools.current import keep_current  # noqa: E402

PAGE = ROOT / "docs/reference/referee.md"
NOTE = "<!-- made by tools/referee_page.py from device_models/referee/properties; change it there -->\n"
SECTIONS = {
    "A. Radiation": (*PERMITS, *DOSE, *AGREEMENT), "B. Motion and geometry": (*MOTION, *DELIVERY),
    "C. Imaging and the shift": IMAGING, "D. Interlock logic and record": LOGIC, "E. Liveness": LIVENESS,
}
HEAD = ["id", "property", "limit", "faults", "margin in", "what is looked at"]
INTRO = """# The referee

Every run is judged, also one without faults. In each cycle a compiled witness writes down one row: what is true in the virtual
machine, what the wires said, and what the controller claimed. After the run the properties below are judged on those rows. The
referee imports nothing of the controller, nor of the machine it judges; a run whose trace nobody judged counts as failed.

`linac-ctl run` prints one line of it and `result.json` has every verdict under `referee`: *held*, *violated* or *not_applicable*
with the reason, the **margin** (how far from a violation, below zero when it was one) and the cycle where it came closest. A
violated property gives the run exit code 9, whatever the controller says of it.

SI-01, SI-02, SI-05, SI-12 and SI-29 are looked at in line as well: a pulse that violates one of them ends the block of cycles,
takes the permit away and stops the session with `referee: SI-05 violated: ...`. In line nobody knows yet which faults took effect,
so the limits there are those of a machine with faults: 40 ms for SI-02, 5 MU or 10 % for SI-05.

`linac-ctl run --referee watch` lets such a run go on: the violation is an event, and nothing is stopped, so that the whole harm of
a fault can be measured. The record says so (`referee` in the manifest, `in_line` in result.json, a line in summary and report), and
a replay watches, too. Without it the referee stops. In tests: `new_linac(..., referee="watch")`; in Python an order with
`referee="watch"`.

**Time is counted in cycles of 10 ms.** What is on in a cycle counts as on for the whole of it. **Dose limits** are those of a
machine at 600 MU/min and go with the highest rate of the beam mode in hand; times do not. **faults**: the property is judged
while at most so many faults have become effective; *any* is however many.

In Python: `simulation.verdicts()` after a run, `simulation.trace.rows()` for the rows themselves (`device_models.referee.columns`
has their names and units).
"""
APART = """## What it does not see

- Devices outside of the simulation (ports to real hardware) are judged by their second encoders: where they are, not how they got
  there from one cycle to the next, so SI-16, SI-17 and SI-18 leave them out.
- SI-03 and SI-25 are judged by what the controller claims of its phase and token, because they are about that.
- SI-11 compares numbers, not screens: there is no display to read.
- SI-12 does not look for commands that were decided before a gap and issued after it.
- SI-13 takes the stamp of a reading for its age. Old readings under a fresh stamp are a lying sensor: where things then are is
  judged by SI-04, SI-16 and SI-20.
- SI-17 allows the gantry 400 ms from full speed, because real ones coast for about that long; forces are not simulated.
- SI-19 takes the clearance that the collision computer works out from second encoders.
- SI-22 does not measure mAs: the virtual generator gives what was set.
- SI-23 knows the images that the session kept; late frames are refused by the imager's own numbers.
"""


def cells(it: Property) -> list[str]:
    """One row of a table."""
    faults = "any" if it.holds_for == ANY else f"<= {it.holds_for}" if it.holds_for else "0"
    return [it.id, it.name, it.limit, faults, it.unit, it.reading]


def grid(head: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def page() -> str:
    """The whole page."""
    parts = [NOTE, INTRO]
    for name, properties in SECTIONS.items():
        parts += [f"## {name}\n", grid(HEAD, [cells(it) for it in sorted(properties, key=lambda it: it.id)])]
    assert sum(map(len, SECTIONS.values())) == len(PROPERTIES)
    return "\n".join([*parts, APART])


if __name__ == "__main__":
    sys.exit(keep_current({PAGE: page()}, "referee_page", sys.argv[1:]))
