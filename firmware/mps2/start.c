/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Vectors and start-up: memory as C expects it, then main. */
#include <stdint.h>

extern uint32_t data_from, data_begin, data_end, bss_begin, bss_end, stack_top;
int main(void);

void reset(void)
{
    uint32_t *from = &data_from, *to;

    for (to = &data_begin; to < &data_end;)
        *to++ = *from++;
    for (to = &bss_begin; to < &bss_end;)
        *to++ = 0;
    main();
}

/* Nothing may fault; if something does, the board says no more, and silence means stop. */
static void halt(void)
{
    for (;;)
        ;
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[15])(void); /* nothing but reset is used: interrupts are polled */
} vectors = {&stack_top, {reset, halt, halt, halt, halt, halt, 0, 0, 0, 0, halt, halt, 0, halt, halt}};
