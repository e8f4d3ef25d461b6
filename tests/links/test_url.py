"""URLs of links: each kind, and one clear error for everything else."""

import pytest

from linac_ctl.errors import LinkUrlError, UsageError
from linac_ctl.links.url import EXAMPLES, LinkUrl, parse_link, parse_url, refuse_shared

SUBSYSTEMS = ("gantry", "couch", "mlc")


@pytest.mark.parametrize("text, fields", [
    ("sim:", {"scheme": "sim"}),
    ("loopback:", {"scheme": "loopback"}),
    ("pty:", {"scheme": "pty"}),
    ("serial:///dev/ttyUSB0", {"scheme": "serial", "path": "/dev/ttyUSB0", "baud": 115200}),
    ("serial:/dev/ttyUSB0?baud=921600", {"scheme": "serial", "path": "/dev/ttyUSB0", "baud": 921600}),
    ("serial:///dev/a%20b?dtr=off&rts=on", {"scheme": "serial", "path": "/dev/a b", "baud": 115200, "dtr": False, "rts": True}),
    ("tcp://bench-7:4001", {"scheme": "tcp", "host": "bench-7", "port": 4001}),
    ("tcp://[::1]:4001/", {"scheme": "tcp", "host": "::1", "port": 4001}),
    ("RFC2217://bench:4001?baud=57600", {"scheme": "rfc2217", "host": "bench", "port": 4001, "baud": 57600}),
])
def test_each_kind_is_understood(text, fields):
    assert parse_url(text) == LinkUrl(text, **fields)
    assert str(parse_url(text)) == text


@pytest.mark.parametrize("text, words", [
    ("", "known are sim:, loopback:"),
    ("serial:///dev/tty USB0", "has a space"),
    ("tcp://h\u00f6st:1", "not ASCII"),
    ("seriel:///dev/ttyUSB0", "unknown kind 'seriel'; did you mean 'serial'?"),
    ("rfc2271://h:1", "did you mean 'rfc2217'?"),
    ("mqtt://h:1", "unknown kind 'mqtt'; known are"),
    ("/dev/ttyUSB0", "did you mean 'serial:///dev/ttyUSB0'?"),
    ("bench:4001", "did you mean 'tcp://bench:4001'?"),
    ("COM3", "says no kind before a colon"),
    ("serial://dev/ttyUSB0", "three slashes; did you mean 'serial:///dev/ttyUSB0'?"),
    ("serial://ports/couch", "begins at the root; in a shell: serial://$PWD/ports/couch"),
    ("serial://./ports/couch", "begins at the root; in a shell: serial://$PWD/./ports/couch"),
    ("serial:", "names no device node"),
    ("serial:///", "names no device node"),
    ("serial:///dev/ttyUSB0?baut=9600", "unknown parameter 'baut'; did you mean 'baud'?; known are baud, dtr, rts"),
    ("serial:///dev/ttyUSB0?baud=fast", "baud is 'fast', not a whole number from 50"),
    ("serial:///dev/ttyUSB0?baud=0", "not a whole number from 50"),
    ("serial:///dev/ttyUSB0?baud=%2b9600", "not a whole number"),
    ("serial:///dev/ttyUSB0?baud=99999999", "to 20000000"),
    ("serial:///dev/ttyUSB0?baud=", "baud is ''"),
    ("serial:///dev/ttyUSB0?baud=9600&baud=9600", "'baud' is given twice"),
    ("serial:///dev/ttyUSB0?dtr=1", "dtr is '1'; it is on or off"),
    ("serial:///dev/ttyUSB0#x", "'#' and user names"),
    ("tcp://me@h:1", "'#' and user names"),
    ("tcp://h", "needs a host and a port"),
    ("tcp://:4001", "needs a host and a port"),
    ("tcp://h:0", "needs a host and a port"),
    ("tcp://h:70000", "no number from 1 to 65535"),
    ("tcp://h:x", "no number from 1 to 65535"),
    ("tcp://h:1/path", "nothing follows host and port"),
    ("tcp://h:1?baud=9600", "unknown parameter 'baud'; known are lockstep"),
    ("tcp://h:1?lockstep=maybe", "lockstep is 'maybe'; it is on or off"),
    ("tcp://[::1", "invalid ipv6"),
    ("sim:couch", "nothing follows `sim:`"),
    ("loopback:?x=1", "`loopback` has none"),
    ("pty:///tmp/linac/couch", "that somebody serves is 'serial:///tmp/linac/couch'"),
])
def test_what_is_not_understood_is_refused_with_what_was_probably_meant(text, words):
    with pytest.raises(LinkUrlError) as caught:
        parse_url(text)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert isinstance(caught.value, UsageError) and caught.value.exit_code == 2


@pytest.mark.parametrize("scheme", EXAMPLES)
def test_the_examples_are_right(scheme):
    assert parse_url(EXAMPLES[scheme]).scheme == scheme
    assert parse_url(EXAMPLES[scheme]).outside == (scheme in ("serial", "tcp", "rfc2217"))


def test_a_link_names_its_device():
    assert parse_link("couch=tcp://h:1?", SUBSYSTEMS) == ("couch", LinkUrl("tcp://h:1?", "tcp", host="h", port=1))


@pytest.mark.parametrize("text, words", [
    ("serial:///dev/ttyUSB0", "like couch=serial:///dev/ttyUSB0"),
    ("serial:///dev/ttyUSB0?baud=9600", "say which device"),
    ("", "say which device"),
    ("couhc=sim:", "no device 'couhc'; did you mean 'couch'?; there are gantry, couch, mlc"),
    ("couch=", "empty"),
])
def test_a_link_without_a_device_is_refused(text, words):
    with pytest.raises(LinkUrlError) as caught:
        parse_link(text, SUBSYSTEMS)
    assert words in str(caught.value)


@pytest.mark.parametrize("one, other, same", [
    ("serial:///dev/ttyUSB0", "serial:///dev/ttyUSB1", False),
    ("serial:///dev/ttyUSB0", "serial:///dev/serial/by-id/ftdi?baud=9600", True),
    ("tcp://localhost:1", "rfc2217://127.0.0.1:1", True),
    ("tcp://localhost:1", "tcp://localhost:2", False),
    ("tcp://Bench:1", "tcp://bench:1", True),
    ("pty:", "pty:", False),
    ("sim:", "sim:", False),
])
def test_two_devices_on_one_line_are_refused(one, other, same):
    links = {"gantry": parse_url(one), "couch": parse_url(other)}
    follow = {"/dev/serial/by-id/ftdi": "/dev/ttyUSB0"}
    if not same:
        return refuse_shared(links, lambda path: follow.get(path, path))
    with pytest.raises(LinkUrlError, match=r"link of couch is .*: that line is gantry's already .* a line of its own"):
        refuse_shared(links, lambda path: follow.get(path, path))
