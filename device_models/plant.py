"""All virtual devices stepped together: the physical truth. A device that sits behind a port has zero records here."""

import hashlib
from typing import Any, NamedTuple

from .arms import new_kv_arms, new_mv_arm, step_kv_arms, step_mv_arm
from .beam import SLOW_CYCLES, new_beam, step_beam
from .collimator import new_collimator, step_collimator
from .collision import new_collision, new_envelope, new_sine_table, step_collision
from .config import PlantConfig
from .couch import new_couch, step_couch
from .gantry import new_gantry, step_gantry
from .interface.compiled import compiled
from .interface.image import AXIS_DEVICES, Node
from .jaws import new_jaws, step_jaws
from .mlc import new_carriages, new_mlc, step_carriages, step_mlc
from .parts.carousel import new_carousel, new_modes
from .parts.chamber import new_chambers
from .parts.live import NAMES, new_live
from .parts.node import new_nodes
from .parts.noise import Noise, draw, new_noise
from .room import new_room, step_room
from .safety import new_safety, step_safety

GANTRY, COLLIMATOR, JAWS, MLC, CARRIAGES, COUCH, KV_ARMS, MV_ARM, BEAM, ROOM, SAFETY = (int(node) for node in Node)
BEAM_STREAMS = ("pulse", "+x", "-x", "+y", "-y", "misfire")  # in the order that `BEAM_STATE.stream` counts on


class Plant(NamedTuple):
    """Truth of one machine; faults and operators write to fields of these records."""

    gantry: Any  # DRIVE (1,) deg
    collimator: Any  # DRIVE (1,) deg
    jaws: Any  # DRIVE (4,) or (2,) mm
    mlc: Any  # DRIVE (2 n,) mm, bank A then B
    carriages: Any  # DRIVE (2,) mm
    couch: Any  # DRIVE (6,) mm, deg
    kv_arms: Any  # DRIVE (4,) mm
    mv_arm: Any  # DRIVE (3,) mm
    nodes: Any  # NODE_STATE (11,)
    beam: Any  # BEAM_STATE (1,)
    modes: Any  # MODE (n,)
    carousel: Any  # CAROUSEL (1,)
    chambers: Any  # CHAMBER (3,): 1, 2, the safety channel's
    live: Any  # LIVE (9,)
    safety: Any  # SAFETY_STATE (1,)
    room: Any  # ROOM_STATE (1,)
    collision: Any  # COLLISION (1,)
    envelope: Any  # (n, 3) mm
    sine: Any  # (3601,)
    noise: Noise  # drawn every cycle
    slow: Noise  # drawn on the slow grid


@compiled
def step_plant(plant, image, cycle):
    """One scan cycle of the machine. What room and safety channel see stops the beam in this cycle, drives in the next."""
    draw(plant.noise, cycle)
    if cycle % SLOW_CYCLES == 0:
        draw(plant.slow, cycle)
    sample, nodes, wires, room = plant.noise.sample, plant.nodes, image.nodes, plant.room[0]
    clearance = step_collision(plant.collision[0], plant.envelope, plant.sine, image, room.patient_present > 0.5)
    step_room(room, image.room[0], clearance, nodes[ROOM], wires[ROOM], cycle)
    supply = room.mains_ok == 1.0 and room.estop_ok == 1.0
    drives = supply and plant.safety[0].motion > 0.5  # of the cycle before: a contactor takes that long
    step_gantry(plant.gantry, image.gantry, nodes[GANTRY], wires[GANTRY], drives, sample, cycle)
    step_collimator(plant.collimator, image.collimator, nodes[COLLIMATOR], wires[COLLIMATOR], drives, sample, cycle)
    step_jaws(plant.jaws, image.jaws, nodes[JAWS], wires[JAWS], drives, sample, cycle)
    step_mlc(plant.mlc, image.mlc, nodes[MLC], wires[MLC], drives, sample, cycle)
    step_carriages(plant.carriages, image.carriages, nodes[CARRIAGES], wires[CARRIAGES], drives, sample, cycle)
    step_couch(plant.couch, image.couch, nodes[COUCH], wires[COUCH], drives, sample, cycle)
    step_kv_arms(plant.kv_arms, image.kv_arms, nodes[KV_ARMS], wires[KV_ARMS], drives, sample, cycle)
    step_mv_arm(plant.mv_arm, image.mv_arm, nodes[MV_ARM], wires[MV_ARM], drives, sample, cycle)
    step_safety(plant.safety[0], plant.chambers[2], image.safety[0], image.beam[0], plant.beam[0], room,
                nodes[SAFETY], wires[SAFETY], sample, cycle)
    step_beam(plant.beam[0], plant.modes, plant.carousel[0], plant.chambers, plant.live, image.beam[0],
              nodes[BEAM], wires[BEAM], plant.safety[0].permit == 1.0, supply, plant.noise, plant.slow, cycle)


