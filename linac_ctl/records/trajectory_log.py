"""Varian-format trajectory log: bytes in and out, versions 2.1, 3.0 and 4.0.

Little-endian: 1024-byte header, sub-beams, snapshots of (expected, actual) float32, CRC-16. Units inside: cm, deg,
MU, in the file's own scale; conversions live in `native_scale`. Layout checked against real logs.
"""

import binascii
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RecordError

SIGNATURE = b"VOSTL"
HEADER, METADATA = 1024, 745  # bytes
MOST_SNAPSHOTS = 60_000
ABSENT = np.float32(np.finfo(np.float32).max)  # an axis that the file has room for and the machine does not have
FIXED = struct.Struct("<16s16s3i")
TAIL = struct.Struct("<5i")
SUB_BEAM = struct.Struct("<iffi")
NAME_BYTES = {"2": 32, "3": 512, "4": 512}  # by major version
SUB_BEAM_RESERVED = 32
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'(),-./:? ")


class Axis(IntEnum):
    """Axis numbers of the header."""

    COLLIMATOR = 0
    GANTRY = 1
    Y1 = 2
    Y2 = 3
    X1 = 4
    X2 = 5
    COUCH_VRT = 6
    COUCH_LNG = 7
    COUCH_LAT = 8
    COUCH_RTN = 9
    COUCH_PITCH = 10
    COUCH_ROLL = 11
    MU = 40
    BEAM_HOLD = 41
    CONTROL_POINT = 42
    MLC = 50


@dataclass(frozen=True, slots=True)
class SubBeam:
    """One field of an auto-sequence; a single field is one sub-beam."""

    control_point: int
    mu: float
    radiation_time_s: float  # the field is terminated after this; 0 = no timer
    sequence: int
    name: str
    name_bytes: bytes = b""  # as read: name and reserved bytes, which may hold leftovers


@dataclass(frozen=True, slots=True)
class Metadata:
    """Text block of version 4.0 on. The patient's name is left out on purpose."""

    patient_id: str
    plan_name: str
    plan_uid: str
    original_mu: float
    remaining_mu: float
    energy: str
    beam_name: str


LABELS = ("Patient ID", "Plan Name", "Plan UID", "Original MU", "Remaining MU", "Energy", "BeamName")


@dataclass(frozen=True, slots=True, eq=False)
class TrajectoryLog:
    """One log file as values."""

    version: str
    interval_ms: int
    axes: tuple[int, ...]  # see Axis
    samples: tuple[int, ...]  # per axis: 1, for the MLC 2 carriages + leaves
    sub_beams: tuple[SubBeam, ...]
    expected: NDArray[np.float32]  # (n, sum of samples) cm, deg, MU
    actual: NDArray[np.float32]  # same
    mlc_model: int = 0
    scale: int = 1  # 1 machine, 2 modified IEC 61217
    truncated: bool = False
    metadata: Metadata | None = None
    reserved: bytes = field(default=b"")  # rest of the header, as read

    def columns(self, axis: int) -> slice:
        """Where the samples of this axis are; RecordError when the log does not have it."""
        if axis not in self.axes:
            raise RecordError(f"trajectory log: no axis {axis}; there are {', '.join(map(str, self.axes))}")
        at = self.axes.index(axis)
        first = sum(self.samples[:at])
        return slice(first, first + self.samples[at])


def write_log(log: TrajectoryLog) -> bytes:
    """The file's bytes."""
    body = np.stack([log.expected, log.actual], axis=2).astype("<f4")
    data = _header(log) + b"".join(_sub_beam(log, sub_beam) for sub_beam in log.sub_beams) + body.tobytes()
    return data + struct.pack("<H", crc(data))


def crc(data: bytes) -> int:
    """CRC-16 CCITT, polynomial 0x1021, seed 0xFFFF, not reflected."""
    return binascii.crc_hqx(data, 0xFFFF)


def _header(log: TrajectoryLog) -> bytes:
    n = len(log.axes)
    data = FIXED.pack(SIGNATURE, log.version.encode(), HEADER, log.interval_ms, n)
    data += struct.pack(f"<{2 * n}i", *log.axes, *log.samples)
    data += TAIL.pack(log.scale, len(log.sub_beams), int(log.truncated), len(log.expected), log.mlc_model)
    data += _metadata(log.metadata) if log.version >= "4" else b""
    return data + log.reserved.ljust(HEADER - len(data), b"\0")


