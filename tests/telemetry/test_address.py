"""URLs of brokers: what they mean, and one clear error for each that means nothing."""

import pytest

from linac_ctl.errors import UsageError
from linac_ctl.telemetry.address import Address, default_url, parse


@pytest.mark.parametrize("url, address", [
    ("mqtt://host", Address("host", 1883)),
    ("mqtt://[::1]:2000", Address("::1", 2000)),
    ("mqtts://host", Address("host", 8883, tls=True)),
    ("mqtt://anna:s%40cret@host:1884?hz=20&name=bunker%203",
     Address("host", 1884, user="anna", password="s@cret", hz=20.0, name="bunker 3")),
    ("embedded:", Address("127.0.0.1", -1, embedded=True)),
    ("embedded:0?hz=5", Address("127.0.0.1", 0, embedded=True, hz=5.0)),
    ("embedded:1884", Address("127.0.0.1", 1884, embedded=True)),
])
def test_a_url_says_where_and_how(url, address):
    assert parse(url, {}) == address


@pytest.mark.parametrize("url, says", [
    ("palliative", "not a URL; give mqtt://HOST:1883, mqtts://HOST:8883"),
    ("host:1883", "not a URL"),
    ("http://host", "no scheme 'http'; give mqtt://"),
    ("ws://host", "no scheme 'ws'"),
    ("mqtt://", "names no host"),
    ("mqtt://host:99999", "a port is a number from 1 to 65535"),
    ("mqtt://host:x", "a port is a number"),
    ("mqtt://[::1", "Invalid IPv6"),
    ("mqtt://host/linac", "topics follow from the machine's name"),
    ("mqtt://host?rate=3", "no setting 'rate'; there are ca, cert, key"),
    ("mqtt://host?hz=21", "hz is 21, and may be 0.1 to 20"),
    ("mqtt://host?hz=nan", "hz is nan"),
    ("mqtts://host?ca=/no/such/file", "ca '/no/such/file' cannot be read"),
    ("mqtt://host?password_file=/no/such/file", "password_file '/no/such/file' cannot be read"),
    ("embedded:elsewhere", "a port of this computer and nothing else"),
    ("embedded://host", "a port of this computer and nothing else"),
    ("embedded:70000", "a port of this computer"),
])
def test_what_means_nothing_is_refused_with_the_reason(url, says):
    with pytest.raises(UsageError) as refused:
        parse(url, {})
    assert says in str(refused.value)


def test_a_password_comes_from_the_url_before_a_file_before_the_environment(tmp_path):
    (tmp_path / "secret").write_text("of the file\n")
    environment = {"LINAC_CTL_MQTT_USER": "ben", "LINAC_CTL_MQTT_PASSWORD": "of the environment"}
    assert (parse("mqtt://h", environment).user, parse("mqtt://h", environment).password) == ("ben", "of the environment")
    assert parse(f"mqtt://h?password_file={tmp_path / 'secret'}", environment).password == "of the file"
    assert parse(f"mqtt://anna:of the url@h?password_file={tmp_path / 'secret'}", environment).password == "of the url"


def test_a_password_is_never_shown():
    address = parse("mqtt://anna:secret@h", {})
    assert "secret" not in address.text and "secret" not in repr(address)
    for url in ("ws://a:secret@h", "mqtt://a:secret@h:x", "mqtt://a:sec@/:secret@h/path", "mqtt://:secret@h?hz=0", "mqtt://a:secret@[h"):
        with pytest.raises(UsageError) as refused:
            parse(url, {})
        assert "secret" not in str(refused.value)


def test_where_to_look_is_this_computer_unless_the_environment_says_otherwise():
    assert default_url({}) == "mqtt://127.0.0.1:1883" and default_url({"LINAC_CTL_MQTT_URL": "mqtt://h"}) == "mqtt://h"
