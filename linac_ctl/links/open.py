"""Opens the controller's end of a line. Whatever goes wrong is one LinkError: who, what, and what to do about it."""

import errno
import socket

from device_models.interface.stream import FdStream, Stream
from device_models.interface.stream.rfc2217 import NegotiationError, Rfc2217Client
from device_models.interface.stream.tcp import connect

from ..errors import LinkError
from .serial_port import open_serial
from .url import LinkUrl


def open_link(url: LinkUrl, timeout_s: float = 3.0) -> Stream:
    """The stream; waits at most about `timeout_s` for a peer that is slow to answer."""
    if url.scheme == "serial":
        return open_serial(url)
    if url.scheme == "tcp":
        return _tcp(url, timeout_s)
    if url.scheme == "rfc2217":
        return _rfc2217(url, timeout_s)
    raise LinkError(f"{url}: both ends are made by the run itself, there is nothing outside to open")


def _tcp(url: LinkUrl, timeout_s: float) -> FdStream:
    try:
        return connect(url.host, url.port, timeout_s)
    except socket.gaierror as error:
        raise LinkError(f"{url}: no computer of the name {url.host!r} is known ({error.strerror}); look at the name") from None
    except ConnectionRefusedError:
        raise LinkError(f"{url}: nobody listens at port {url.port}; start the device's side first, or look at the number") from None
    except TimeoutError:
        raise LinkError(f"{url}: no answer within {timeout_s:g} s; is {url.host} on, and no firewall between?") from None
    except OSError as error:
        words = f"{error.strerror or error}, {errno.errorcode.get(error.errno or 0, '')}"
        raise LinkError(f"{url}: cannot be reached ({words}); look at the address and the network") from None


def _rfc2217(url: LinkUrl, timeout_s: float) -> Rfc2217Client:
    raw = _tcp(url, timeout_s)
    client = Rfc2217Client(raw)
    try:
        client.set_up(url.baud, timeout_s)
    except NegotiationError as error:
        client.close()
        raise LinkError(f"{url}: {error}") from None
    return client
