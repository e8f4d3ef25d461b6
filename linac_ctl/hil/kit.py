"""The conformance kit: every check in its order, made on one device."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from linac_ctl.errors import LinacError, LinkError, UsageError

from .bench import Bench, Options, SkipError
from .checks import (
    arming,
    handshake,
    latch,
    limits,
    lockstep,
    long_lines,
    moves,
    published,
    repeats,
    self_description,
    stop,
    stopped_moves,
    telemetry,
    terminal,
    timing,
    watchdog,
)
from .client import Client, NoAnswerError
from .contact import hello
from .description import describe
from .traffic import printable, shown
from .verdict import Finding, Statement

ACTS = "left out: --no-motion"


@dataclass(frozen=True, slots=True)
class Check:
    """`clause`: of docs/reference/wire-protocol.md. `acts`: drives get power, something may move or be armed."""

    name: str
    clause: str
    claim: str
    make: Callable[[Bench], None]
    acts: bool = False


CHECKS = (
    Check("handshake", "Verbs that every device has: HI", "It says who it is, completely, and the same every time.",
          handshake.handshake),
    Check("self-description", "Description items", "It describes axes, values, parameters and verbs, completely and truly.",
          self_description.self_description),
    Check("session", "Rules 8; RS", "It leaves no state without the session number of this power-up.", latch.power_up),
    Check("valid-lines", "Lines; Refusals", "Valid lines are answered as published.", published.valid_lines),
    Check("junk", "Lines: invalid", "Invalid lines are dropped, counted and never answered.", published.junk),
    Check("hostile-streams", "Lines: start; rules 1, 2, 3",
          "Good lines among noise, cut-off, old and repeated ones go through, nothing else.",
          published.hostile_streams),
    Check("long-lines", "Lines: length", "The longest line goes through, a longer one is junk.", long_lines.long_lines),
    Check("repeats", "Rule 2", "A repeat is answered from memory and not executed again.", repeats.repeats),
    Check("terminal-mode", "Terminal mode", "Typed lines are answered as published.", published.typed_lines),
    Check("strict-mode", "Terminal mode", "Some verbs are never plain, and a valid line with a CRC ends the mode.",
          terminal.terminal),
    Check("limits", "Rule 5; Refusals", "Targets outside are refused, targets inside are not.", limits.limits),
    Check("watchdog", "Rule 6, 8; WD", "Silence ends in a stop that stays.", watchdog.watchdog),
    Check("watchdog-and-junk", "Rule 6", "Junk is no sign of life.", watchdog.junk_does_not_feed),
    Check("telemetry", "TM; Lines: CC", "Telemetry comes evenly and without loss.", telemetry.telemetry),
    Check("timing", "Sizes and rates; What a host does", "Answers come in time.", timing.timing),
    Check("clock", "Lines: t", "The device's clock runs as ours does, and never back.", timing.clock),
    Check("lockstep", "Verbs: LS, TK", "Time passes only when asked.", lockstep.lockstep),
    Check("arming-refused", "Verbs: AR, FI", "Nothing but both steps in time arms.", arming.refusals),
    Check("stop-byte", "Rules 7, 8", "The stop byte works anywhere and leaves every line what it was.", stop.stop_byte, acts=True),
    Check("arming", "Verbs: AR, FI", "Both steps arm, and everything that shall end it does.", arming.arming, acts=True),
    Check("limits-with-power", "Rule 5", "A request outside the limits does nothing at all.", limits.powered_limits, acts=True),
    Check("moves", "Verbs: MV, MA; rule 4", "Moves arrive, keep to the limits told, and are absolute.", moves.moves, acts=True),
    Check("following", "Verbs: SV", "The axes follow cyclic targets.", moves.following, acts=True),
    Check("halt", "Verbs: HT", "HT ends a move, nothing is latched.", moves.halt, acts=True),
    Check("stop-in-a-move", "Rules 7, 8, 9", "A stop byte ends a move for good.", stopped_moves.stop_in_a_move, acts=True),
    Check("watchdog-in-a-move", "Rules 6, 8, 9", "Silence ends a move for good.", stopped_moves.watchdog_in_a_move, acts=True),
)


def chosen(only: Sequence[str]) -> list[Check]:
    """By name, in the kit's order; UsageError for a name that there is not."""
    names = [check.name for check in CHECKS]
    if unknown := [name for name in only if name not in names]:
        raise UsageError(f"no check {unknown[0]!r}; there are {', '.join(names)}")
    return [check for check in CHECKS if not only or check.name in only]


def meet(client: Client, options: Options) -> Bench:
    """First words and self-description. LinkError if there is nobody."""
    reply = hello(client, options.port)
    bench = Bench(client, describe(client, reply), options)
    client.baud = bench.told.baud and (options.baud or bench.told.baud)
    bench.first_state = bench.state()
    return bench


def examine(bench: Bench, checks: Iterable[Check], tell: Callable[[Finding], None] = lambda finding: None) -> list[Finding]:
    """Make them all; `tell` hears of each when it is over. The device is left in terminal mode, without power or telemetry."""
    findings = []
    for check in checks:
        findings.append(made(bench, check))
        tell(findings[-1])
    leave(bench)
    return findings


def made(bench: Bench, check: Check) -> Finding:
    """One check; whatever goes wrong is a finding of this one."""
    finding = bench.finding = Finding(check.name, check.claim, check.clause)
    if check.acts and not bench.options.motion:
        finding.skipped = ACTS
        return finding
    bench.client.traffic.clear()
    begin_us = bench.client.now_us()
    try:
        bench.calm()
        check.make(bench)
    except SkipError as reason:
        finding.skipped = "" if finding.wrong else str(reason)  # what was found before stays found
    except NoAnswerError as error:
        finding.statements.append(Statement("every valid request is answered", False, str(error)))
    except (LookupError, ValueError, ArithmeticError) as error:  # a reply of a form that nobody has thought of
        finding.statements.append(Statement("every reply has the form that the page says", False, f"{last(bench)} ({error})"))
    except LinkError as error:
        finding.statements.append(Statement("the line stays up", False, str(error)))
    finding.traffic = shown(bench.client.traffic, begin_us)
    return finding


def last(bench: Bench) -> str:
    """What came last."""
    came = [piece.data for piece in bench.client.traffic if not piece.sent]
    return printable(came[-1].rstrip()) if came else "nothing"


def leave(bench: Bench) -> None:
    """As a polite guest: terminal mode has no watchdog that would run out behind us."""
    try:
        bench.calm()
        bench.client.ask("TT")
    except LinacError:
        pass  # it has been found already
