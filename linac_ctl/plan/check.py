"""Can this machine deliver this plan? All findings at once, before anything moves."""

from collections.abc import Iterator

from linac_ctl.config.machine import MachineConfig
from linac_ctl.errors import PlanError
from linac_ctl.plan.check_axes import check_axes
from linac_ctl.plan.check_beam import check_dose
from linac_ctl.plan.check_leaves import check_leaves
from linac_ctl.plan.check_modulation import check_modulation
from linac_ctl.plan.finding import ERROR, WARNING, Finding
from linac_ctl.plan.model import Beam, Plan

MOST_SHOWN = 20


def check(plan: Plan, machine: MachineConfig, group: int | None = None) -> list[Finding]:
    """Every finding about the beams of one fraction group, or of the whole plan by default."""
    if group is not None and group not in [g.number for g in plan.groups]:
        raise PlanError(
            f"{plan.source}: no fraction group {group}; the plan has {', '.join(str(g.number) for g in plan.groups)}"
        )
    findings = list(_of_the_plan(plan))
    for beam in plan.beams if group is None else plan.fraction(group):
        findings += [
            *check_dose(beam, machine),
            *check_axes(beam, machine),
            *check_leaves(beam, machine),
            *check_modulation(beam, machine),
        ]
    for number in [g.number for g in plan.groups] if group is None else [group]:
        findings += _one_place(plan.fraction(number))
    return findings


def errors(findings: list[Finding]) -> list[Finding]:
    """Those that keep the plan from being delivered."""
    return [finding for finding in findings if finding.severity == ERROR]


def require_deliverable(plan: Plan, machine: MachineConfig, group: int | None = None) -> list[Finding]:
    """The warnings and notes; PlanError with all errors if there are any."""
    findings = check(plan, machine, group)
    wrong = errors(findings)
    if not wrong:
        return findings
    lines = [f"  {finding.message}" for finding in wrong[:MOST_SHOWN]]
    if len(wrong) > MOST_SHOWN:
        lines.append(f"  and {len(wrong) - MOST_SHOWN} more; `plan check` shows all")
    raise PlanError("\n".join([f"{plan.source}: cannot be delivered on this machine, {len(wrong)} errors:", *lines]))


def _of_the_plan(plan: Plan) -> Iterator[Finding]:
    if plan.approval == "REJECTED":
        yield Finding(ERROR, "ApprovalStatus", "is REJECTED", "APPROVED", "deliver the plan that was approved")
    elif plan.approval != "APPROVED":
        yield Finding(
            WARNING, "ApprovalStatus", f"is {plan.approval or 'not given'}", "APPROVED", "have the plan approved"
        )


def _one_place(beams: tuple[Beam, ...]) -> Iterator[Finding]:
    """Without couch positions, the patient stays where he was set up: one isocentre only."""
    first = beams[0]
    for beam in beams[1:]:
        if beam.isocentre_mm != first.isocentre_mm and (beam.couch_is_relative or first.couch_is_relative):
            yield Finding(
                ERROR,
                "IsocenterPosition",
                f"is {beam.isocentre_mm} mm and no couch translations are given",
                f"{first.isocentre_mm} mm, as in beam {first.number}",
                "give couch translations, or one plan per isocentre",
                beam.number,
                beam.name,
            )
