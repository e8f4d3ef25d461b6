/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#ifndef LIMITS_H
#define LIMITS_H

#define WATCHDOG_LOW_MS 20
#define WATCHDOG_HIGH_MS 10000
#define TELEMETRY_LOW_MS 10 /* or 0: none */
#define TELEMETRY_HIGH_MS 10000
#define LOCKSTEP_HIGH 1000 /* cycles of one TK */

#endif
