/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * The receiver: bytes in, whole lines out. It never answers; what is no line is counted. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

struct line {
    char text[MAXLINE + 1u]; /* ends with a zero; valid until the next byte */
    uint8_t size;
    bool spoilt;     /* too long, or a byte that no line has: waits for the next start or end */
    bool ended;      /* `text` was handed out: the next byte begins anew */
    uint32_t broken; /* lines that were interrupted or spoilt */
};

bool line_byte(struct line *line, uint8_t byte); /* true: `text` is a whole line */

/* Check a framed line, "SS VERB ...*CCCC" after its start character, and cut the CRC off. */
bool line_framed(struct line *line, uint8_t *sequence, uint16_t *crc);
/* The form of verb and arguments: two capitals, single spaces, characters that arguments are made of. */
bool line_worded(const char *verb);

#endif
