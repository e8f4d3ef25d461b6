"""The far end of a line as a test wants it: answers what it is told to, in bytes."""

from collections.abc import Callable

from device_models.interface.stream.loopback import MemoryStream, loopback_pair
from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.framing import DEVICE_HEARS, EVENT, REPLY, Decoder, Line, make
from linac_ctl.links.identity import Identity
from linac_ctl.links.port import LinkPort

HELLO = "proto=1 unit=couch axes=6 fw=test-1 serial=7 session=ABCD1234 caps=tm,ls maxline=160 baud=0"
COUCH = ((-260, 260, "um"), (-1610, 1610, "um"), (-510, 510, "um"), (-100, 100, "mdeg"), (-4, 4, "mdeg"), (-4, 4, "mdeg"))
AXES = [f"axis={i} name=a{i} unit={unit} low={low * 1000} high={high * 1000} vmax=1000 amax=1000"
        for i, (low, high, unit) in enumerate(COUCH)]
STANDING = "2 3 0 0 0 0 0 0 0 0 0 0 0 0"


class Far:
    """`answers`: verb -> body after `OK t`, or None for silence; ER is for those that begin with `ER`."""

    def __init__(self, stream: MemoryStream, **answers: str | None) -> None:
        self.stream, self.heard, self.t_ms = stream, [], 0
        self.heard: list[Line] = []
        self.decoder = Decoder(hears=DEVICE_HEARS)
        self.answers: dict[str, str | None] = {"HI": HELLO, "DD": str(len(AXES)), "SV": STANDING} | answers
        self.items = list(AXES)
        self.spoil: Callable[[bytes], bytes] = lambda line: line
        stream.attach(None, self.hear, lambda why: None)

    def hear(self, data: bytes) -> None:
        for line in self.decoder.feed(data):
            self.heard.append(line)
            answer = self.answers.get(line.verb, "1 3")
            if line.verb == "DD" and line.args:
                answer = self.items[int(line.args[0])]
            if answer is not None:
                body = f"ER {self.t_ms} {answer[3:]}" if answer.startswith("ER ") else f"OK {self.t_ms} {answer}"
                self.stream.write(self.spoil(make(REPLY, line.sequence, body)))

    def event(self, text: str) -> None:
        self.stream.write(make(EVENT, 0, f"EV {self.t_ms} {text}"))

    @property
    def verbs(self) -> list[str]:
        return [line.verb for line in self.heard]


def pair(**answers: str | None) -> tuple[MemoryStream, Far]:
    ours, theirs = loopback_pair("couch")
    return ours, Far(theirs, **answers)


def port(lockstep: bool = True, unit: str = "couch", now_ns: Callable[[], int] = lambda: 1,
         **answers: str | None) -> tuple[LinkPort, Far]:
    """A port that has met its device."""
    ours, far = pair(**answers)
    who = Identity("test-1", "7", "ABCD1234", frozenset(("ls", "ar")), 160)
    return LinkPort(UNITS[unit], ours, who, Decoder(), 10, lockstep=lockstep, now_ns=now_ns), far
