/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Arm MPS2 with the AN385 image (Cortex-M3, 25 MHz), as emulated by `qemu-system-arm -M mps2-an385`. Polled, no interrupt
 * handlers: an interrupt that is pending ends WFI even while interrupts are off. Time is the 25 MHz counter itself; counting
 * ticks would lose some whenever the emulator's host is busy. */
#include <stdint.h>

#include "device.h"
#include "hal.h"

#define CLOCK_HZ 25000000u

struct uart {
    volatile uint32_t data, state, ctrl, status, divider;
};
struct timer {
    volatile uint32_t ctrl, value, reload, status;
};

#define UART0 ((struct uart *)0x40004000u)
#define COUNTER ((struct timer *)0x40000000u) /* TIMER0: runs down from 2^32 - 1 */
#define TICK ((struct timer *)0x40001000u)    /* TIMER1: ends WFI once per ms */
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100u)
#define NVIC_CLEAR (*(volatile uint32_t *)0xE000E280u)
#define WAKES ((1u << 0) | (1u << 9)) /* UART0 received, TIMER1 */

static char waiting[512]; /* bytes to send: a ring */
static uint16_t first, count;

static void drain(void)
{
    while (count && !(UART0->state & 1u)) {
        UART0->data = (uint8_t)waiting[first];
        first = (uint16_t)((first + 1u) % sizeof waiting);
        count--;
    }
}

int hal_get(void)
{
    return UART0->state & 2u ? (int)(UART0->data & 0xFFu) : -1;
}

uint16_t hal_room(void)
{
    drain();
    return (uint16_t)(sizeof waiting - count);
}

void hal_put(char byte)
{
    waiting[(first + count++) % sizeof waiting] = byte;
}

/* The counter wraps after 172 s; what has passed since the last look is added up. */
uint32_t hal_millis(void)
{
    static uint32_t last = 0xFFFFFFFFu, rest, ms;
    uint32_t now = COUNTER->value;

    rest += last - now;
    last = now;
    ms += rest / (CLOCK_HZ / 1000u);
    rest %= CLOCK_HZ / 1000u;
    return ms;
}

/* The board has no clock that survives a reset and no memory of its own. What is left is that two runs of the same loop do not
 * take the counter quite as long. */
uint32_t hal_seed(void)
{
    uint32_t mixed = 0, i;

    for (i = 0; i < 4096; i++)
        mixed = (mixed << 5 | mixed >> 27) ^ COUNTER->value * 2654435761u;
    return mixed;
}

void hal_drives(bool powered)
{
    *(volatile uint32_t *)0x40028000u = powered; /* LED 0 stands for the power stage */
}

void hal_idle(void)
{
    drain();
    if (!(UART0->state & 2u))
        __asm volatile("wfi" ::: "memory");
    UART0->status = 3u;
    TICK->status = 1u;
    NVIC_CLEAR = WAKES;
}

int main(void)
{
    __asm volatile("cpsid i" ::: "memory");
    UART0->divider = CLOCK_HZ / BAUD;
    UART0->ctrl = 1u | 2u | 8u; /* send, receive, interrupt on receive */
    COUNTER->reload = COUNTER->value = 0xFFFFFFFFu;
    COUNTER->ctrl = 1u;
    TICK->reload = TICK->value = CLOCK_HZ / 1000u;
    TICK->ctrl = 1u | 8u;
    NVIC_ENABLE = WAKES;
    for (device_start();;)
        device_poll();
}
