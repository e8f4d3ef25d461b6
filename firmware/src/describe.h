/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * What the device says about itself: its axes, its parameters, its verbs. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <stdint.h>

uint8_t describe_count(void);
void describe_item(uint8_t index);

#endif
