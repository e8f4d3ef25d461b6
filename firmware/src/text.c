/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "text.h"

#include "crc.h"

static struct text *text;

void text_char(char c)
{
    if (text->size < sizeof text->line)
        text->line[text->size++] = c;
    else
        text->full = true;
}

void text_begin(struct text *into, char start, uint8_t sequence)
{
    text = into;
    text->size = 0;
    text->full = false;
    text_char(start);
    text_hex(sequence, 2);
}

void text_flash(const char *from)
{
    for (; flash_char(from); from++)
        text_char(flash_char(from));
}

void text_copy(const char *from)
{
    for (; *from; from++)
        text_char(*from);
}

void text_uint(uint32_t value)
{
    char digits[10];
    uint8_t n = 0;

    do
        digits[n++] = (char)('0' + value % 10u);
    while (value /= 10u);
    while (n)
        text_char(digits[--n]);
}

void text_int(int32_t value)
{
    if (value < 0)
        text_char('-');
    text_uint(value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void text_number(int32_t value)
{
    text_char(' ');
    text_int(value);
}

void text_range(int32_t low, int32_t high)
{
    TEXT_KEY("low", low);
    TEXT_KEY("high", high);
}

char text_digit(uint8_t value)
{
    return (char)(value < 10u ? '0' + value : 'A' + value - 10);
}

void text_hex(uint32_t value, uint8_t digits)
{
    while (digits--)
        text_char(text_digit((uint8_t)(value >> (4u * digits)) & 0xFu));
}

void text_end(void)
{
    uint16_t crc = CRC_START;
    uint8_t i;

    for (i = 0; i < text->size; i++)
        crc = crc_next(crc, (uint8_t)text->line[i]);
    text_char('*');
    text_hex(crc, 4);
    text_char('\r');
    text_char('\n');
}