def _metadata(metadata: Metadata | None) -> bytes:
    if metadata is None:
        raise RecordError("trajectory log: version 4.0 needs metadata")
    m = metadata
    values = (
        m.patient_id,
        m.plan_name,
        m.plan_uid,
        f"{m.original_mu:.6g}",
        f"{m.remaining_mu:.6g}",
        m.energy,
        m.beam_name,
    )
    text = "".join(f"{label}:\t{value}\r\n" for label, value in zip(LABELS, values, strict=True)).encode()
    if len(text) > METADATA:
        raise RecordError(f"trajectory log: metadata of {len(text)} bytes > {METADATA}; shorten the plan or beam name")
    return text.ljust(METADATA, b"\0")


def _sub_beam(log: TrajectoryLog, s: SubBeam) -> bytes:
    size = NAME_BYTES[log.version[0]] + SUB_BEAM_RESERVED
    name = s.name_bytes or to_utf7(s.name).encode()[: size - SUB_BEAM_RESERVED - 1]
    return SUB_BEAM.pack(s.control_point, s.mu, s.radiation_time_s, s.sequence) + name.ljust(size, b"\0")


def to_utf7(name: str) -> str:
    """Names as the console writes them: anything but letters, digits and '(),-./:? is shifted, so _ is +AF8-."""
    return "".join(c if c in PLAIN else _shifted(c) for c in name)


def _shifted(character: str) -> str:
    return f"+{binascii.b2a_base64(character.encode('utf-16-be'), newline=False).decode().rstrip('=')}-"


def from_utf7(data: bytes) -> str:
    """A name as a person would write it; bytes that are not UTF-7 are read one character each."""
    try:
        return data.decode("utf-7")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_log(data: bytes, name: str = "trajectory log") -> TrajectoryLog:
    """RecordError when it is not a log, is cut short, or its CRC does not fit."""
    if not data.startswith(SIGNATURE) or len(data) < HEADER + 2:
        raise RecordError(f"{name}: not a trajectory log: no {SIGNATURE.decode()} header of {HEADER} bytes")
    stored, computed = struct.unpack("<H", data[-2:])[0], crc(data[:-2])
    if stored != computed:
        raise RecordError(f"{name}: damaged: CRC {stored:04x}, computed {computed:04x}")
    try:
        return _parse(data, name)
    except (struct.error, ValueError, KeyError, IndexError) as e:
        raise RecordError(f"{name}: damaged: {e}") from None


def _parse(data: bytes, name: str) -> TrajectoryLog:
    _, text, _, interval, n = FIXED.unpack_from(data)
    version = text.rstrip(b"\0").decode("ascii")
    if version[:1] not in NAME_BYTES:
        raise RecordError(f"{name}: version {version}; versions 2.x, 3.0 and 4.0 are read")
    codes = struct.unpack_from(f"<{2 * n}i", data, FIXED.size)
    scale, beams, truncated, snapshots, model = TAIL.unpack_from(data, FIXED.size + 8 * n)
    at = FIXED.size + 8 * n + TAIL.size
    metadata, at = (_read_metadata(data[at : at + METADATA]), at + METADATA) if version >= "4" else (None, at)
    size = SUB_BEAM.size + NAME_BYTES[version[0]] + SUB_BEAM_RESERVED
    sub_beams = tuple(_read_sub_beam(data[HEADER + i * size : HEADER + (i + 1) * size]) for i in range(beams))
    body = _read_body(data, HEADER + beams * size, (snapshots, sum(codes[n:]), 2), name)
    return TrajectoryLog(
        version,
        interval,
        codes[:n],
        codes[n:],
        sub_beams,
        body[:, :, 0],
        body[:, :, 1],
        model,
        scale,
        bool(truncated),
        metadata,
        data[at:HEADER],
    )


def _read_body(data: bytes, first: int, shape: tuple[int, int, int], name: str) -> NDArray[Any]:
    wanted = first + 4 * shape[0] * shape[1] * shape[2] + 2
    if len(data) != wanted:
        raise RecordError(f"{name}: {len(data)} bytes, the header promises {wanted}")
    return np.frombuffer(data[first:-2], "<f4").reshape(shape)


def _read_sub_beam(data: bytes) -> SubBeam:
    rest = data[SUB_BEAM.size :]
    name = rest[:-SUB_BEAM_RESERVED].partition(b"\0")[0]
    point, mu, seconds, sequence = SUB_BEAM.unpack_from(data)
    return SubBeam(point, mu, seconds, sequence, from_utf7(name), rest)


def _read_metadata(data: bytes) -> Metadata:
    lines = dict(line.split(":\t", 1) for line in data.rstrip(b"\0").decode().split("\r\n") if ":\t" in line)
    patient, plan, uid, original, remaining, energy, beam = (lines[label] for label in LABELS)
    return Metadata(patient, plan, uid, float(original), float(remaining), energy, beam)
