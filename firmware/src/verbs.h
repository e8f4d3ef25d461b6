/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * What the device does when asked. */
#ifndef VERBS_H
#define VERBS_H

#include <stdbool.h>
#include <stdint.h>

/* Execute "VERB arg arg" and write the answer, OK or ER, into the line that wire_reply begins. `plain`: typed in terminal mode. */
void verbs_execute(const char *request, bool plain);

uint8_t verbs_count(void);
void verbs_name(uint8_t index, char name[2]);

#endif
