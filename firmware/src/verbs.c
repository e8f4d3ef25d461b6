/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors */
#include "verbs.h"

#include "arguments.h"
#include "clock.h"
#include "describe.h"
#include "device.h"
#include "flash.h"
#include "limits.h"
#include "motion.h"
#include "telemetry.h"
#include "text.h"
#include "wire.h"

#ifndef BOARD
#define BOARD "none"
#endif
#ifndef BAUD
#define BAUD 0
#endif

enum refusal { NONE, SYNTAX, VERB, LIMIT, STATE, UNARMED, SESSION, MODE };

/* The request being answered. A verb checks what was given, acts, and then writes the reply, or refuses before it acts. */
static int32_t values[1 + AXES]; /* its arguments */
static uint8_t given;            /* how many they are */
static const char *rest;         /* of a verb that reads for itself: the space before its first argument */
static bool typed;               /* in terminal mode */

static void ok(void)
{
    wire_reply();
    TEXT("OK ");
    text_uint(clock_ms());
}

static void ok_state(void)
{
    ok();
    status_state();
}

static void ok_status(void)
{
    ok();
    status_all();
}

static void refuse(enum refusal code)
{
    static const char words[][8] IN_FLASH = {"", "syntax", "verb", "limit", "state", "unarmed", "session", "mode"};

    wire_reply();
    TEXT("ER ");
    text_uint(clock_ms());
    text_number((int32_t)code);
    text_char(' ');
    text_flash(words[code]);
}

static void refuse_state(void)
{
    refuse(STATE);
    TEXT_KEY("state", (int32_t)motion_state());
}

static bool within(int32_t value, int32_t low, int32_t high)
{
    if (value >= low && value <= high)
        return true;
    refuse(LIMIT);
    text_range(low, high);
    return false;
}

static bool within_limits(uint8_t axis, int32_t target_um)
{
    struct axis_limits limits;

    unit_limits(axis, &limits);
    if (target_um >= limits.low_um && target_um <= limits.high_um)
        return true;
    refuse(LIMIT);
    TEXT_KEY("axis", axis);
    text_range(limits.low_um, limits.high_um);
    return false;
}

static bool all_within_limits(const int32_t *targets_um)
{
    uint8_t i;

    for (i = 0; i < AXES; i++)
        if (targets_um[i] != NOWHERE && !within_limits(i, targets_um[i]))
            return false;
    return true;
}

/* MV and MA need drives under power and no latched stop. */
static bool may_go(void)
{
    if (motion_powered() && !motion_latched())
        return true;
    refuse_state();
    return false;
}

static void do_hi(void)
{
    ok();
    TEXT("proto=1 unit=" UNIT);
    TEXT_KEY("axes", AXES);
    TEXT("fw=" FIRMWARE " serial=" BOARD " session=");
    text_hex(wire_session(), 8);
    TEXT("caps=ls");
    TEXT_KEY("maxline", MAXLINE);
    TEXT_KEY("baud", BAUD);
}

static void do_dd(void)
{
    if (!given) {
        ok();
        text_number(describe_count());
    } else if (within(values[0], 0, describe_count() - 1)) {
        ok();
        describe_item((uint8_t)values[0]);
    }
}

static void follow(bool on, const int32_t *targets_um)
{
    uint8_t i;

    if (motion_latched())
        return;
    motion_power(on);
    for (i = 0; on && i < AXES; i++)
        motion_follow(i, targets_um[i]);
}

static void do_sv(void)
{
    if (!within(values[0], 0, 1) || (values[0] && !all_within_limits(values + 1)))
        return;
    follow(values[0] == 1, values + 1);
    if (clock_in_lockstep())
        device_cycle();
    ok_status();
}

static void do_en(void)
{
    if (!within(values[0], 0, 1))
        return;
    if (values[0] && motion_latched()) {
        refuse_state();
        return;
    }
    if (!motion_latched())
        motion_power(values[0] == 1);
    ok_state();
}

static void do_ht(void)
{
    if (motion_powered())
        motion_halt();
    ok_state();
}

/* `RS session`; a person who types need not know the session. */
static void do_rs(void)
{
    if (!*rest && !typed)
        refuse(SYNTAX);
    else if (*rest && !argument_is_hex(rest, wire_session()))
        refuse(SESSION);
    else {
        motion_reset();
        ok_state();
    }
}

