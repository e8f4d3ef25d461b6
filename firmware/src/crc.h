/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#ifndef CRC_H
#define CRC_H

#include <stdint.h>

#define CRC_START 0xFFFFu /* CRC-16/CCITT-FALSE: polynomial 0x1021, no reflection, no final exclusive-or */

uint16_t crc_next(uint16_t crc, uint8_t byte);

#endif
