/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "axis.h"

#define PLAY_UM 10      /* half the width of the gear's play */
#define SECOND_STEP_UM 5 /* resolution of the second encoder */
#define PER_S ((int32_t)(1000u / CYCLE_MS))

/* `value`, but not farther from zero than `most`. */
static int32_t limited(int32_t value, int32_t most)
{
    if (value < -most)
        return -most;
    return value > most ? most : value;
}

static uint32_t root(uint32_t square)
{
    uint32_t result = 0, bit = (uint32_t)1 << 30;

    for (; bit > square; bit >>= 2)
        ;
    for (; bit; bit >>= 2) {
        if (square >= result + bit) {
            square -= result + bit;
            result = (result >> 1) + bit;
        } else
            result >>= 1;
    }
    return result;
}

/* Largest speed from which `way` (0.01 um) ends exactly at its end, slowing down by `change` um/s per cycle. n cycles of slowing
 * down cover change * n * (n - 1) / 2 and n times the last speed; n is the smallest number that is enough. */
static int32_t approach(int32_t way, int32_t change)
{
    uint32_t left = (uint32_t)(way < 0 ? -way : way);
    uint32_t n = (root(1u + 8u * (left / (uint32_t)change)) + 1u) / 2u;
    uint32_t speed;

    while ((uint32_t)change * (n * (n + 1u) / 2u) < left)
        n++;
    if (n == 0)
        return 0;
    speed = left / n + (uint32_t)change * (n - 1u) / 2u;
    return way < 0 ? -(int32_t)speed : (int32_t)speed;
}

/* Speed at which the setpoint moves, um/s; a jump is no speed: the drive then makes its own way. */
static int32_t asked(const struct axis *axis, const struct axis_limits *limits)
{
    int32_t moved_um = axis->setpoint_um - axis->before_um;
    int32_t most_um = limits->speed_um_s / PER_S;

    return moved_um > most_um || moved_um < -most_um ? 0 : moved_um * PER_S;
}

/* Speed of the next cycle: that of the setpoint, and what closes the gap without overshoot, within the limits of the drive. */
static int32_t wanted(const struct axis *axis, const struct axis_limits *limits)
{
    int32_t change = limits->accel_um_s2 / PER_S, moves = asked(axis, limits), gap, speed = 0;

    if (!axis->stopping) {
        gap = axis->setpoint_um * HUNDREDTHS_PER_UM - axis->position_cum - moves;
        speed = limited(moves + approach(gap, change), limits->speed_um_s);
    }
    return axis->speed_um_s + limited(speed - axis->speed_um_s, change);
}

/* Speed of the next cycle without power. */
static int32_t braked(const struct axis *axis, const struct axis_limits *limits)
{
    return axis->speed_um_s - limited(axis->speed_um_s, limits->brake_um_s2 / PER_S);
}

static void travel(struct axis *axis, const struct axis_limits *limits)
{
    int32_t at_um;

    axis->position_cum += axis->speed_um_s;
    at_um = axis_first_um(axis);
    if (at_um < limits->low_um || at_um > limits->high_um) { /* an end stop */
        at_um = at_um < limits->low_um ? limits->low_um : limits->high_um;
        axis->position_cum = at_um * HUNDREDTHS_PER_UM;
        axis->speed_um_s = 0;
    }
    axis->geared_um = at_um + limited(axis->geared_um - at_um, PLAY_UM);
}

void axis_start(struct axis *axis, const struct axis_limits *limits)
{
    axis->position_cum = limits->start_um * HUNDREDTHS_PER_UM;
    axis->speed_um_s = 0;
    axis->geared_um = limits->start_um;
    axis_stay(axis);
}

void axis_step(struct axis *axis, const struct axis_limits *limits, bool powered)
{
    axis->speed_um_s = powered ? wanted(axis, limits) : braked(axis, limits);
    axis->before_um = axis->setpoint_um;
    travel(axis, limits);
    if (axis->stopping && axis_stands(axis))
        axis_stay(axis);
}

void axis_goto(struct axis *axis, int32_t target_um)
{
    axis->setpoint_um = axis->before_um = target_um;
    axis->stopping = false;
}

void axis_follow(struct axis *axis, int32_t setpoint_um)
{
    if (axis->stopping)
        axis->before_um = setpoint_um; /* it was not followed before, so it has no speed yet */
    axis->setpoint_um = setpoint_um;
    axis->stopping = false;
}

void axis_stop(struct axis *axis)
{
    axis->stopping = true;
}

void axis_stay(struct axis *axis)
{
    axis_goto(axis, axis_first_um(axis));
}

int32_t axis_first_um(const struct axis *axis)
{
    return axis->position_cum / HUNDREDTHS_PER_UM;
}

int32_t axis_second_um(const struct axis *axis)
{
    return axis->geared_um / SECOND_STEP_UM * SECOND_STEP_UM;
}

bool axis_stands(const struct axis *axis)
{
    return axis->speed_um_s == 0;
}

bool axis_arrived(const struct axis *axis)
{
    return axis_stands(axis) && axis_first_um(axis) == axis->setpoint_um;
}
