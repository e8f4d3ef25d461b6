/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "wire.h"

#include "clock.h"
#include "hal.h"
#include "line.h"
#include "motion.h"
#include "text.h"
#include "verbs.h"

#define STOP_BYTE 0x18
#define PATIENCE_MS 20 /* a reply waits so long for room in the send buffer: longer than a full one takes at 115200 baud */
#define OLDEST_NEW 128u /* so far ahead a sequence number may be; beyond that it is from the past */

static struct line line;
static uint32_t counters[COUNTERS];
static struct text reply; /* stays as the memory for a repeat */
static struct text note;  /* events, telemetry, answers to plain lines */
static uint8_t sequence, events, telemetries;
static uint16_t crc; /* of the last request executed, as is `sequence` */
static bool met;      /* a request has come since power-up: sequence, crc and reply are valid */
static bool terminal; /* plain lines are taken too; no watchdog */
static bool watched;  /* a request has come, and the watchdog has not expired since */
static bool typed;    /* the request being executed is a plain line */
static uint32_t fed_ms, session;
static uint16_t watchdog_ms;

/* The whole line or nothing: a host that does not read must not hold up the axes. */
static void transmit(const struct text *text)
{
    uint8_t i;

    if (text->full || hal_room() < text->size)
        return;
    for (i = 0; i < text->size; i++)
        hal_put(text->line[i]);
}

/* Replies wait for the line to be free; a host that does not read at all must not hold up the axes for long. */
static void transmit_reply(const struct text *text)
{
    uint32_t begun_ms = hal_millis();

    while (hal_room() < text->size && hal_millis() - begun_ms < PATIENCE_MS)
        ;
    transmit(text);
}

void wire_event(void)
{
    text_begin(&note, '!', events++);
    TEXT("EV ");
    text_uint(clock_ms());
}

void wire_telemetry(void)
{
    text_begin(&note, '~', telemetries++);
    TEXT("ST ");
    text_uint(clock_ms());
}

void wire_send(void)
{
    text_end();
    transmit(&note);
}

void wire_reply(void)
{
    if (typed)
        text_begin(&note, '<', 0);
    else
        text_begin(&reply, '<', sequence);
}

static void answer(const char *request, bool plain)
{
    typed = plain;
    verbs_execute(request, plain);
    text_end();
    transmit_reply(plain ? &note : &reply);
}

static void feed(void)
{
    fed_ms = hal_millis();
    watched = true;
}

/* HI is always new; so is everything before the first request. */
static void take(uint8_t its_sequence, uint16_t its_crc, const char *request)
{
    uint8_t ahead = (uint8_t)(its_sequence - sequence);
    bool is_new = !met || (request[0] == 'H' && request[1] == 'I');

    feed();
    terminal = false;
    if (!is_new && ahead == 0 && its_crc == crc) {
        counters[REPEATED]++;
        transmit_reply(&reply);
    } else if (is_new || (ahead > 0 && ahead <= OLDEST_NEW)) {
        met = true;
        sequence = its_sequence;
        crc = its_crc;
        answer(request, false);
    } else
        counters[OLD]++;
}

static void take_line(void)
{
    uint8_t its_sequence;
    uint16_t its_crc;

    if (line_framed(&line, &its_sequence, &its_crc)) {
        counters[GOOD]++;
        take(its_sequence, its_crc, line.text + 4);
    } else if (terminal && line_worded(line.text)) {
        counters[GOOD]++;
        answer(line.text, true);
    } else
        counters[INVALID]++;
}

/* A stop that is latched until RS. The state keeps its first reason. */
static void latch(enum state why, const char *word)
{
    motion_latch(why);
    wire_event();
    text_flash(word);
    wire_send();
}

static void stop(void)
{
    static const char word[] IN_FLASH = " STOP";

    counters[STOPS]++;
    latch(STOP, word);
}

static void look_at_watchdog(void)
{
    static const char word[] IN_FLASH = " WDOG";

    if (!watched || terminal || clock_in_lockstep() || hal_millis() - fed_ms <= watchdog_ms)
        return;
    watched = false;
    counters[EXPIRIES]++;
    latch(COMM, word);
}

/* One line at a time: between two there is time for the axes. */
static void listen(void)
{
    int byte;

    while ((byte = hal_get()) >= 0)
        if (byte == STOP_BYTE)
            stop();
        else if (line_byte(&line, (uint8_t)byte)) {
            take_line();
            return;
        }
}

void wire_poll(void)
{
    listen();
    look_at_watchdog();
}

void wire_start(void)
{
    terminal = true;
    watchdog_ms = WATCHDOG_MS;
    session = hal_seed();
    wire_event();
    TEXT("BOOT session=");
    text_hex(session, 8);
    wire_send();
}

void wire_terminal(void)
{
    terminal = true;
}

uint32_t wire_counter(uint8_t which)
{
    return counters[which] + (which == INVALID ? line.broken : 0);
}

uint32_t wire_session(void)
{
    return session;
}

uint16_t wire_watchdog_ms(void)
{
    return watchdog_ms;
}

void wire_set_watchdog(uint16_t ms)
{
    watchdog_ms = ms;
}
