/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * All axes of the device and the state they are in. Knows nothing of lines. */
#ifndef MOTION_H
#define MOTION_H

#include "unit.h"

#define NOWHERE INT32_MIN /* as a target: none */

enum state { BOOT, IDLE, HOLD, MOVE, STOP, COMM, FAULT };

void motion_start(void);
uint8_t motion_step(void); /* one cycle; bit i = axis i has arrived where MV or MA sent it */

enum state motion_state(void);
bool motion_latched(void);
bool motion_powered(void);
bool motion_goes(void); /* MV or MA under way */

void motion_latch(enum state why); /* controlled stop; a first reason stays */
void motion_reset(void);           /* out of a latched state, to IDLE; moves nothing */
void motion_power(bool on);        /* false: brakes */
void motion_halt(void);            /* controlled stop, stays powered */

/* Targets, in um and within limits; motion_goto makes its own way, motion_follow expects a new one every cycle. */
void motion_goto(uint8_t axis, int32_t target_um);
void motion_follow(uint8_t axis, int32_t setpoint_um); /* NOWHERE: this axis stops, and stays */

int32_t motion_first_um(uint8_t axis);
int32_t motion_second_um(uint8_t axis);

#endif
