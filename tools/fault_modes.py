"""Writes `docs/reference/fault-modes.md` from the catalogue of fault modes.

    python tools/fault_modes.py           write it
    python tools/fault_modes.py --check   exit 1 when it is not current
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from device_models.faults.behaviour import Behaviour  # noqa: E402
from device_models.faults.fault import PHASES  # noqa: E402
from device_models.faults.modes import catalogue  # noqa: E402
from device_models.faults.modes.left_out import LEFT_OUT, PARTS_LEFT_OUT  # noqa: E402
from device_models.faults.modes.mode import Choice, Mode, Range  # noqa: E402
from tools.current import keep_current  # noqa: E402
from tools.safety_pages import grid  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "fault-modes.md"
NOTE = "<!-- Written by tools/fault_modes.py: run it again instead of editing here. -->\n"
HEAD = ["id", "what", "settings (usual value)", "bites in", "sev.", "expected (any of)", "reaction", "seen within", "stops within",
        "MU", "further limits"]
BY = {"time": "", "before_beam": "before beam", "before_motion": "before motion", "at_load": "at load", "at_start": "at start",
      "never": "never: must not trip"}


def setting(name: str, kind: Range | Choice) -> str:
    """`leaf` 0 .. 119 (17), or the words it may be."""
    if isinstance(kind, Choice):
        return f"`{name}`: " + ", ".join(str(v) for v in kind.values)
    return f"`{name}` {kind.low:g} .. {kind.high:g} ({kind.usual:g})"


def ms(value: float | None) -> str:
    """A time, or nothing."""
    return "" if value is None else f"{value:g} ms"


def cells(mode: Mode) -> list[str]:
    """One row of a table."""
    needs = f" (needs {', '.join(mode.needs)})" if mode.needs else ""
    return [f"**{mode.id}** {mode.name}", mode.what + needs, "; ".join(setting(n, k) for n, k in mode.settings.items()),
            ", ".join(mode.phases) or "any", mode.severity, ", ".join(mode.expected), " + ".join(mode.reaction),
            ms(mode.max_detection_ms) or BY[mode.detect_by], ms(mode.max_reaction_ms),
            "" if mode.max_mu is None else f"{mode.max_mu:g}", "; ".join(mode.limits)]


def layers() -> dict[str, list[Mode]]:
    """Layer -> its modes, both in the order of the catalogue."""
    found: dict[str, list[Mode]] = {}
    for mode in catalogue().values():
        found.setdefault(mode.layer, []).append(mode)
    return found


def count(modes: list[Mode]) -> str:
    """How many of which tier."""
    tiers = [sum(mode.tier == tier for mode in modes) for tier in (1, 2, 3)]
    return ", ".join(f"{n} of tier {tier}" for tier, n in zip((1, 2, 3), tiers) if n)


def page() -> str:
    """The whole page."""
    everything = list(catalogue().values())
    parts = [
        NOTE, "# Fault modes\n",
        f"{len(everything)} modes: {count(everything)}. A mode is a row of a taxonomy of what goes wrong with such machines; "
        "it turns its settings into writes to the plant's parameters, wires that lie, frames that do not come through, a process "
        "that stops, or an act of somebody: never code in the controller. Settings that are left out take their usual value.\n",
        "A [schedule](configuration.md#fault-schedule) says which of them happen when; `linac-ctl run SESSION --faults FILE` "
        "injects them. The times and doses below are demands; what came of them is in the result of each run.\n",
        "**seen within** counts from the first cycle in which truth or a wire is not what it would be without the fault (in a slow "
        "one from where the deviation is beyond what is allowed), **stops within** from there on; **MU** are those given after the "
        "fault became effective, at 600 MU/min, to be scaled with the rate. **expected**: any of these may be the first-out; the "
        "reaction is judged, the name is reported. Small sizes of many modes need not, or must not, be reacted to; the mode knows "
        "which.\n",
        "Phases: " + ", ".join(PHASES) + ".\n",
        "Behaviours of a wire that is named in a schedule instead of a mode: "
        + ", ".join(f"`{b.name.lower()}`" for b in Behaviour) + ".\n",
    ]
    for layer, modes in layers().items():
        parts += [f"## {layer.replace('_', ' ').capitalize()}\n", count(modes) + ".\n", grid(HEAD, [cells(m) for m in modes])]
    parts += ["## Not there\n", grid(["id", "why"], [[name, why] for name, why in LEFT_OUT.items()]),
              "## Parts of modes that are not there, or other than in the taxonomy\n",
              grid(["id", "what"], [[name, why] for name, why in PARTS_LEFT_OUT.items()])]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(keep_current({PAGE: page()}, "fault_modes", sys.argv[1:]))
