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
MU_PER_GY = (30.0, 1000.0)  # open fields need about 100 to 200, strongly modulated ones 300 to 700; what is outside was not meant
LEAST_GY = 0.1  # of less than this nothing can be said: a point outside the field, an imaging dose


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
        findings += [*_one_place(plan.fraction(number)), *_of_the_dose(plan, number)]
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


def _of_the_dose(plan: Plan, number: int) -> Iterator[Finding]:
    """MU that do not fit the dose which the same plan says they give: a factor of ten, another unit."""
    mu, gy = sum(beam.mu for beam in plan.fraction(number)), plan.fraction_gy(number)
    if gy is None or gy < LEAST_GY or MU_PER_GY[0] <= mu / gy <= MU_PER_GY[1]:
        return
    yield Finding(ERROR, "BeamMeterset", f"of all beams is {mu:g} MU for {gy:g} Gy: {mu / gy:.0f} MU per Gy",
                  f"{MU_PER_GY[0]:g} to {MU_PER_GY[1]:g}", "compare MU and dose with the planning system")


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
