"""What holds for a receiver whatever it hears; used by the property tests and by tools/fuzz_wire.py.

The referee here shares nothing with the receiver: an own splitter, an own CRC, an own grammar, character by character.
"""

from device_models.interface.wire.framing import DEVICE_HEARS, HOST_HEARS, Decoder, Line

STARTS, ENDS = frozenset(b"><~!"), frozenset(b"\r\n")
UPPER_HEX = frozenset(b"0123456789ABCDEF")
UPPER = frozenset(range(ord("A"), ord("Z") + 1))
WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:/+-")
MAXLINE = 160


def crc(data: bytes) -> bytes:
    """CRC-16/CCITT-FALSE bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return f"{value:04X}".encode()


def is_argument(text: bytes) -> bool:
    """A word, or a key with a word or block."""
    key, equals, value = text.partition(b"=")
    return bool(key) and set(key) <= WORD and (not equals or set(value) <= WORD | {ord("=")})


def is_line(text: bytes, starts: bytes) -> bool:
    """As the page says, read from left to right."""
    head, star, check = text.rpartition(b"*")
    if not star or len(text) > MAXLINE or head[:1] not in {bytes((start,)) for start in starts} or check != crc(head):
        return False
    first, *words = head[1:].split(b" ")
    verb = words.pop(0) if words else b""
    if len(first) != 2 or not set(first) <= UPPER_HEX or len(verb) != 2 or not set(verb) <= UPPER:
        return False
    return all(map(is_argument, words))


def pieces(data: bytes, starts: bytes) -> list[bytes]:
    """Ended at line ends, begun anew at start characters; without what is empty or not ended."""
    found, piece = [], bytearray()
    for byte in data:
        if byte in ENDS:
            found.append(bytes(piece))
            piece.clear()
        elif byte in starts and piece:
            found.append(bytes(piece) + b"\x00")  # cut off: no longer a line, whatever it was
            piece[:] = bytes((byte,))
        else:
            piece.append(byte)
    return [one for one in found if one]


def cuts(data: bytes, step: int) -> list[bytes]:
    """In pieces of `step` bytes."""
    return [data[at : at + step] for at in range(0, len(data), step)]


def broken(data: bytes) -> str:
    """"" or the claim that does not hold. First byte: how the rest is cut; second: bit 0 terminal mode, bit 1 a host listens."""
    if len(data) < 2:
        return ""
    step, kind, rest = data[0] or 1, data[1], data[2:].replace(b"\x18", b"")
    starts = HOST_HEARS if kind & 2 else DEVICE_HEARS
    decoder = Decoder(hears=starts, plain=bool(kind & 1))
    lines: list[Line] = []
    for piece in cuts(rest, step):
        lines += decoder.feed(piece)
        if len(decoder._held) > MAXLINE + 1:
            return f"keeps {len(decoder._held)} bytes of an unfinished line"
    return wrong(lines, decoder, pieces(rest, starts), starts)


def wrong(lines: list[Line], decoder: Decoder, expected: list[bytes], starts: bytes) -> str:
    """Compare what came through with what the referee says."""
    good = [piece for piece in expected if is_line(piece, starts)]
    taken = [line.raw for line in lines if not line.plain]
    if taken != good:
        return f"took {taken} instead of {good}"
    if len(lines) != decoder.counts.good:
        return f"counted {decoder.counts.good} good lines of {len(lines)}"
    if decoder.counts.good + decoder.counts.invalid != len(expected):
        return f"counted {decoder.counts.good} good and {decoder.counts.invalid} invalid of {len(expected)} pieces"
    return next((f"line {line} is not its own bytes" for line in lines if not line.plain and not same(line)), "")


def same(line: Line) -> bool:
    """Put together again it is what came."""
    text = b"%c%02X %s" % (line.start, line.sequence, " ".join((line.verb, *line.args)).encode())
    return text + b"*" + crc(text) == line.raw