static void do_wd(void)
{
    if (given && !within(values[0], WATCHDOG_LOW_MS, WATCHDOG_HIGH_MS))
        return;
    if (given)
        wire_set_watchdog((uint16_t)values[0]);
    ok();
    text_number(wire_watchdog_ms());
}

static void do_tm(void)
{
    if (given && values[0] && !within(values[0], TELEMETRY_LOW_MS, TELEMETRY_HIGH_MS))
        return;
    if (given)
        telemetry_set_period((uint16_t)values[0]);
    ok();
    text_number(telemetry_period_ms());
}

static void do_cn(void)
{
    uint8_t i;

    ok();
    for (i = 0; i < COUNTERS; i++)
        text_number((int32_t)(wire_counter(i) & 0x7FFFFFFFu));
}

static void do_tt(void)
{
    wire_terminal();
    ok();
}

static void do_mv(void)
{
    if (!within(values[0], 0, AXES - 1) || !within_limits((uint8_t)values[0], values[1]) || !may_go())
        return;
    motion_goto((uint8_t)values[0], values[1]);
    ok_state();
}

static void do_ma(void)
{
    uint8_t i;

    if (!all_within_limits(values) || !may_go())
        return;
    for (i = 0; i < AXES; i++)
        motion_goto(i, values[i]);
    ok_state();
}

static void do_ls(void)
{
    if (!within(values[0], 0, 1))
        return;
    clock_lockstep(values[0] == 1);
    ok();
    status_flags();
}

static void do_tk(void)
{
    if (!within(values[0], 1, LOCKSTEP_HIGH))
        return;
    if (!clock_in_lockstep()) {
        refuse(MODE);
        return;
    }
    while (values[0]--)
        device_cycle();
    ok_status();
}

enum kind { PLAIN = 1, NANS = 2, READS = 4 }; /* may be typed; `nan` for a number; reads its arguments for itself */

struct verb {
    char name[2];
    uint8_t kind, least, most; /* numbers that it takes */
    void (*act)(void);
};

static const struct verb table[] IN_FLASH = {
    {"HI", PLAIN, 0, 0, do_hi},           {"DD", PLAIN, 0, 1, do_dd},
    {"ST", PLAIN, 0, 0, ok_status},       {"SV", NANS, 1 + AXES, 1 + AXES, do_sv},
    {"EN", PLAIN, 1, 1, do_en},           {"HT", PLAIN, 0, 0, do_ht},
    {"RS", PLAIN | READS, 0, 0, do_rs},   {"WD", PLAIN, 0, 1, do_wd},
    {"TM", PLAIN, 0, 1, do_tm},           {"CN", PLAIN, 0, 0, do_cn},
    {"TT", PLAIN, 0, 0, do_tt},           {"MV", PLAIN, 2, 2, do_mv},
    {"MA", PLAIN, AXES, AXES, do_ma},     {"LS", 0, 1, 1, do_ls},
    {"TK", 0, 1, 1, do_tk},
};

uint8_t verbs_count(void)
{
    return sizeof table / sizeof table[0];
}

static void look_up(uint8_t index, struct verb *copy)
{
    flash_copy(copy, &table[index], sizeof *copy);
}

void verbs_name(uint8_t index, char name[2])
{
    struct verb verb;

    look_up(index, &verb);
    name[0] = verb.name[0];
    name[1] = verb.name[1];
}

/* As many numbers as the verb takes. The lowest of all stands for `nan`, and is as a number beyond every limit anyway. */
static bool read_values(const struct verb *verb, const char *at)
{
    for (given = 0; *at; given++) {
        if (given == verb->most)
            return false;
        if (verb->kind & NANS && argument_nan(&at))
            values[given] = NOWHERE;
        else if (!argument_int(&at, &values[given]))
            return false;
        else if (values[given] == NOWHERE)
            values[given]++;
    }
    return given >= verb->least;
}

static void execute(const struct verb *verb)
{
    if (verb->kind & READS || read_values(verb, rest))
        verb->act();
    else
        refuse(SYNTAX);
}

void verbs_execute(const char *request, bool plain)
{
    struct verb verb;
    uint8_t i;

    rest = request + 2;
    typed = plain;
    for (i = 0; i < verbs_count(); i++) {
        look_up(i, &verb);
        if (verb.name[0] != request[0] || verb.name[1] != request[1])
            continue;
        if (plain && !(verb.kind & PLAIN))
            break;
        execute(&verb);
        return;
    }
    refuse(VERB);
}
