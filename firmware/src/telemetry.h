/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Readings: as part of a reply, and sent by themselves at a rate. */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include <stdint.h>

void status_flags(void); /* " flags" */
void status_state(void); /* " state flags" */
void status_all(void);   /* " state flags" and all readings */

uint16_t telemetry_period_ms(void); /* 0 = none */
void telemetry_set_period(uint16_t ms);
void telemetry_cycle(void); /* after every cycle */

#endif
