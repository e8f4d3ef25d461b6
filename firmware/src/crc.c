/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "crc.h"

/* Eight bits at once and without a table: the carries of polynomial 0x1021 fall on bits 0, 5 and 12. */
uint16_t crc_next(uint16_t crc, uint8_t byte)
{
    uint8_t mixed = (uint8_t)((crc >> 8) ^ byte);

    mixed ^= (uint8_t)(mixed >> 4);
    return (uint16_t)((uint16_t)(crc << 8) ^ (uint16_t)((uint16_t)mixed << 12) ^ (uint16_t)((uint16_t)mixed << 5) ^ mixed);
}
