/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Writing lines, one at a time: text_begin says into which buffer, then come pieces with a space between, then the CRC. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "flash.h"

#define MAXLINE 160u /* characters from the start character to the CRC */

struct text {
    char line[MAXLINE + 2u]; /* with CR LF */
    uint8_t size;
    bool full; /* something did not fit: the line is not sent */
};

void text_begin(struct text *text, char start, uint8_t sequence); /* all that follow write into this one */
void text_char(char c);
void text_flash(const char *from);
void text_copy(const char *from);
void text_int(int32_t value);
void text_uint(uint32_t value);
char text_digit(uint8_t value); /* 0 to 15 */
void text_hex(uint32_t value, uint8_t digits);
void text_end(void); /* CRC, CR, LF */

/* " literal", the literal kept in flash */
#define TEXT(literal)                                        \
    do {                                                     \
        static const char in_flash[] IN_FLASH = " " literal; \
        text_flash(in_flash);                                \
    } while (0)

/* " key=value" */
#define TEXT_KEY(key, value) \
    do {                     \
        TEXT(key "=");       \
        text_int(value);     \
    } while (0)

void text_number(int32_t value);              /* " value" */
void text_range(int32_t low, int32_t high); /* " low=N high=N" */

#endif
