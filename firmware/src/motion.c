/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "motion.h"

#include "hal.h"

static struct axis axes[AXES];
static enum state latched; /* BOOT, STOP, COMM, FAULT; IDLE = none of them */
static bool powered;
static uint8_t going; /* bit i = axis i on its way by MV or MA */

static void set_power(bool on)
{
    powered = on;
    hal_drives(on);
}

static bool all_stand(void)
{
    uint8_t i;

    for (i = 0; i < AXES; i++)
        if (!axis_stands(&axes[i]))
            return false;
    return true;
}

void motion_start(void)
{
    struct axis_limits limits;
    uint8_t i;

    for (i = 0; i < AXES; i++) {
        unit_limits(i, &limits);
        axis_start(&axes[i], &limits);
    }
    latched = BOOT;
    going = 0;
    set_power(false);
}

static uint8_t arrivals(void)
{
    uint8_t i, arrived = 0;

    for (i = 0; i < AXES; i++)
        if (going & 1u << i && axis_arrived(&axes[i]))
            arrived |= (uint8_t)(1u << i);
    going &= (uint8_t)~arrived;
    return arrived;
}

uint8_t motion_step(void)
{
    struct axis_limits limits;
    uint8_t i;

    for (i = 0; i < AXES; i++) {
        unit_limits(i, &limits);
        axis_step(&axes[i], &limits, powered);
    }
    if (motion_latched() && powered && all_stand())
        set_power(false); /* the stop has ended */
    return arrivals();
}

enum state motion_state(void)
{
    if (latched != IDLE)
        return latched;
    if (!powered)
        return IDLE;
    return going || !all_stand() ? MOVE : HOLD;
}

bool motion_latched(void)
{
    return latched != IDLE;
}

bool motion_powered(void)
{
    return powered;
}

bool motion_goes(void)
{
    return going != 0;
}

void motion_halt(void)
{
    uint8_t i;

    going = 0;
    for (i = 0; i < AXES; i++)
        axis_stop(&axes[i]);
}

void motion_latch(enum state why)
{
    if (!motion_latched())
        latched = why;
    motion_halt();
}

void motion_reset(void)
{
    if (!motion_latched())
        return;
    latched = IDLE;
    motion_power(false);
}

/* Drives that get power stay where they are until they are told to move. */
void motion_power(bool on)
{
    uint8_t i;

    if (on == powered)
        return;
    going = 0;
    for (i = 0; i < AXES; i++)
        axis_stay(&axes[i]);
    set_power(on);
}

void motion_goto(uint8_t axis, int32_t target_um)
{
    going |= (uint8_t)(1u << axis);
    axis_goto(&axes[axis], target_um);
}

void motion_follow(uint8_t axis, int32_t setpoint_um)
{
    going = 0;
    if (setpoint_um == NOWHERE)
        axis_stop(&axes[axis]);
    else
        axis_follow(&axes[axis], setpoint_um);
}

int32_t motion_first_um(uint8_t axis)
{
    return axis_first_um(&axes[axis]);
}

int32_t motion_second_um(uint8_t axis)
{
    return axis_second_um(&axes[axis]);
}
