"""What telemetry brings into the control process: no MQTT, no thread, no second event loop."""

import subprocess
import sys

from tests.system.cli import ROOT, environment

WATCHED = """
import sys, threading
from linac_ctl.telemetry.address import parse
from linac_ctl.telemetry.feed import Feed
from tests.telemetry.sessions import session
sim, feed = session(), Feed(parse("mqtt://127.0.0.1:1"))
feed.attach(sim)
sim.run()
found = [name for name in ("aiomqtt", "paho", "amqtt") if name in sys.modules]
print(found, threading.active_count(), sim.error)
feed.close("end")
"""


def test_a_session_that_is_watched_runs_without_mqtt_and_without_a_thread():
    done = subprocess.run([sys.executable, "-c", WATCHED], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120,
                          check=True)
    assert done.stdout.splitlines()[-1] == "[] 1 None"
