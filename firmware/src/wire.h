/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * The line to the host: requests once and in order, the memory for repeats, the watchdog, events and telemetry. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define WATCHDOG_MS 250 /* at power-up */

enum counter {
    GOOD, /* valid lines, also repeats and old ones */
    INVALID,
    REPEATED, /* answered from memory */
    OLD,      /* dropped */
    STOPS,    /* stop bytes */
    EXPIRIES, /* of the watchdog */
    COUNTERS
};

void wire_start(void);
void wire_poll(void); /* take in what has come, look at the watchdog */

void wire_terminal(void); /* back to terminal mode */
uint32_t wire_counter(uint8_t which);
uint32_t wire_session(void);
uint16_t wire_watchdog_ms(void);
void wire_set_watchdog(uint16_t ms);

/* Lines that the device sends by itself: begin, add words, send. */
void wire_event(void);
void wire_telemetry(void);
void wire_send(void);

void wire_reply(void); /* begins the answer to the request that is being executed; nothing else is begun before it returns */

#endif
