"""Modes of the taxonomy that this machine cannot have, and parts of modes that it has not; the reference page lists both."""

LEFT_OUT = {
    "LNK-13": "control case without a way in: in the process wires carry 64-bit cycle numbers that do not wrap; behind a line "
              "the 8-bit sequence wraps every 2.56 s, so every session with lines is this case",
    "CLK-05": "control case without a way in: a device's 32-bit milliseconds are unwrapped where they come in (tests of the wire "
              "hold it), and in the process stamps are 64-bit cycle numbers",
    "CTL-14": "two controllers on one machine: a line has one holder, and in the process there is one image",
    "OPR-10": "there is one console; a second press of the same button is OPR-02",
}
PARTS_LEFT_OUT = {
    "PLT-06": "one carousel carries target, filter and foil, so there is no `element`",
    "PLT-08": "`burst_ms` is the length of the fault (`lasts`, `every_s`)",
    "PLT-12": "no temperature of the head",
    "SEN-12": "nothing is shorter than a cycle: a blip is an opening of 10 ms",
    "SEN-13": "guards have two contacts, not zones",
    "ACT-05": "a way instead of a time: the leaf sticks until it would have gone so far",
    "ACT-08": "where on its way the couch stops is for the moment of the fault to say (`after_s`)",
    "ACT-11": "the gun's grid is the trigger: both give pulses without the permit",
    "LNK-05": "a frame with another id or length is no frame of that link; `status` and `setpoint` are there",
    "LNK-06": "`depth` is one frame",
    "LNK-07": "`ack` is part of the status",
    "LNK-10": "ports of gantry and collimator are swapped; other serial numbers and firmware are met at connect by LINK_ID",
    "DOS-05": "recombination is DOS-13",
    "DOS-06": "swapped chambers read the same",
    "DOS-12": "the counters lose MU; a killed process is CTL-13",
    "CTL-01": "however a process ends, its wires say nothing more",
    "CTL-02": "cycle and event loop are one thread: whatever hangs, hangs both",
    "CTL-04": "`p` is for the schedule to say (`every_s`, `times`)",
    "CTL-05": "an imager's task runs only during the beam of protocols that look then: TARGET_UNSEEN watches it",
    "CTL-09": "a 63-bit cycle counter wraps after 2.9 thousand million years",
    "CTL-13": "where the controller was is for the moment of the fault to say (`when`)",
    "OPR-04": "`service` is an engineer here",
    "OPR-05": "who approves is the protocol's business",
    "ROM-03": "all emergency stops are in one loop",
    "ROM-04": "cameras, intercom and area monitor are one wire",
    "DAT-06": "nobody tries again: the next start is prevented until the record can be written",
    "SAF-06": "`rate_per_h` is for the schedule to say (`every_s`)",
    "SAF-07": "`dur_ms` is the length of the fault (`lasts`)",
    "SAF-08": "one plug, whatever it bypasses",
    "CLK-02": "the cycle is the clock, so a step of it is a freeze; nothing goes backwards",
}
