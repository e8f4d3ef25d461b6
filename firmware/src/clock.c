/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "clock.h"

#include "axis.h"
#include "hal.h"

#define MOST_BEHIND_MS 100 /* a board that was held up for longer goes on from now: a burst of cycles would be a jump */

static uint32_t at_ms, next_ms; /* device time of the last and of the next cycle */
static uint32_t begun_ms;       /* board's time at device time 0 */
static bool lockstep;

void clock_start(void)
{
    begun_ms = hal_millis();
    at_ms = 0;
    next_ms = CYCLE_MS;
    lockstep = false;
}

uint32_t clock_ms(void)
{
    return at_ms;
}

bool clock_due(void)
{
    uint32_t now_ms = hal_millis() - begun_ms;
    int32_t late_ms = (int32_t)(now_ms - next_ms);

    if (lockstep || late_ms < 0)
        return false;
    if (late_ms > MOST_BEHIND_MS)
        next_ms = now_ms;
    return true;
}

void clock_cycle(void)
{
    at_ms = next_ms;
    next_ms += CYCLE_MS;
}

void clock_lockstep(bool on)
{
    if (on)
        at_ms = next_ms = 0;
    else if (lockstep) { /* goes on from where it stands */
        begun_ms = hal_millis() - at_ms;
        next_ms = at_ms + CYCLE_MS;
    }
    lockstep = on;
}

bool clock_in_lockstep(void)
{
    return lockstep;
}
