/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * The whole device: call device_start once, then device_poll for ever. */
#ifndef DEVICE_H
#define DEVICE_H

void device_start(void);
void device_poll(void);
void device_cycle(void); /* 10 ms of the device's time */

#endif
