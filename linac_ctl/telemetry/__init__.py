"""What a running machine tells the outside over MQTT. Out only: nothing that arrives here can reach a device.

Control process: snapshot → pipe. Publisher, a process of its own: pipe → outbox → broker. Only `client` and `broker`
import an MQTT library, and neither is ever imported by the control process.
"""
