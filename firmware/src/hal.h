/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * What the firmware asks of a board: seven functions. To port it, write these and a main() as short as that of avr/board.c. */
#ifndef HAL_H
#define HAL_H

#include <stdbool.h>
#include <stdint.h>

int hal_get(void);            /* next received byte, 0 to 255, or -1: none */
uint16_t hal_room(void);      /* bytes the send buffer can take now */
void hal_put(char byte);      /* into the send buffer; called only while there is room */
uint32_t hal_millis(void);    /* ms since power-up, from a hardware counter; wraps after 49 days */
uint32_t hal_seed(void);      /* differs from one power-up to the next, as well as the board can */
void hal_drives(bool powered); /* power stage of all axes: false = brakes on */
void hal_idle(void);          /* sleep until there is a byte to get or the next ms begins */

#endif
