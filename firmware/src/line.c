/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "line.h"

#include "crc.h"

static void restart(struct line *line)
{
    line->size = 0;
    line->spoilt = line->ended = false;
}

static void add(struct line *line, uint8_t byte)
{
    if (byte < 0x20 || byte > 0x7E || line->size == MAXLINE)
        line->spoilt = true;
    else
        line->text[line->size++] = (char)byte;
}

bool line_byte(struct line *line, uint8_t byte)
{
    bool begun, end = byte == '\r' || byte == '\n';

    if (line->ended)
        restart(line);
    begun = line->size || line->spoilt;
    if (byte != '>' && !end) {
        add(line, byte);
        return false;
    }
    if (line->spoilt || (begun && byte == '>')) {
        line->broken++;
        begun = false;
    }
    if (!begun || byte == '>')
        restart(line);
    if (byte == '>')
        add(line, byte);
    line->text[line->size] = 0;
    line->ended = end && begun;
    return line->ended;
}

/* A hex digit as the protocol writes it: upper case; 0xFF for anything else. */
static uint8_t hex(char c)
{
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0');
    return c >= 'A' && c <= 'F' ? (uint8_t)(c - 'A' + 10) : 0xFFu;
}

static bool is_word(char c)
{
    static const char marks[] IN_FLASH = "_.,:/+-=";
    uint8_t i;

    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    for (i = 0; i < sizeof marks - 1u; i++)
        if (c == flash_char(marks + i))
            return true;
    return false;
}

bool line_worded(const char *verb)
{
    const char *at = verb + 2;

    if (verb[0] < 'A' || verb[0] > 'Z' || verb[1] < 'A' || verb[1] > 'Z')
        return false;
    for (; *at; at++)
        if (*at == ' ' ? !is_word(at[1]) || at[1] == '=' : at == verb + 2 || !is_word(*at))
            return false;
    return true;
}

static bool has_crc(const char *at, uint16_t crc)
{
    uint8_t i;

    if (*at++ != '*')
        return false;
    for (i = 0; i < 4; i++)
        if (hex(at[i]) != ((crc >> (12 - 4 * i)) & 0xF))
            return false;
    return at[4] == 0;
}

bool line_framed(struct line *line, uint8_t *sequence, uint16_t *crc)
{
    uint8_t i, body = (uint8_t)(line->size - 5u);

    if (line->size < 11 || line->text[0] != '>' || hex(line->text[1]) > 15 || hex(line->text[2]) > 15 || line->text[3] != ' ')
        return false;
    for (*crc = CRC_START, i = 0; i < body; i++)
        *crc = crc_next(*crc, (uint8_t)line->text[i]);
    if (!has_crc(line->text + body, *crc))
        return false;
    line->text[body] = 0;
    *sequence = (uint8_t)(hex(line->text[1]) << 4 | hex(line->text[2]));
    return line_worded(line->text + 4);
}
