/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "device.h"

#include "clock.h"
#include "hal.h"
#include "motion.h"
#include "telemetry.h"
#include "text.h"
#include "wire.h"

static void tell_arrival(uint8_t axis)
{
    wire_event();
    TEXT("DONE");
    TEXT_KEY("axis", axis);
    wire_send();
}

void device_cycle(void)
{
    uint8_t i, arrived;

    clock_cycle();
    arrived = motion_step();
    for (i = 0; i < AXES; i++)
        if (arrived & 1u << i)
            tell_arrival(i);
    telemetry_cycle();
}

void device_start(void)
{
    clock_start();
    motion_start();
    wire_start();
}

void device_poll(void)
{
    wire_poll();
    while (clock_due())
        device_cycle();
    hal_idle();
}
