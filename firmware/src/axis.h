/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * ONE axis in integers: a drive that follows a setpoint with limited speed and acceleration, a gear with play, two encoders. */
#ifndef AXIS_H
#define AXIS_H

#include <stdbool.h>
#include <stdint.h>

#define CYCLE_MS 10u /* one step of every axis */

/* Position is kept in 0.01 um: a speed in um/s, added once per 10 ms, is then exact. */
#define HUNDREDTHS_PER_UM 100

struct axis_limits { /* what the drive can do; um, um/s, um/s2 */
    int32_t low_um, high_um;
    int32_t start_um;
    int32_t speed_um_s;
    int32_t accel_um_s2;
    int32_t brake_um_s2;
};

struct axis {
    int32_t position_cum; /* truth, 0.01 um */
    int32_t speed_um_s;
    int32_t setpoint_um;  /* followed while powered */
    int32_t before_um;    /* setpoint of the cycle before: the difference is the speed that is asked for */
    int32_t geared_um;    /* what the second encoder sees, behind the play */
    bool stopping;        /* slows down, then stays where it came to rest */
};

void axis_start(struct axis *axis, const struct axis_limits *limits);
void axis_step(struct axis *axis, const struct axis_limits *limits, bool powered); /* one cycle */

void axis_goto(struct axis *axis, int32_t target_um);     /* a way of its own: limits of speed and acceleration, no overshoot */
void axis_follow(struct axis *axis, int32_t setpoint_um); /* a new setpoint every cycle: its speed is followed too */
void axis_stop(struct axis *axis);
void axis_stay(struct axis *axis); /* where it is */

int32_t axis_first_um(const struct axis *axis);
int32_t axis_second_um(const struct axis *axis);
bool axis_stands(const struct axis *axis);
bool axis_arrived(const struct axis *axis); /* stands at its setpoint */

#endif
