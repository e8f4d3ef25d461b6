"""(c) Our compiled arithmetic against the same in C: time, and every bit. Skipped where there is no C compiler."""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np

from benchmarks.machine import in_beam
from benchmarks.measure import Row, best_us
from benchmarks.parts import whole
from device_models.interface.image import AXIS
from device_models.parts.chamber import CHAMBER, collect, new_chambers
from device_models.parts.drive import DRIVE, new_drives, step_drives
from device_models.parts.noise import Noise, draw, new_noise
from linac_ctl.control.measure_axes import measure_axes
from linac_ctl.control.state import AIM, aims
from tests.support import machine

HERE = Path(__file__).resolve().parent
AXES, CHAMBERS = 142, 3  # those of the HD120 machine
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")
Bench = tuple[Any, Any, Any, Any, Noise, Any]


@numba.njit(error_model="numpy", _nrt=False)
def run(drives, wires, goals, chambers, noise, signals, cycles):
    """As `run` in reference.c, with the functions of the simulator."""
    for k in range(cycles):
        draw(noise, k)
        for i in range(wires.size):
            wires[i].setpoint += 0.01 if k & 64 else -0.01
        step_drives(drives, wires, True, True, noise.sample)
        for i in range(chambers.size):
            collect(chambers[i], 0.4, 4.0, noise.sample)
        signals[3] = measure_axes(signals, 0, 1, 2, goals, wires, 0, wires.size)


def bench() -> Bench:
    """Leaves and chambers of one machine, and noise for all of them."""
    it = machine("c_arm_hd120")
    assert it.plant.leaf is not None and it.controller.mlc is not None
    drives, wires = new_drives([it.plant.leaf] * AXES), np.zeros(AXES, AXIS)
    for name in wires.dtype.names or ():
        wires[name] = drives["position"]
    drives["stream"] = 2 * np.arange(AXES)
    chambers = new_chambers(it.plant.source)
    chambers["stream"] = 2 * AXES + np.arange(CHAMBERS)
    noise = new_noise(1, [str(i) for i in range(2 * AXES + CHAMBERS)])
    return drives, wires, aims((it.controller.mlc.leaf,), AXES), chambers, noise, np.zeros(4)


def layout() -> str:
    """layout.h: the records as C structures."""
    text = ["#include <stdint.h>"]
    for name, dtype in (("Drive", DRIVE), ("Axis", AXIS), ("Aim", AIM), ("Chamber", CHAMBER)):
        assert dtype.itemsize == 8 * len(dtype.names or ()), f"{name}: a field that is not 8 bytes"
        fields = [f"{'int64_t' if dtype[n].kind == 'i' else 'double'} {n};" for n in dtype.names or ()]
        text.append(f"typedef struct {{ {' '.join(fields)} }} {name};")
    return "\n".join(text) + "\n"


def built(folder: Path, compiler: str) -> Any:
    """The library."""
    (folder / "layout.h").write_text(layout())
    library = folder / "reference.so"
    command = [compiler, *FLAGS, f"-I{folder}", "-o", str(library), str(HERE / "reference.c"), "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


def caller(library: Any, parts: Bench) -> Any:
    """run(cycles) in C on these arrays."""
    drives, wires, goals, chambers, noise, signals = parts
    arrays = (drives, wires, goals, chambers, noise.key, noise.key_2, noise.sample, signals)
    fixed = [*(ctypes.c_void_p(a.ctypes.data) for a in arrays), *(ctypes.c_int64(n) for n in (AXES, len(noise.key), CHAMBERS))]
    return lambda cycles: library.run(*fixed, ctypes.c_int64(cycles))


def same_bits(a: Bench, b: Bench) -> bool:
    """Drives, wires, chambers, samples and signals."""
    pairs = [*zip(a[:4], b[:4]), (a[4].sample, b[4].sample), (a[5], b[5])]
    return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in pairs)


def compare(compiler: str, cycles: int = 1000) -> tuple[float, float, bool]:
    """-> (us per cycle here, in C, all bits equal after so many cycles)."""
    with tempfile.TemporaryDirectory() as folder:
        library = built(Path(folder), compiler)
        ours, theirs = bench(), bench()
        run(*ours, cycles)
        caller(library, theirs)(cycles)
        equal = same_bits(ours, theirs)
        return best_us(lambda n: run(*ours, n), 1000), best_us(caller(library, theirs), 1000), equal


def rows() -> list[Row]:
    """Ratio of the two, measured one after the other."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return [Row("compiled against C", None, "", "< 3, goal 2", "no C compiler here")]
    ours, theirs, equal = compare(compiler)
    bits = "all bits equal" if equal else "BITS DIFFER"
    return [Row(f"arithmetic of {AXES} axes, compiled here", ours, "us"),
            Row("the same in C", theirs, "us", note=" ".join(FLAGS[:3])),
            Row("compiled against C", ours / theirs, "ratio", "< 3, goal 2", bits),
            Row("whole scan cycle against that C", best_us(whole(in_beam()), 500, 20) / theirs, "ratio", "< 3, goal 2",
                "and interlocks, beam, safety channel, collision, rows")]
