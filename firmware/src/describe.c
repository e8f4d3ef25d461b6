/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "describe.h"

#include "limits.h"
#include "telemetry.h"
#include "text.h"
#include "unit.h"
#include "verbs.h"
#include "wire.h"

#define PARAMETERS 2u

static void describe_axis(uint8_t axis)
{
    struct unit_axis it;

    unit_axis(axis, &it);
    TEXT_KEY("axis", axis);
    TEXT("name=");
    text_copy(it.name);
    TEXT("unit=um");
    text_range(it.limits.low_um, it.limits.high_um);
    TEXT_KEY("vmax", it.limits.speed_um_s);
    TEXT_KEY("amax", it.limits.accel_um_s2);
}

static void describe_parameter(uint8_t index)
{
    bool watchdog = index == 0;

    if (watchdog)
        TEXT("par=WD unit=ms");
    else
        TEXT("par=TM unit=ms");
    text_range(watchdog ? WATCHDOG_LOW_MS : 0, watchdog ? WATCHDOG_HIGH_MS : TELEMETRY_HIGH_MS);
    TEXT_KEY("now", watchdog ? wire_watchdog_ms() : telemetry_period_ms());
}

static void describe_verb(uint8_t index)
{
    char name[2];

    verbs_name(index, name);
    TEXT("verb=");
    text_char(name[0]);
    text_char(name[1]);
}

uint8_t describe_count(void)
{
    return (uint8_t)(AXES + PARAMETERS + verbs_count());
}

void describe_item(uint8_t index)
{
    if (index < AXES)
        describe_axis(index);
    else if (index < AXES + PARAMETERS)
        describe_parameter((uint8_t)(index - AXES));
    else
        describe_verb((uint8_t)(index - AXES - PARAMETERS));
}
