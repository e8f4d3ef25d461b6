/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * ATmega328P at 16 MHz, an Arduino-class board: UART at 115200 baud behind two ring buffers, timer 0 at 1 kHz. */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "device.h"
#include "hal.h"

#define DIVIDER 16u /* with U2X: 16 MHz / 8 / 17 = 117647 baud, 2.1 % fast, which is what these boards do */

static volatile uint8_t got[256], got_in, got_out; /* rings: an index of eight bits wraps by itself */
static volatile uint8_t waiting[256], waiting_in, waiting_out;
static volatile uint32_t now_ms;

ISR(USART_RX_vect)
{
    uint8_t byte = UDR0, next = (uint8_t)(got_in + 1u);

    if (next == got_out)
        return; /* full: the line's check sum will tell */
    got[got_in] = byte;
    got_in = next;
}

ISR(USART_UDRE_vect)
{
    if (waiting_in == waiting_out)
        UCSR0B &= (uint8_t)~(1u << UDRIE0);
    else
        UDR0 = waiting[waiting_out++];
}

ISR(TIMER0_COMPA_vect)
{
    now_ms++;
}

int hal_get(void)
{
    uint8_t byte;

    if (got_in == got_out)
        return -1;
    byte = got[got_out++];
    return byte;
}

uint16_t hal_room(void)
{
    return (uint8_t)(waiting_out - waiting_in - 1u);
}

void hal_put(char byte)
{
    waiting[waiting_in++] = (uint8_t)byte;
    UCSR0B |= 1u << UDRIE0;
}

uint32_t hal_millis(void)
{
    uint32_t now;
    uint8_t flags = SREG;

    cli();
    now = now_ms;
    SREG = flags;
    return now;
}

/* How often the board was powered up, from its EEPROM, spread over the digits. */
uint32_t hal_seed(void)
{
    uint32_t count = eeprom_read_dword((uint32_t *)0) + 1u;

    eeprom_write_dword((uint32_t *)0, count);
    return count * 2654435761u;
}

void hal_drives(bool powered)
{
    PORTB = powered ? 1u << PB5 : 0; /* the board's LED stands for the power stage */
}

void hal_idle(void)
{
    cli();
    if (got_in == got_out) {
        sei(); /* takes effect after the next instruction, so no interrupt is missed */
        sleep_cpu();
    }
    sei();
}

int main(void)
{
    DDRB = 1u << PB5;
    UCSR0A = 1u << U2X0; /* before the divider: simavr works out its rate when that is written */
    UBRR0 = DIVIDER;
    UCSR0B = 1u << RXCIE0 | 1u << RXEN0 | 1u << TXEN0;
    TCCR0A = 1u << WGM01;
    OCR0A = 249; /* 16 MHz / 64 / 250 = 1 kHz */
    TIMSK0 = 1u << OCIE0A;
    TCCR0B = 1u << CS01 | 1u << CS00;
    SMCR = 1u << SE; /* idle: UART and timer run on */
    sei();
    for (device_start();;)
        device_poll();
}
