/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Writing one line into a buffer: pieces with a space between, then the CRC. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "flash.h"

#define MAXLINE 160u /* characters from the start character to the CRC */

struct text {
    char *to;
    uint8_t size, room;
    bool full; /* something did not fit: the line is not sent */
};

void text_begin(struct text *text, char start, uint8_t sequence);
void text_char(struct text *text, char c);
void text_flash(struct text *text, const char *from);
void text_copy(struct text *text, const char *from);
void text_int(struct text *text, int32_t value);
void text_uint(struct text *text, uint32_t value);
void text_hex(struct text *text, uint32_t value, uint8_t digits);
void text_end(struct text *text); /* CRC, CR, LF */

/* " literal", the literal kept in flash */
#define TEXT(text, literal)                                  \
    do {                                                     \
        static const char in_flash[] IN_FLASH = " " literal; \
        text_flash(text, in_flash);                          \
    } while (0)

/* " key=value" */
#define TEXT_KEY(text, key, value) \
    do {                           \
        TEXT(text, key "=");       \
        text_int(text, value);     \
    } while (0)

void text_number(struct text *text, int32_t value);              /* " value" */
void text_range(struct text *text, int32_t low, int32_t high); /* " low=N high=N" */

#endif
