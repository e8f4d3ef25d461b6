/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Reading the arguments of a request, one after the other. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

/* `at` stands on the space before the next argument, or on the final zero. Each moves it on only if it returns true. */
bool argument_int(const char **at, int32_t *value); /* -?[0-9]{1,10} within 32 bits */
bool argument_nan(const char **at);                  /* the word "nan": no number */
bool argument_is_hex(const char *at, uint32_t value); /* the last one, and these eight upper-case hex digits */

#endif
