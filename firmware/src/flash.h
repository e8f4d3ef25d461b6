/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Constants that stay in flash. An AVR copies every constant to RAM unless told not to; elsewhere these are ordinary constants. */
#ifndef FLASH_H
#define FLASH_H

#include <string.h>

#ifdef ON_AVR
#include <avr/pgmspace.h>
#define IN_FLASH PROGMEM
#define flash_char(at) ((char)pgm_read_byte(at))
#define flash_copy(to, from, size) memcpy_P(to, from, size)
#else
#define IN_FLASH
#define flash_char(at) (*(at))
#define flash_copy(to, from, size) memcpy(to, from, size)
#endif

#endif
