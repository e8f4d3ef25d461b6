"""How both our ends talk to a broker: one set of options, and errors in words. Imports aiomqtt: never in the control process."""

import logging
import socket
import ssl
from typing import Any

import aiomqtt

from .address import Address, BrokerError

KEEPALIVE_S = 5
CONNECT_S = 3.0  # and for every answer that a broker owes
NO_DELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]  # otherwise small messages wait up to 40 ms for an acknowledgement
ADVICE = (
    ("refused", "nothing listens there: start a broker, or `linac-ctl serve --mqtt`"),
    ("not authori", "user or password is wrong, or may not use these topics: see LINAC_CTL_MQTT_USER and _PASSWORD"),
    ("bad user", "user or password is wrong: see LINAC_CTL_MQTT_USER and _PASSWORD"),
    ("self-signed", "give the file of the authority that signed it: mqtts://...?ca=FILE"),
    ("certificate", "give the file of the authority that signed it (mqtts://...?ca=FILE), and the host name that stands in it"),
    ("wrong_version", "it does not speak TLS at this port: mqtt:// instead of mqtts://, or another port"),
    ("ssl", "TLS failed: is it the port for TLS (usually 8883)?"),
    ("reset by peer", "it breaks the connection off: is it a broker, and does this port speak TLS (mqtts://) or not (mqtt://)?"),
    ("name or service", "no such host: check the name"),
    ("timed out", "it takes the connection but does not answer as a broker does: is it stopped, or a port for TLS (mqtts://)?"),
)


class Silent(logging.Handler):
    """paho writes warnings for every hiccup; ours are said once, in words."""

    def emit(self, record: logging.LogRecord) -> None:
        """Nothing."""


def new_client(address: Address, identifier: str, **more: Any) -> aiomqtt.Client:
    """Not yet connected. BrokerError if the files for TLS are no good."""
    logger = logging.getLogger("linac_ctl.mqtt")
    if not logger.handlers:
        logger.addHandler(Silent())
        logger.propagate = False
    return aiomqtt.Client(
        address.host, address.port, username=address.user, password=address.password, identifier=identifier,
        tls_context=tls_context(address), keepalive=KEEPALIVE_S, timeout=CONNECT_S, socket_options=NO_DELAY, logger=logger, **more)


def tls_context(address: Address) -> ssl.SSLContext | None:
    """Certificates are always checked, against `ca` or what this computer trusts."""
    if not address.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca)
        if address.cert:
            context.load_cert_chain(address.cert, address.key)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"MQTT {address.text}: ca, cert or key is no good: {error}; give PEM files that fit together") from None
    return context


def explain(address: Address, error: BaseException) -> str:
    """Who, what, and what to do."""
    if isinstance(error, BrokerError):
        return str(error)
    said = str(error) or type(error).__name__
    text = said.lower()
    advice = next((advice for sign, advice in ADVICE if sign in text), "look at the broker's own log")
    return f"MQTT {address.text}: {said}; {advice}"
