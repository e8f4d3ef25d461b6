"""Where a broker is, from a URL and the environment. Whatever is wrong with it is said before anything starts."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ..errors import LinacError, UsageError

PORTS = {"mqtt": 1883, "mqtts": 8883}
EMBEDDED = "embedded"
DEFAULT = "mqtt://127.0.0.1:1883"
URL_VARIABLE, USER_VARIABLE, PASSWORD_VARIABLE = "LINAC_CTL_MQTT_URL", "LINAC_CTL_MQTT_USER", "LINAC_CTL_MQTT_PASSWORD"
SETTINGS = ("ca", "cert", "key", "password_file", "hz", "name")
KNOWN = "mqtt://HOST:1883, mqtts://HOST:8883 (TLS), or embedded: (a broker of our own on this computer)"
FASTEST_HZ, SLOWEST_HZ, USUAL_HZ = 20.0, 0.1, 10.0


class BrokerError(LinacError):
    """A broker that does not answer, or does not let us in; or a machine that is not there."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Address:
    """All that a client needs. The password never goes into a record, a message or another process's command line."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None  # files, PEM
    cert: str | None = None
    key: str | None = None
    hz: float = USUAL_HZ
    name: str = ""  # of the machine in topics; empty = that of the machine file
    embedded: bool = False

    @property
    def text(self) -> str:
        """For people; without the password."""
        scheme = "mqtts" if self.tls else "mqtt"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def parse(url: str, environment: Mapping[str, str] = os.environ) -> Address:
    """UsageError unless every part of it is known and fits."""
    parts, url = split(url), shown(url)
    settings = settings_of(url, parts.query)
    rate = hz(url, settings.get("hz"))
    name = settings.get("name", "")
    if parts.scheme == EMBEDDED:
        return Address("127.0.0.1", embedded_port(url, parts), hz=rate, name=name, embedded=True)
    if parts.scheme not in PORTS:
        raise UsageError(f"MQTT {url!r}: no scheme {parts.scheme!r}; give {KNOWN}")
    return Address(
        host_of(url, parts), port_of(url, parts) or PORTS[parts.scheme], parts.scheme == "mqtts",
        user_of(parts, environment), password_of(url, parts, settings, environment), hz=rate, name=name,
        ca=file_of(url, "ca", settings.get("ca")), cert=file_of(url, "cert", settings.get("cert")),
        key=file_of(url, "key", settings.get("key")))


def shown(url: str) -> str:
    """For people: without the password."""
    return re.sub(r"(//[^/:@]*:).*@", r"\1***@", url)


def split(url: str) -> SplitResult:
    """Apart; UsageError if it is no URL at all."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(f"MQTT {shown(url)!r}: {error}; give {KNOWN}") from None
    url = shown(url)
    if not parts.scheme or (parts.scheme not in (*PORTS, EMBEDDED) and not parts.netloc):
        raise UsageError(f"MQTT {url!r}: not a URL; give {KNOWN}")
    if parts.path.strip("/") and parts.scheme != EMBEDDED:
        raise UsageError(f"MQTT {url!r}: what follows the host says nothing; topics follow from the machine's name (?name=...)")
    return parts


def host_of(url: str, parts: SplitResult) -> str:
    """UsageError without one."""
    if not parts.hostname:
        raise UsageError(f"MQTT {url!r}: names no host; give {KNOWN}")
    return parts.hostname


def port_of(url: str, parts: SplitResult) -> int | None:
    """None when there is none."""
    try:
        return parts.port
    except ValueError:
        raise UsageError(f"MQTT {url!r}: a port is a number from 1 to 65535") from None


def embedded_port(url: str, parts: SplitResult) -> int:
    """`embedded:` takes 1883 if it is free, else any; `embedded:2000` that one; `embedded:0` any. -1 = first of these."""
    text = parts.path or parts.netloc
    if not text:
        return -1
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise UsageError(f"MQTT {url!r}: a port of this computer and nothing else, for example embedded:1883")


def settings_of(url: str, query: str) -> dict[str, str]:
    """Everything after `?`."""
    settings = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := [key for key in settings if key not in SETTINGS]:
        raise UsageError(f"MQTT {url!r}: no setting {unknown[0]!r}; there are {', '.join(SETTINGS)}")
    return settings


def hz(url: str, text: str | None) -> float:
    """Snapshots per second."""
    try:
        value = USUAL_HZ if text is None else float(text)
    except ValueError:
        value = 0.0
    if not SLOWEST_HZ <= value <= FASTEST_HZ:
        raise UsageError(f"MQTT {url!r}: hz is {text}, and may be {SLOWEST_HZ:g} to {FASTEST_HZ:g}")
    return value


def file_of(url: str, key: str, name: str | None) -> str | None:
    """A file that can be read."""
    if name is not None and not os.access(name, os.R_OK):
        raise UsageError(f"MQTT {url!r}: {key} {name!r} cannot be read; give a PEM file")
    return name


def user_of(parts: SplitResult, environment: Mapping[str, str]) -> str | None:
    """From the URL, else from the environment."""
    return unquote(parts.username) if parts.username else environment.get(USER_VARIABLE)


def password_of(url: str, parts: SplitResult, settings: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    """From the URL, a file, or the environment, in this order; None without."""
    if parts.password is not None:
        return unquote(parts.password)
    if name := file_of(url, "password_file", settings.get("password_file")):
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    return environment.get(PASSWORD_VARIABLE)


def default_url(environment: Mapping[str, str] = os.environ) -> str:
    """Where to look when nobody says."""
    return environment.get(URL_VARIABLE) or DEFAULT
