"""Writes the reference pages that follow from tables: `docs/reference/interlocks.md` and `state-machines.md`.

    python tools/safety_pages.py           write them
    python tools/safety_pages.py --check   exit 1 and name the pages that are not current
"""

import sys
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from linac_ctl.config.loader import load, validate  # noqa: E402
from linac_ctl.interlocks.panel import MAY_RESET  # noqa: E402
from linac_ctl.interlocks.table import Interlock, InterlockTable  # noqa: E402
from linac_ctl.subsystems import beam_states, kv_imager, motion, mv_imager  # noqa: E402
from tools.current import keep_current  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/safety_pages.py: run it again instead of editing here. -->\n"
KINDS = {
    "H": "hard-wired, and what the second channel does by itself", "T": "terminate: the field is lost",
    "I": "interrupt: the place in the plan is kept", "R": "routine hold: goes on by itself",
    "P": "prevents the start until the condition is met again", "M": "motion: only people in the room can help",
}
MACHINES: tuple[tuple[str, str, Any, type[Enum], Enum], ...] = (
    ("The beam", "`subsystems/beam_states.py`. The permit itself is taken away in the scan cycle; this hears of it afterwards.",
     beam_states.BEAM_TABLE, beam_states.BeamState, beam_states.BeamState.OFF),
    ("Every moving device", "`subsystems/motion.py`: gantry, collimator, jaws, leaves, carriages, couch, arms; one machine each.",
     motion.TABLE, motion.State, motion.State.IDLE),
    ("The MV imager", "`subsystems/mv_imager.py`. The beam that makes its image goes through the states above.", mv_imager.MV_TABLE,
     mv_imager.MvState, mv_imager.MvState.RETRACTED),
    ("The kV imager", "`subsystems/kv_imager.py`.", kv_imager.KV_TABLE, kv_imager.KvState, kv_imager.KvState.RETRACTED),
)


def grid(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def cells(table: InterlockTable, row: Interlock) -> list[str]:
    """One row, with what its class says filled in."""
    name = f"**{row.id}**" + (f" ({row.name})" if row.name else "")
    flags = [word for word, on in (("dose", row.dose), ("standing", row.standing)) if on]
    return [name, f"`{row.signal} {row.fine}`", f"{row.debounce * 10} ms", " ".join(row.phases) or "all", row.kind,
            " ".join(table.reactions(row)), "yes" if table.latched(row) else "no",
            table.reset_role(row) if table.latched(row) or row.kind == "R" else "", " ".join(flags),
            row.source + own_limits(row)]


def own_limits(row: Interlock) -> str:
    """Where a hold may last or recur otherwise than its class says."""
    own = [] if row.longest_s is None else [f"{row.longest_s:g} s until it is an interrupt"]
    own += [] if row.most_holds is None else [f"{row.most_holds} holds in a field" if row.most_holds else "any number of holds"]
    return f" ({', '.join(own)})" if own else ""


def classes(table: InterlockTable) -> str:
    """What a letter means."""
    head = ["class", "what", "reaction", "latched", "reset by", "clears after", "becomes an interrupt after"]
    return grid(head, [
        [kind, KINDS.get(kind, it.codes), " ".join(it.reaction), "yes" if it.latched else "no",
         it.reset if it.latched else "", "" if it.latched else f"{it.clear_cycles * 10} ms",
         limits(it.most_holds, it.longest_s)] for kind, it in table.classes.items()])


def limits(most: int, longest_s: float) -> str:
    """When a hold stops being routine."""
    return f"{most} holds in a field, or {longest_s:g} s" if most else ""


def interlocks() -> str:
    """The whole page."""
    table = validate(InterlockTable, load("interlocks", "linac"))
    head = ["row (name)", "fine while", "debounce", "watched in", "class", "reaction", "latched", "reset by", "", "source"]
    deviations = [[row.id, row.catalogue_name, row.kind, row.deviation] for row in table.rows if row.deviation]
    return "\n".join([
        NOTE, "# Interlocks\n",
        f"The {len(table.rows)} rows of `configs/interlocks/linac.yaml` serve {len({r.catalogue_name for r in table.rows})} names. "
        "`fine` is the healthy side: a value outside it, no value, or not a number trips after the debounce. A trip takes "
        "the permit off the wire in the cycle that saw it. In a phase that does not exist every row is watched.\n",
        classes(table),
        "**dose**: the same latch a second time in a field needs an engineer. **standing**: the row cannot be reset while "
        "its signal is not fine, even in phases in which it is not watched.\n",
        "May reset: " + "; ".join(f"{need}: {', '.join(roles)}" for need, roles in MAY_RESET.items())
        + ". Each needs a reason, and the cause gone. The ways of stopping: [stops](../explanation/stops.md).\n",
        "## Rows\n", grid(head, [cells(table, row) for row in table.rows]),
        "## Classes that are not the catalogue's\n", grid(["row", "name", "class here", "why"], deviations),
        "## Not decidable yet\n",
        grid(["needs", "names"], [[what, ", ".join(names)] for what, names in table.not_decidable.items() if names]),
        "A restart sets every latch that was in force, escalated holds among them. How often a dose latch has been reset in "
        "a field is not kept through a restart.\n",
    ])


def diagram(rows: list[list[Any]], start: Enum) -> str:
    """Mermaid, one arrow per transition."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {start.name}"]
    for trigger, sources, to in rows:
        lines += [f"    {source.name} --> {to.name}: {trigger}" for source in (sources if isinstance(sources, list) else [sources])]
    return "\n".join([*lines, "```\n"])


def state_machines() -> str:
    """The whole page."""
    parts = [NOTE, "# State machines\n",
             "Drawn from the tables that run. What is not in a table raises `MachineError` and changes nothing. Transitions "
             "are instant; waiting is done by the coroutine that pulls the trigger.\n"]
    for title, what, rows, _, start in MACHINES:
        parts += [f"## {title}\n", what + "\n", diagram(rows, start)]
    return "\n".join(parts)


PAGES = {"interlocks.md": interlocks, "state-machines.md": state_machines}


if __name__ == "__main__":
    sys.exit(keep_current({REFERENCE / name: page() for name, page in PAGES.items()}, "safety_pages", sys.argv[1:]))
