/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "arguments.h"

#include "text.h"

#define LARGEST 2147483647u

static bool ends(char c)
{
    return c == 0 || c == ' ';
}

/* Ten digits fit 32 bits only up to LARGEST (one more below zero), so the last one is looked at before it is added. */
bool argument_int(const char **at, int32_t *value)
{
    const char *c = *at;
    uint32_t sum = 0, most = LARGEST;
    uint8_t digits = 0;

    if (*c++ != ' ')
        return false;
    if (*c == '-') {
        most++;
        c++;
    }
    for (; *c >= '0' && *c <= '9'; c++) {
        uint8_t digit = (uint8_t)(*c - '0');

        if (++digits > 10 || sum > (most - digit) / 10u)
            return false;
        sum = sum * 10u + digit;
    }
    if (!digits || !ends(*c))
        return false;
    *value = most == LARGEST ? (int32_t)sum : -(int32_t)(sum - 1u) - 1;
    *at = c;
    return true;
}

bool argument_nan(const char **at)
{
    const char *c = *at;

    if (c[0] != ' ' || c[1] != 'n' || c[2] != 'a' || c[3] != 'n' || !ends(c[4]))
        return false;
    *at = c + 4;
    return true;
}

bool argument_is_hex(const char *at, uint32_t value)
{
    uint8_t digits;

    for (at++, digits = 8; digits--; at++, value <<= 4)
        if (*at != text_digit((uint8_t)(value >> 28)))
            return false;
    return *at == 0;
}
