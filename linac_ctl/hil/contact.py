"""The first words with a device. If there is none, or it speaks something else, one error says what came instead."""

from device_models.interface.wire.framing import REQUEST, make
from linac_ctl.errors import LinkError

from .client import Client, NoAnswerError, Reply

VERSION = "1"
TRIES = 3
SHOWN = 24  # bytes
LEAST_TEXT = 0.8  # of the bytes are printable: text of something else, not a wrong rate


def hello(client: Client, port: str) -> Reply:
    """The reply to `HI`; LinkError if there is none, DeviceError-like words if it is another version."""
    client.say(b"\r\n")  # ends whatever somebody left half typed
    try:
        reply = client.ask("HI", repeats=TRIES)
    except NoAnswerError:
        raise LinkError(f"{port}: {nobody(client)}") from None
    if not reply.ok or reply.keys().get("proto") != VERSION:
        said = reply.keys().get("proto", "none") if reply.ok else reply.text
        raise LinkError(f"{port}: speaks protocol version {said}; known here is {VERSION}: update one of the two")
    return reply


def nobody(client: Client) -> str:
    """What the silence, or the noise, looks like."""
    came = b"".join(piece.data for piece in client.traffic if not piece.sent)
    asked = make(REQUEST, client.sequence, "HI")
    waited = f"{(TRIES + 1) * client.wait_ms:g} ms"
    if not client.stream.up:
        return f"{client.stream.why}; nothing answered before"
    if not came:
        return f"nothing came within {waited}; is the device on, are both wires crossed, is it the right port?"
    if asked.rstrip() in came:
        return "only our own words came back: a loop-back plug, a modem, or a terminal with echo (stty raw -echo)"
    shown = f"{came[:SHOWN]!r}{' and more' if len(came) > SHOWN else ''}"
    if sum(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in came) >= LEAST_TEXT * len(came):
        return f"something else speaks here: {shown}; it is not this protocol, or its lines are damaged"
    return f"{len(came)} bytes came but no line: {shown}; the baud rate is probably another one"
