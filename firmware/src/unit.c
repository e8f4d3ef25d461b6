/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "unit.h"

#include "flash.h"

/* name; low, high, start in um; speed in um/s; acceleration and brake in um/s2 */
static const struct unit_axis table[AXES] IN_FLASH = {
    {"lateral", {-260000, 260000, 0, 25000, 60000, 200000}},
    {"longitudinal", {-1610000, 1610000, -300000, 45000, 80000, 300000}},
    {"vertical", {-510000, 510000, -150000, 25000, 60000, 200000}},
};

void unit_axis(uint8_t axis, struct unit_axis *copy)
{
    flash_copy(copy, &table[axis], sizeof *copy);
}

void unit_limits(uint8_t axis, struct axis_limits *copy)
{
    flash_copy(copy, &table[axis].limits, sizeof *copy);
}
