"""Coverage-guided fuzzing of the receiver of wire lines: no crash, no corrupt line taken, counters that add up, bounded memory.

    python tools/fuzz_wire.py --seconds 3600 --corpus build/wire-corpus            own loop, nothing to install
    python tools/fuzz_wire.py --seconds 3600 --corpus build/wire-corpus --atheris  with atheris, from an environment that has it
    python tools/fuzz_wire.py --keep tests/wire/corpus --corpus build/wire-corpus  the smallest inputs that reach everything

Inputs that break a claim are written to `crash-*` beside the corpus and the exit code is 1. What is claimed stands in
tests/wire/claims.py, which the tests use too.
"""

import argparse
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

LARGEST, KEPT_LARGEST = 4096, 400  # bytes of an input, and of one that is kept in the repository
STACK = 6  # changes in a row at most
Edge = tuple[str, int, int, int]  # function, line before, line, how often (its bits)


def main() -> int:
    """-> 1 if an input broke a claim."""
    options = arguments()
    options.corpus.mkdir(parents=True, exist_ok=True)
    if options.keep:
        keep(options.corpus, options.keep)
        return 0
    return with_atheris(options) if options.atheris else own_loop(options)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of inputs; new ones are added")
    parser.add_argument("--keep", type=Path, help="only choose inputs for this folder")
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def seeds(folder: Path) -> list[bytes]:
    """What is there, the kept corpus, and the published vectors."""
    from linac_ctl.hil.vectors import vectors

    kept = [path.read_bytes() for place in (ROOT / "tests/wire/corpus", folder) for path in sorted(place.glob("*.bin"))]
    return [bytes((255, one.section == "typed")) + one.data for one in vectors()] + kept


def own_loop(options: argparse.Namespace) -> int:
    """Mutate what found something new, keep what finds something new."""
    from tests.wire.claims import broken

    random, begin, runs, seen = Random(options.seed), time.monotonic(), 0, set[Edge]()
    pool = [data for data in seeds(options.corpus) if new(data, seen, broken)]
    while time.monotonic() - begin < options.seconds:
        data = changed(random.choice(pool), pool, random)
        runs += 1
        if (problem := new(data, seen, broken)) is False:
            continue
        pool.append(data)
        save(options.corpus, "", data)
        if isinstance(problem, str):
            save(options.corpus, "crash-", data)
            sys.stderr.write(f"{problem}: {data!r}\n")
            return 1
    took_s = time.monotonic() - begin
    sys.stdout.write(f"{runs} inputs in {took_s:.0f} s, {len(seen)} edges, {len(pool)} inputs in the pool, nothing broken\n")
    return 0


def new(data: bytes, seen: set[Edge], broken: Callable[[bytes], str]) -> bool | str:
    """The broken claim in words, or whether it went where none went before."""
    problem, edges = traced(data, broken)
    fresh = bool(edges - seen)
    seen |= edges
    return problem or fresh


def traced(data: bytes, broken: Callable[[bytes], str]) -> tuple[str, frozenset[Edge]]:
    """Every step from line to line inside the wire package, with how often it was made: 1, 2, 4, 8 ..."""
    steps: Counter[tuple[str, int, int]] = Counter()

    def global_trace(frame: FrameType, event: str, arg: Any) -> Any:
        if "interface/wire" not in frame.f_code.co_filename:
            return None
        name, last = frame.f_code.co_qualname, [0]

        def local_trace(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "line":
                steps[name, last[0], frame.f_lineno] += 1
                last[0] = frame.f_lineno
            return local_trace

        return local_trace

    before = sys.gettrace()
    sys.settrace(global_trace)
    try:
        problem = broken(data)
    except Exception as error:  # any exception is a finding
        problem = f"{type(error).__name__}: {error}"
    finally:
        sys.settrace(before)
    return problem, frozenset((*step, count.bit_length()) for step, count in steps.items())


def changed(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """A few changes in a row."""
    for _ in range(random.randint(1, STACK)):
        data = random.choice(CHANGES)(data, pool, random)
    return data[:LARGEST]


def flip(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """One bit."""
    at = random.randrange(len(data)) if data else 0
    return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :] if data else b">"


def insert(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """A piece that means something."""
    at = random.randint(0, len(data))
    return data[:at] + random.choice(WORDS) + data[at:]


def cut(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """Some bytes less."""
    at = random.randint(0, len(data))
    return data[:at] + data[at + random.randint(1, 16) :]


def splice(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """The beginning of one and the end of another."""
    other = random.choice(pool)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def repeat(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """A stretch many times."""
    at = random.randint(0, len(data))
    end = random.randint(at, min(len(data), at + 40))
    return data[:at] + data[at:end] * random.randint(2, 50) + data[end:]


def right_crc(data: bytes, pool: list[bytes], random: Random) -> bytes:
    """The CRC behind some asterisk made right: random bytes alone hardly ever get there."""
    from device_models.interface.wire.framing import crc

    start, star = data.rfind(b">"), data.rfind(b"*")
    return data[: star + 1] + crc(data[start:star]) + data[star + 5 :] if 0 <= start < star else data + b">01 ST*30D7\r\n"


CHANGES = (flip, insert, cut, splice, repeat, right_crc)
WORDS = (b">", b"<", b"~", b"!", b"*", b"\r\n", b"\n", b"\r", b" ", b"01 ", b"ST", b"HI", b"nan", b"-", b"=", b"B=AAAA", b"\x18",
         b"\x00", b"\xff", b">01 ST*30D7\r\n", b">01 HI*2CC2\r\n", b"<01 OK ", b"A" * 160, b"2147483648")


def save(folder: Path, kind: str, data: bytes) -> None:
    """By the hash of its content."""
    (folder / f"{kind}{hashlib.sha1(data).hexdigest()[:16]}.bin").write_bytes(data)


def keep(corpus: Path, kept: Path) -> None:
    """From short to long, whatever reaches something that no shorter one does."""
    from tests.wire.claims import broken

    kept.mkdir(parents=True, exist_ok=True)
    seen = set[Edge]()
    inputs: Iterable[bytes] = (path.read_bytes() for path in sorted(corpus.iterdir()) if path.is_file())
    chosen = [data for data in sorted(inputs, key=len) if len(data) <= KEPT_LARGEST and new(data, seen, broken)]
    for data in chosen:
        save(kept, "", data)
    sys.stdout.write(f"{len(chosen)} inputs, {sum(map(len, chosen))} bytes, {len(seen)} edges\n")


def with_atheris(options: argparse.Namespace) -> int:
    """libFuzzer's own loop; it ends the process itself."""
    import atheris

    atheris.enabled_hooks.add("RegEx")
    with atheris.instrument_imports(include=["device_models.interface.wire", "tests.wire.claims"]):
        from tests.wire.claims import broken

    for data in seeds(options.corpus):
        save(options.corpus, "", data)

    def one(data: bytes) -> None:
        if problem := broken(data):
            raise AssertionError(problem)

    flags = [f"-max_total_time={options.seconds:.0f}", f"-max_len={LARGEST}", f"-artifact_prefix={options.corpus}/crash-",
             "-print_final_stats=1", "-timeout=20", f"-seed={options.seed}"]
    atheris.Setup([sys.argv[0], *flags, str(options.corpus)], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
