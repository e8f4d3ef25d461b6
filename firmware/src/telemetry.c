/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "telemetry.h"

#include "clock.h"
#include "motion.h"
#include "text.h"
#include "wire.h"

#define FAR_UM 9999 /* a difference of the encoders is not told beyond this */

enum flags { POWERED = 1, REFERENCED = 2, LOCKSTEP = 8, SELF_MOVING = 16 };

static uint16_t period, passed; /* cycles */

void status_flags(void)
{
    int flags = REFERENCED; /* its encoders are absolute */

    flags |= motion_powered() ? POWERED : 0;
    flags |= clock_in_lockstep() ? LOCKSTEP : 0;
    flags |= motion_goes() ? SELF_MOVING : 0;
    text_number(flags);
}

void status_state(void)
{
    text_number((int32_t)motion_state());
    status_flags();
}

static int32_t difference_um(uint8_t axis)
{
    int32_t difference = motion_second_um(axis) - motion_first_um(axis);

    if (difference > FAR_UM)
        return FAR_UM;
    return difference < -FAR_UM ? -FAR_UM : difference;
}

void status_all(void)
{
    uint8_t i;

    status_state();
    for (i = 0; i < AXES; i++)
        text_number(motion_first_um(i));
    for (i = 0; i < AXES; i++)
        text_number(difference_um(i));
}

uint16_t telemetry_period_ms(void)
{
    return (uint16_t)(period * CYCLE_MS);
}

void telemetry_set_period(uint16_t ms)
{
    period = (uint16_t)((ms + CYCLE_MS - 1u) / CYCLE_MS);
    passed = 0;
}

void telemetry_cycle(void)
{
    if (!period || ++passed < period)
        return;
    passed = 0;
    wire_telemetry();
    status_all();
    wire_send();
}
