/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "describe.h"

#include "limits.h"
#include "telemetry.h"
#include "unit.h"
#include "verbs.h"
#include "wire.h"

#define PARAMETERS 2u

static void describe_axis(uint8_t axis, struct text *reply)
{
    struct unit_axis it;

    unit_axis(axis, &it);
    TEXT_KEY(reply, "axis", axis);
    TEXT(reply, "name=");
    text_copy(reply, it.name);
    TEXT(reply, "unit=um");
    text_range(reply, it.limits.low_um, it.limits.high_um);
    TEXT_KEY(reply, "vmax", it.limits.speed_um_s);
    TEXT_KEY(reply, "amax", it.limits.accel_um_s2);
}

static void describe_parameter(uint8_t index, struct text *reply)
{
    bool watchdog = index == 0;

    if (watchdog)
        TEXT(reply, "par=WD unit=ms");
    else
        TEXT(reply, "par=TM unit=ms");
    text_range(reply, watchdog ? WATCHDOG_LOW_MS : 0, watchdog ? WATCHDOG_HIGH_MS : TELEMETRY_HIGH_MS);
    TEXT_KEY(reply, "now", watchdog ? wire_watchdog_ms() : telemetry_period_ms());
}

static void describe_verb(uint8_t index, struct text *reply)
{
    char name[2];

    verbs_name(index, name);
    TEXT(reply, "verb=");
    text_char(reply, name[0]);
    text_char(reply, name[1]);
}

uint8_t describe_count(void)
{
    return (uint8_t)(AXES + PARAMETERS + verbs_count());
}

void describe_item(uint8_t index, struct text *reply)
{
    if (index < AXES)
        describe_axis(index, reply);
    else if (index < AXES + PARAMETERS)
        describe_parameter((uint8_t)(index - AXES), reply);
    else
        describe_verb((uint8_t)(index - AXES - PARAMETERS), reply);
}
