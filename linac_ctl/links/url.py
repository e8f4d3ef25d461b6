"""Where a subsystem is: `sim:` or a line that leads out of this process. Strict: what is not understood is refused by name."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..config.suggest import did_you_mean
from ..errors import LinkUrlError

DEFAULT_BAUD = 115200
HIGHEST_BAUD = 20_000_000
EXAMPLES = {
    "sim": "sim:",
    "loopback": "loopback:",
    "pty": "pty:",
    "serial": "serial:///dev/ttyUSB0?baud=921600",
    "tcp": "tcp://127.0.0.1:4001",
    "rfc2217": "rfc2217://127.0.0.1:4001?baud=921600",
}
MADE_BY_THE_RUN = ("sim", "loopback", "pty")  # nothing to find outside: both ends are ours
PARAMETERS: dict[str, tuple[str, ...]] = {"serial": ("baud", "dtr", "rts", "lockstep"), "tcp": ("lockstep",),
                                           "rfc2217": ("baud", "lockstep")}
SWITCH = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class LinkUrl:
    """A parsed URL; only the fields of its scheme are set."""

    text: str
    scheme: str
    path: str = ""  # serial: device node
    host: str = ""
    port: int = 0
    baud: int = 0  # 0 = no rate: not a serial line
    dtr: bool | None = None  # serial: level while we are connected; None = as the driver does it
    rts: bool | None = None
    lockstep: bool = True  # where the device offers it; False: its clock runs by itself in any case

    def __str__(self) -> str:
        return self.text

    @property
    def outside(self) -> bool:
        """Does it lead to something that is not part of the run?"""
        return self.scheme not in MADE_BY_THE_RUN


def parse_url(text: str) -> LinkUrl:
    """The URL; LinkUrlError says what is wrong with it and what was probably meant."""
    if not text or not all(33 <= ord(c) <= 126 for c in text):
        raise LinkUrlError(f"link {text!r}: empty, or has a space or a character that is not ASCII; {_known()}")
    parts = _split(text)
    if parts.scheme not in EXAMPLES:
        raise LinkUrlError(f"link {text!r}: {_not_a_scheme(text, parts.scheme)}; {_known()}")
    if parts.fragment or "@" in parts.netloc:
        raise LinkUrlError(f"link {text!r}: '#' and user names have no meaning here; like {EXAMPLES[parts.scheme]}")
    given = _parameters(text, parts)
    if parts.scheme in MADE_BY_THE_RUN:
        if text.lower() != f"{parts.scheme}:":
            raise LinkUrlError(f"link {text!r}: nothing follows `{parts.scheme}:`{_served(parts)}")
        return LinkUrl(text, parts.scheme)
    lockstep = _switch(text, given, "lockstep") is not False
    if parts.scheme == "serial":
        return LinkUrl(text, "serial", path=_path(text, parts), baud=_baud(text, given), dtr=_switch(text, given, "dtr"),
                       rts=_switch(text, given, "rts"), lockstep=lockstep)
    host, port = _address(text, parts)
    return LinkUrl(text, parts.scheme, host=host, port=port, baud=_baud(text, given) if parts.scheme == "rfc2217" else 0,
                   lockstep=lockstep)


def parse_link(text: str, subsystems: Iterable[str]) -> tuple[str, LinkUrl]:
    """`couch=serial:///dev/ttyUSB0` as (subsystem, URL)."""
    name, equals, url = text.partition("=")
    if not equals or "/" in name or ":" in name:
        raise LinkUrlError(f"link {text!r}: say which device it is for, like couch={text or EXAMPLES['serial']}")
    known = list(subsystems)
    if name not in known:
        raise LinkUrlError(f"link {text!r}: no device {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}")
    return name, parse_url(url)


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise LinkUrlError(f"link {text!r}: {str(error).lower()}; {_known()}") from None


def _not_a_scheme(text: str, scheme: str) -> str:
    if text.startswith("/dev/"):
        return f"a path alone; did you mean 'serial://{text}'?"
    if re.fullmatch(r"[\w.-]+:\d+", text, re.ASCII):
        return f"says no way to talk; did you mean 'tcp://{text}'?"
    return f"unknown kind {scheme!r}{did_you_mean(scheme, EXAMPLES)}" if scheme else "says no kind before a colon"


def _known() -> str:
    return f"known are {', '.join(EXAMPLES.values())}"


def _served(parts: SplitResult) -> str:
    place = parts.path or f"/{parts.netloc}"
    if parts.scheme == "pty" and place.startswith("/"):
        return f"; the run makes both ends itself. A pty that somebody serves is 'serial://{place}'"
    return ""


def _parameters(text: str, parts: SplitResult) -> dict[str, str]:
    known = PARAMETERS.get(parts.scheme, ())
    given: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in known:
            hint = f"known are {', '.join(known)}" if known else f"`{parts.scheme}` has none"
            raise LinkUrlError(f"link {text!r}: unknown parameter {name!r}{did_you_mean(name, known)}; {hint}")
        if name in given:
            raise LinkUrlError(f"link {text!r}: parameter {name!r} is given twice; give it once")
        given[name] = value
    return given


def _path(text: str, parts: SplitResult) -> str:
    if parts.netloc and parts.netloc != "dev":
        raise LinkUrlError(f"link {text!r}: a path begins at the root; in a shell: serial://$PWD/{parts.netloc}{parts.path}")
    if parts.netloc:
        raise LinkUrlError(f"link {text!r}: a path needs three slashes; did you mean 'serial:///{parts.netloc}{parts.path}'?")
    if not parts.path.startswith("/") or parts.path == "/":
        raise LinkUrlError(f"link {text!r}: names no device node; like {EXAMPLES['serial']}")
    return unquote(parts.path)


def _address(text: str, parts: SplitResult) -> tuple[str, int]:
    example = EXAMPLES[parts.scheme]
    if parts.path not in ("", "/"):
        raise LinkUrlError(f"link {text!r}: nothing follows host and port; like {example}")
    try:
        port = parts.port
    except ValueError:
        raise LinkUrlError(f"link {text!r}: the port is no number from 1 to 65535; like {example}") from None
    if not parts.hostname or not port:
        raise LinkUrlError(f"link {text!r}: needs a host and a port; like {example}")
    return parts.hostname, port


def _baud(text: str, given: dict[str, str]) -> int:
    value = given.get("baud", str(DEFAULT_BAUD))
    if not re.fullmatch(r"[0-9]{2,8}", value, re.ASCII) or not 50 <= int(value) <= HIGHEST_BAUD:
        raise LinkUrlError(f"link {text!r}: baud is {value!r}, not a whole number from 50 to {HIGHEST_BAUD}; like baud=115200")
    return int(value)


def _switch(text: str, given: dict[str, str], name: str) -> bool | None:
    if name not in given:
        return None
    if given[name] not in SWITCH:
        raise LinkUrlError(f"link {text!r}: {name} is {given[name]!r}; it is on or off")
    return SWITCH[given[name]]


def refuse_shared(links: dict[str, LinkUrl], real_path: Callable[[str], str]) -> None:
    """LinkUrlError if two subsystems are on one line. `real_path` follows links: /dev/serial/by-id leads to /dev/ttyUSB0."""
    taken: dict[tuple[str, int], str] = {}
    for name, url in links.items():
        if not url.outside:
            continue
        place = (real_path(url.path), 0) if url.scheme == "serial" else (_same_host(url.host), url.port)
        if (other := taken.setdefault(place, name)) != name:
            raise LinkUrlError(f"link of {name} is {url}: that line is {other}'s already ({links[other]}); "
                               "every device needs a line of its own")


def _same_host(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "::1") else host
