"""Images that are none, or not these: the imager's far end behind a thin coat, put on from outside."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from linac_ctl.errors import RefusedError
from linac_ctl.subsystems.kv_frames import Exposures, KvFrame, Technique

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

Frames = tuple[KvFrame, ...]


class Coat:
    """`Exposures`, with something wrong on the way there or back."""

    def __init__(self, inner: Exposures, there: Callable[[Technique], Sequence[Technique]] = lambda asked: (asked,),
                 back: Callable[[Frames], Frames] = lambda frames: frames) -> None:
        self.inner, self.there, self.back = inner, there, back

    def expose(self, technique: Technique) -> None:
        """As often, and in the way, that `there` says."""
        for each in self.there(technique):
            self.inner.expose(each)

    def read(self) -> Frames:
        """What `back` makes of it."""
        return self.back(self.inner.read())

    def discard(self) -> None:
        """As inside."""
        self.inner.discard()


def put_on(sim: "Simulation", there: Any = None, back: Any = None) -> Altered:
    """A coat on the imager of this session; nothing happens to a session that has none."""
    if sim.suite.imaging is None:
        return Altered()
    kv, altered = sim.suite.imaging.kv, Altered()

    def watched(work: Any) -> Any:
        def do(given: Any) -> Any:
            made = work(given)
            if made is not given and not (isinstance(made, tuple) and made == (given,)):
                altered.mark(sim.engine.cycle + 1)
            return made

        return do

    ways = {name: watched(work) for name, work in (("there", there), ("back", back)) if work is not None}
    coat = kv.exposures = Coat(kv.exposures, **ways)

    def off() -> None:
        coat.there, coat.back = (lambda asked: (asked,)), (lambda frames: frames)

    altered.undo = off
    return altered


def lucky(p: float, k: int) -> bool:
    """True for a share p of all k, evenly: no chance in it."""
    return int((k + 1) * p) > int(k * p)


def black(sim: "Simulation", given: Settings) -> Altered:
    """The next `n` exposures give nothing: no X-rays (tube), a generator that refuses, or a panel that sends noise alone."""
    left, cause = [int(given["n"])], str(given["cause"])

    def refuse(asked: Technique) -> Sequence[Technique]:
        if left[0] <= 0:
            return (asked,)
        left[0] -= 1
        raise RefusedError("kV imager: the generator is in fault; look at it, then image again")

    def blank(frames: Frames) -> Frames:
        n = min(left[0], len(frames))
        left[0] -= n
        return (*(replace(f, pixels=dark(f)) for f in frames[:n]), *frames[n:]) if n else frames

    altered = put_on(sim, there=refuse) if cause == "generator" else put_on(sim, back=blank)
    if cause == "generator":
        altered.mark(sim.engine.cycle + 1)
    return altered


def dark(frame: KvFrame) -> Any:
    """A panel without light: a few counts, never the same in two frames."""
    y, x = np.indices(frame.pixels.shape)
    return ((x * 7 + y * 13 + frame.number) % 5).astype(np.uint16)


def exposed_again(sim: "Simulation", given: Settings) -> Altered:
    """The tube fires `repeat` times more than asked for, `factor` times as much charge each; only the asked frames are sent."""
    repeat, factor = int(given["repeat"]), float(given["factor"])
    if sim.imager is None:
        return Altered()
    tube, room = sim.imager.imager.tube, sim.image.room

    def fire(asked: Technique) -> Sequence[Technique]:
        room["kv_exposures"] += repeat
        tube.heat_kj += repeat * asked.kv * asked.ma * asked.ms * 1e-6
        return [replace(asked, ms=round(asked.ms * factor, 3))]

    return put_on(sim, there=fire)


def technique(sim: "Simulation", given: Settings) -> Altered:
    """The generator uses another kV and another charge than was asked for."""

    def other(asked: Technique) -> Sequence[Technique]:
        kv, ms = asked.kv * float(given["kv_factor"]), asked.ms * float(given["mas_factor"])
        return (replace(asked, kv=round(kv, 1), ms=round(ms, 3)),)

    return put_on(sim, there=other)


def frames_lost(sim: "Simulation", given: Settings) -> Altered:
    """A share `p` of the frames, at most `run`, does not come (drop), or comes as the one before it (freeze, repeat)."""
    p, run, kind = float(given["p"]), int(given["run"]), str(given["kind"])

    def spoil(frames: Frames) -> Frames:
        bad = [k for k in range(1, len(frames)) if lucky(p, k)][:run]
        if not bad:
            return frames
        if kind == "drop":
            return tuple(f for k, f in enumerate(frames) if k not in bad)
        found = list(frames)
        for k in bad:
            found[k] = replace(frames[k], pixels=found[k - 1].pixels) if kind == "freeze" else found[k - 1]
        return tuple(found)

    return put_on(sim, back=spoil)


def geometry(sim: "Simulation", given: Settings) -> Altered:
    """Panel, angle and moment of every frame are not what is told with it: a systematic error of every image."""
    offset, angle, lag_s = float(given["offset_mm"]), float(given["angle_deg"]), float(given["lag_ms"]) / 1000.0
    speed = 6.0  # deg/s while a scan turns

    def mistag(frames: Frames) -> Frames:
        turned = angle + (speed * lag_s if len(frames) > 2 else 0.0)
        return tuple(replace(f, gantry_deg=f.gantry_deg + turned, source_angle_deg=f.source_angle_deg + turned,
                             panel_mm=(f.panel_mm[0] + offset, f.panel_mm[1], f.panel_mm[2])) for f in frames)

    return put_on(sim, back=mistag)


FLIPS: dict[str, Callable[[Any], Any]] = {
    "lr": lambda pixels: pixels[:, ::-1], "si": lambda pixels: pixels[::-1], "ap": lambda pixels: pixels[:, ::-1],
    "HFS_FFS": lambda pixels: pixels[::-1, ::-1], "supine_prone": lambda pixels: pixels[:, ::-1],
}


def flipped(sim: "Simulation", given: Settings) -> Altered:
    """Every frame shows the patient mirrored or the other way round."""
    turn = FLIPS[str(given["kind"])]
    return put_on(sim, back=lambda frames: tuple(replace(f, pixels=np.ascontiguousarray(turn(f.pixels))) for f in frames))


def stale_frames(sim: "Simulation", given: Settings) -> Altered:
    """The next images are those of the acquisition before (pre_shift), or of another day: same pixels, another time stamp."""
    kind, age_s, kept = str(given["kind"]), float(given["age_s"]), []
    if sim.suite.imaging is not None and sim.suite.imaging.images:
        kept.append(sim.suite.imaging.images[-1].kv_frames)

    def old(frames: Frames) -> Frames:
        if kind == "pre_shift":
            if not kept:
                kept.append(frames)
                return frames
            return kept[0] if len(kept[0]) == len(frames) else frames
        return tuple(replace(f, time_s=f.time_s - age_s) for f in frames)

    return put_on(sim, back=old)


def exposure_unasked(sim: "Simulation", given: Settings) -> Altered:
    """The kV tube fires now, and nobody has asked it to."""
    sim.image.room["kv_exposures"] += 1
    return done(sim)


ALTERATIONS = {
    "black": black, "exposed_again": exposed_again, "technique": technique, "frames_lost": frames_lost, "kv_geometry": geometry,
    "flipped": flipped, "stale_frames": stale_frames, "exposure_unasked": exposure_unasked,
}
