/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Which device this is: what to change, with unit.c, for another one that is nothing but axes. */
#ifndef UNIT_H
#define UNIT_H

#include "axis.h"

#define AXES 3
#define UNIT "couch"
#define FIRMWARE "reference-1.0"

#define NAME_SIZE 13

struct unit_axis {
    char name[NAME_SIZE]; /* with its final zero */
    struct axis_limits limits;
};

void unit_axis(uint8_t axis, struct unit_axis *copy);
void unit_limits(uint8_t axis, struct axis_limits *copy);

#endif
