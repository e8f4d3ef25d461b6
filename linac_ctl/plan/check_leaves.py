"""Leaves of a beam against the machine's MLC: model, range, carriage span, gap."""

from collections.abc import Iterator

import numpy as np

from linac_ctl.config.machine import MachineConfig, MlcConfig
from linac_ctl.plan.finding import NOTE, Finding, found
from linac_ctl.plan.model import Beam, Floats

SAME_SIDE_MM = 0.1  # leaf sides closer than this are the same leaf
HALF_GRID_MM = 5e-4


def check_leaves(beam: Beam, machine: MachineConfig) -> Iterator[Finding]:
    """Findings on leaves; at each control point the worst leaf only."""
    mlc = machine.mlc
    if beam.leaf_mm is None or beam.leaf_boundaries_mm is None:
        if mlc is not None:
            yield found(
                beam,
                "BeamLimitingDevicePositionSequence",
                "gives no leaf positions",
                f"{mlc.pairs} leaf pairs",
                "the leaves will be parked open",
                0,
                NOTE,
            )
        return
    if mlc is None:
        yield found(
            beam,
            "BeamLimitingDeviceSequence",
            f"asks for an MLC of {len(beam.leaf_boundaries_mm) - 1} leaf pairs",
            "no MLC on this machine",
            "choose a machine with this MLC",
        )
    elif not _same_mlc(beam.leaf_boundaries_mm, mlc):
        yield _other_mlc(beam, beam.leaf_boundaries_mm, mlc)
    else:
        yield from _range(beam, beam.leaf_mm, mlc)
        yield from _span(beam, beam.leaf_mm, mlc, with_carriages=len(machine.carriages) >= 2)
        yield from _gap(beam, beam.leaf_mm, mlc)


def _same_mlc(sides: Floats, mlc: MlcConfig) -> bool:
    return len(sides) == mlc.pairs + 1 and bool(np.allclose(sides, mlc.boundaries_mm, rtol=0.0, atol=SAME_SIDE_MM))


def _other_mlc(beam: Beam, sides: Floats, mlc: MlcConfig) -> Finding:
    def text(edges: Floats) -> str:
        widths = sorted({round(float(w), 3) for w in np.diff(edges)})
        return (
            f"{len(edges) - 1} pairs of {', '.join(f'{w:g}' for w in widths)} mm from {edges[0]:g} to {edges[-1]:g} mm"
        )

    return found(
        beam,
        "LeafPositionBoundaries",
        f"describe {text(sides)}",
        f"{mlc.model}: {text(np.array(mlc.boundaries_mm))}",
        "choose a machine with the MLC of the plan",
    )


def _range(beam: Beam, leaf_mm: Floats, mlc: MlcConfig) -> Iterator[Finding]:
    outward = _outward(leaf_mm, mlc.pairs)
    outside = np.maximum(outward - mlc.leaf.high, mlc.leaf.low - outward)
    for point in np.flatnonzero(outside.max(axis=1) > HALF_GRID_MM):
        leaf = int(np.argmax(outside[point]))
        sign = 1.0 if leaf < mlc.pairs else -1.0
        low, high = sorted((sign * mlc.leaf.low, sign * mlc.leaf.high))
        yield found(
            beam,
            "LeafJawPositions",
            f"puts leaf {leaf_name(leaf, mlc.pairs)} at {leaf_mm[point, leaf]:g} mm",
            f"{low:g} to {high:g} mm",
            "keep the leaf in its range",
            int(point),
        )


def _span(beam: Beam, leaf_mm: Floats, mlc: MlcConfig, with_carriages: bool) -> Iterator[Finding]:
    """Span at a control point, and across a segment with dose, in which the carriage cannot change its place."""
    given = np.diff(beam.cumulative_mu) > 0.0
    for bank, name in ((leaf_mm[:, : mlc.pairs], "A"), (leaf_mm[:, mlc.pairs :], "B")):
        high, low = bank.max(axis=1), bank.min(axis=1)
        for point in np.flatnonzero(high - low > mlc.span_mm + HALF_GRID_MM):
            yield found(
                beam,
                "LeafJawPositions",
                f"spreads bank {name} over {high[point] - low[point]:g} mm "
                f"(leaf {int(np.argmin(bank[point])) + 1} to leaf {int(np.argmax(bank[point])) + 1})",
                f"{mlc.span_mm:g} mm carriage span",
                "split the field",
                int(point),
            )
        across = np.maximum(high[1:], high[:-1]) - np.minimum(low[1:], low[:-1])
        alone = np.maximum(high[1:] - low[1:], high[:-1] - low[:-1]) <= mlc.span_mm + HALF_GRID_MM
        for point in np.flatnonzero(with_carriages & given & alone & (across > mlc.span_mm + HALF_GRID_MM)):
            yield found(
                beam,
                "LeafJawPositions",
                f"moves bank {name} through {across[point]:g} mm in one segment with dose",
                f"{mlc.span_mm:g} mm carriage span",
                "split the segment",
                int(point) + 1,
            )


def _gap(beam: Beam, leaf_mm: Floats, mlc: MlcConfig) -> Iterator[Finding]:
    gap = leaf_mm[:, : mlc.pairs] - leaf_mm[:, mlc.pairs :]
    for point in np.flatnonzero(gap.min(axis=1) < mlc.gap_mm - mlc.gap_tolerance_mm):
        pair = int(np.argmin(gap[point]))
        yield found(
            beam,
            "LeafJawPositions",
            f"leaves a gap of {gap[point, pair]:.3f} mm between leaves A{pair + 1} and B{pair + 1}",
            f"{mlc.gap_mm:g} mm",
            "plan for the smallest gap of this MLC",
            int(point),
        )


def _outward(leaf_mm: Floats, pairs: int) -> Floats:
    """Both banks in bank A's sense: positive when open."""
    return np.hstack([leaf_mm[:, :pairs], -leaf_mm[:, pairs:]])


def leaf_name(leaf: int, pairs: int) -> str:
    """Column of `Beam.leaf_mm` to "A1" ... "B60"."""
    return f"A{leaf + 1}" if leaf < pairs else f"B{leaf - pairs + 1}"
