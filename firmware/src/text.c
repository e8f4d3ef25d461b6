/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "text.h"

#include "crc.h"

void text_char(struct text *text, char c)
{
    if (text->size < text->room)
        text->to[text->size++] = c;
    else
        text->full = true;
}

void text_begin(struct text *text, char start, uint8_t sequence)
{
    text->size = 0;
    text->full = false;
    text_char(text, start);
    text_hex(text, sequence, 2);
}

void text_flash(struct text *text, const char *from)
{
    for (; flash_char(from); from++)
        text_char(text, flash_char(from));
}

void text_copy(struct text *text, const char *from)
{
    for (; *from; from++)
        text_char(text, *from);
}

void text_uint(struct text *text, uint32_t value)
{
    char digits[10];
    uint8_t n = 0;

    do
        digits[n++] = (char)('0' + value % 10u);
    while (value /= 10u);
    while (n)
        text_char(text, digits[--n]);
}

void text_int(struct text *text, int32_t value)
{
    if (value < 0)
        text_char(text, '-');
    text_uint(text, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void text_number(struct text *text, int32_t value)
{
    text_char(text, ' ');
    text_int(text, value);
}

void text_range(struct text *text, int32_t low, int32_t high)
{
    TEXT_KEY(text, "low", low);
    TEXT_KEY(text, "high", high);
}

void text_hex(struct text *text, uint32_t value, uint8_t digits)
{
    while (digits--) {
        uint8_t nibble = (uint8_t)(value >> (4u * digits)) & 0xFu;

        text_char(text, (char)(nibble < 10u ? '0' + nibble : 'A' + nibble - 10));
    }
}

void text_end(struct text *text)
{
    uint16_t crc = CRC_START;
    uint8_t i;

    for (i = 0; i < text->size; i++)
        crc = crc_next(crc, (uint8_t)text->to[i]);
    text_char(text, '*');
    text_hex(text, crc, 4);
    text_char(text, '\r');
    text_char(text, '\n');
}
