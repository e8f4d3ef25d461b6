"""The live view of `monitor`: axes, dose, interlocks, what happened last, and how old all of it is."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..telemetry.view import MachineView, numbers

MOST_ROWS = 8  # axes of a subsystem shown one by one; more are summed up in one line
LAST_EVENTS = 6
CHANNEL = ("dose", "timer", "heartbeat", "door", "emergency stop", "limits")  # bits of `open`, lowest first
GOOD, BAD, OLD = "green", "bold red", "yellow"


def picture(watcher: Any, now_s: float) -> RenderableType:
    """Everything that is known."""
    parts: list[RenderableType] = []
    if watcher.trouble:
        parts.append(Text(f"broker lost, trying again: {watcher.trouble}", BAD))
    machines = sorted(watcher.view.machines.items())
    parts += [machine_panel(machine, now_s) for _, machine in machines]
    if not machines:
        parts.append(Text(f"{watcher.address.text}: nobody here yet; linac-ctl serve --mqtt {watcher.address.text}", OLD))
    parts.append(Text(f"{watcher.address.text}   simulated; not a medical device   Ctrl-C ends this view", "dim"))
    return Group(*parts)


def machine_panel(machine: MachineView, now_s: float) -> Panel:
    """One machine."""
    style = GOOD if machine.online else BAD
    inside = Group(headline(machine, now_s), beam_line(machine, now_s), axes_table(machine, now_s), *interlock_lines(machine),
                   *event_lines(machine), loss_line(machine))
    return Panel(inside, title=Text(word(machine.name)), border_style=style, title_align="left")


def headline(machine: MachineView, now_s: float) -> Text:
    """Online or history, session, step, phase, machine time, age."""
    text = Text()
    if machine.online:
        text.append("ONLINE", GOOD)
    else:
        text.append(f"OFFLINE: all below is history  {word(machine.status.get('why'))}", BAD)
    doing = machine.doing
    session, step, phase = machine.status.get("session_name"), doing.get("step"), doing.get("phase")
    text.append(f"   {word(session)}   step {word(step)}   phase {word(phase)}")
    seconds = [data["t"] * 1e-9 for data in machine.telemetry.values() if isinstance(data.get("t"), int)]
    text.append(f"   t {max(seconds):.1f} s" if seconds else "   t -")
    age_s = machine.oldest_s(now_s)
    if machine.online:
        old = any(machine.stale(name, now_s) for name in machine.telemetry) or not machine.telemetry
        text.append("   no numbers yet" if age_s is None else f"   {'STALE' if old else 'age'} {age_s:.2f} s", OLD if old else "")
    return text


def beam_line(machine: MachineView, now_s: float) -> Text:
    """Dose, rate, state."""
    state, now = machine.current("beam"), machine.telemetry.get("beam", {})
    rate = now.get("rate_mu_per_s")
    per_min = f"{rate * 60:.0f}" if isinstance(rate, int | float) else "-"
    text = Text(f"beam {word(state.get('beam_number'))}  {word(state.get('state'))}  "
                f"{number(now.get('mu_1'))} / {number(state.get('mu_end'))} MU  (chamber 2 {number(now.get('mu_2'))})  "
                f"{per_min} MU/min  {word(state.get('mode'))}  hold {word(state.get('hold'))}  permit {yes(state.get('permit'))}  "
                f"second channel {channel(machine)}")
    text.stylize(OLD if machine.stale("beam", now_s) else "bold")
    return text


def channel(machine: MachineView) -> str:
    """What holds the beam chain open, if anything."""
    bits = machine.current("safety").get("open")
    if not isinstance(bits, int):
        return "-"
    return "closed" if bits == 0 else "open: " + " ".join(name for i, name in enumerate(CHANNEL) if bits >> i & 1)


def axes_table(machine: MachineView, now_s: float) -> Table:
    """Setpoint and readback of every axis; long subsystems as the worst of all."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("subsystem", "axis", "setpoint", "readback", "off", "state"):
        table.add_column(name, justify="right" if name in ("setpoint", "readback", "off") else "left")
    for subsystem, data in machine.telemetry.items():
        if "setpoint" in data and "readback" in data:
            style = OLD if machine.stale(subsystem, now_s) or not machine.online else ""
            for row in axis_rows(machine, subsystem, data):
                table.add_row(*row, style=style)
    return table


def axis_rows(machine: MachineView, subsystem: str, data: dict[str, Any]) -> Iterator[list[Text]]:
    """Cells."""
    state = machine.current(subsystem)
    stands = word(state.get("state")) + ("" if state.get("powered") is True else "  no power")
    axes = machine.axes(subsystem)
    pairs = list(zip(numbers(data["setpoint"]), numbers(data["readback"])))
    offs = [abs(a - b) if a is not None and b is not None else None for a, b in pairs]
    if len(pairs) > MOST_ROWS:
        known = [off for off in offs if off is not None]
        unit = word(axes[0].get("unit")) if axes else ""
        worst = f"{max(known):.3f} {unit}" if known and len(known) == len(offs) else "no reading"
        yield cells(subsystem, f"{len(pairs)} axes", "", "worst", worst, stands)
        return
    for i, (setpoint, readback) in enumerate(pairs):
        axis = axes[i] if i < len(axes) else {}
        unit = word(axis.get("unit"))
        yield cells(subsystem if i == 0 else "", word(axis.get("name")), number(setpoint, 3), f"{number(readback, 3)} {unit}",
                    number(offs[i], 3), stands if i == 0 else "")


def interlock_lines(machine: MachineView) -> Iterator[Text]:
    """Rows in force."""
    if not machine.active:
        yield Text("no interlock in force", "dim")
    for row in machine.active[:12]:
        style = BAD if row.get("stop") != "inhibit" else OLD
        first = "  FIRST OUT" if row.get("first_out") is True else ""
        yield Text(f"{word(row.get('stop')):<9} {word(row.get('text'))}{first}", style)


def event_lines(machine: MachineView) -> Iterator[Text]:
    """What happened last."""
    for event in list(machine.events)[-LAST_EVENTS:]:
        why = f"  ({word(event.get('why'))})" if event.get("why") else ""
        text = f"{number(event.get('t_s')):>9} s  {word(event.get('who'))}: {word(event.get('what'))}{why}"
        yield Text(text, "dim", overflow="ellipsis", no_wrap=True)


def loss_line(machine: MachineView) -> Text:
    """What was not published."""
    names = ("lost_snapshots", "lost_words", "dropped_telemetry", "dropped_events", "overruns")
    found = {name: machine.stats.get(name) for name in names if machine.stats.get(name)}
    return Text("  ".join(f"{name.replace('_', ' ')} {word(n)}" for name, n in found.items()), OLD)


def cells(*texts: str) -> list[Text]:
    """Never as markup: names come from outside."""
    return [Text(text) for text in texts]


def word(value: Any) -> str:
    """For people, one line; nothing that a terminal would obey."""
    text = "".join(c if c.isprintable() else " " for c in str(value)[:200])
    return "-" if value is None or value == "" else " ".join(text.split())


def yes(value: Any) -> str:
    """Of a switch."""
    return {True: "yes", False: "no"}.get(value, "-") if isinstance(value, bool) else "-"


def number(value: Any, digits: int = 2) -> str:
    """`-` where there is no reading."""
    return f"{round(value, digits) + 0.0:.{digits}f}" if isinstance(value, int | float) and not isinstance(value, bool) else "-"