def sizes(config: PlantConfig) -> dict[str, int]:
    """Axes per device, for `new_image`."""
    return {name: len(drives) for name, drives in axis_devices(config).items()}


def axis_devices(config: PlantConfig) -> dict[str, Any]:
    """Every device that is nothing but axes, by its name in image and plant."""
    return {
        "gantry": new_gantry(config), "collimator": new_collimator(config), "jaws": new_jaws(config),
        "mlc": new_mlc(config), "carriages": new_carriages(config), "couch": new_couch(config),
        "kv_arms": new_kv_arms(config), "mv_arm": new_mv_arm(config),
    }


def number_streams(devices: dict[str, Any], beam: Any, chambers: Any) -> list[str]:
    """Give every record its place in the noise bank; -> names of the streams in that order."""
    names: list[str] = []
    for device, drives in devices.items():
        drives["stream"] = [len(names) + 2 * i for i in range(len(drives))]
        names += [f"{device}/{i}/{which}" for i in range(len(drives)) for which in ("encoder", "encoder_2")]
    beam["stream"] = len(names)
    names += [f"beam/{name}" for name in BEAM_STREAMS]
    chambers["stream"] = [len(names) + i for i in range(len(chambers))]
    return names + [f"chamber/{i}" for i in range(len(chambers))]


def check_ports(behind_ports: tuple[str, ...]) -> None:
    """Only devices that are nothing but axes can stand behind a port."""
    strangers = [name for name in behind_ports if name not in AXIS_DEVICES]
    if strangers:
        raise ValueError(f"behind_ports: {', '.join(strangers)} cannot be behind a port; "
                         f"possible: {', '.join(AXIS_DEVICES)}")


def new_plant(config: PlantConfig, seed: int, behind_ports: tuple[str, ...] = (), answered: bool = True) -> Plant:
    """A healthy machine that was just powered up. Devices in `behind_ports` get no records: a port answers for them.

    `answered` False: whoever commands the drives cannot answer the safety channel, so that it has no hold on their power.
    """
    check_ports(behind_ports)
    devices = axis_devices(config)
    devices |= {name: devices[name][:0] for name in behind_ports}
    modes, chambers = new_modes(config.modes.values()), new_chambers(config.source)
    live, beam = new_live(config.source), new_beam(config.source, modes)
    names = number_streams(devices, beam, chambers)
    live["stream"] = range(len(NAMES))
    slow_names = [f"live/{name}" for name in NAMES] + [f"chamber/{i}/field" for i in range(len(chambers))]
    key = int.from_bytes(hashlib.sha256(f"{seed}/safety/challenge".encode()).digest()[:4], "big")
    return Plant(
        **devices, nodes=new_nodes(config.initialise_s, behind_ports), beam=beam, modes=modes,
        carousel=new_carousel(config.source, modes), chambers=chambers, live=live,
        safety=new_safety(config.safety, key, answered), room=new_room(config.search_window_s),
        collision=new_collision(config.bodies), envelope=new_envelope(config.bodies), sine=new_sine_table(),
        noise=new_noise(seed, names), slow=new_noise(seed, slow_names),
    )
