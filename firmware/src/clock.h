/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * The device's own time. It goes in cycles of 10 ms and every line is stamped with that of the last cycle, when the readings were
 * taken; in lockstep a cycle passes only when the host says so. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

void clock_start(void);
uint32_t clock_ms(void);      /* of the last cycle */
bool clock_due(void);         /* the next cycle is due by the board's time; never in lockstep */
void clock_cycle(void);       /* a cycle passes */
void clock_lockstep(bool on); /* on: the next cycle is at 0 ms */
bool clock_in_lockstep(void);

#endif
