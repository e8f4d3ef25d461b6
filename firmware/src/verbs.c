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
#include "wire.h"

#ifndef BOARD
#define BOARD "none"
#endif
#ifndef BAUD
#define BAUD 0
#endif

enum refusal { NONE, SYNTAX, VERB, LIMIT, STATE, UNARMED, SESSION, MODE };

/* A request being answered. A verb reads its arguments, checks, acts, and then writes the reply, or refuses before it acts. */
struct job {
    const char *at; /* the space before the next argument */
    struct text *reply;
    bool plain;
};

static void ok(struct job *job)
{
    TEXT(job->reply, "OK ");
    text_uint(job->reply, clock_ms());
}

static void ok_state(struct job *job)
{
    ok(job);
    status_state(job->reply);
}

static void ok_status(struct job *job)
{
    ok(job);
    status_all(job->reply);
}

static void refuse(struct job *job, enum refusal code)
{
    static const char words[][8] IN_FLASH = {"", "syntax", "verb", "limit", "state", "unarmed", "session", "mode"};

    TEXT(job->reply, "ER ");
    text_uint(job->reply, clock_ms());
    text_number(job->reply, (int32_t)code);
    text_char(job->reply, ' ');
    text_flash(job->reply, words[code]);
}

static void refuse_limit(struct job *job, int32_t low, int32_t high)
{
    refuse(job, LIMIT);
    text_range(job->reply, low, high);
}

static void refuse_state(struct job *job)
{
    refuse(job, STATE);
    TEXT_KEY(job->reply, "state", (int32_t)motion_state());
}

/* One number between limits and nothing after it; refuses otherwise. */
static bool only_number(struct job *job, int32_t *value, int32_t low, int32_t high)
{
    if (!argument_int(&job->at, value) || !argument_none(job->at)) {
        refuse(job, SYNTAX);
        return false;
    }
    if (*value < low || *value > high) {
        refuse_limit(job, low, high);
        return false;
    }
    return true;
}

static bool no_arguments(struct job *job)
{
    if (argument_none(job->at))
        return true;
    refuse(job, SYNTAX);
    return false;
}

static bool within_limits(struct job *job, uint8_t axis, int32_t target_um)
{
    struct axis_limits limits;

    unit_limits(axis, &limits);
    if (target_um >= limits.low_um && target_um <= limits.high_um)
        return true;
    refuse(job, LIMIT);
    TEXT_KEY(job->reply, "axis", axis);
    text_range(job->reply, limits.low_um, limits.high_um);
    return false;
}

static bool all_within_limits(struct job *job, const int32_t *targets_um)
{
    uint8_t i;

    for (i = 0; i < AXES; i++)
        if (targets_um[i] != NOWHERE && !within_limits(job, i, targets_um[i]))
            return false;
    return true;
}

/* MV and MA need drives under power and no latched stop. */
static bool may_go(struct job *job)
{
    if (motion_powered() && !motion_latched())
        return true;
    refuse_state(job);
    return false;
}

static void do_hi(struct job *job)
{
    if (!no_arguments(job))
        return;
    ok(job);
    TEXT(job->reply, "proto=1 unit=" UNIT);
    TEXT_KEY(job->reply, "axes", AXES);
    TEXT(job->reply, "fw=" FIRMWARE " serial=" BOARD " session=");
    text_hex(job->reply, wire_session(), 8);
    TEXT(job->reply, "caps=ls");
    TEXT_KEY(job->reply, "maxline", MAXLINE);
    TEXT_KEY(job->reply, "baud", BAUD);
}

static void do_dd(struct job *job)
{
    int32_t index;

    if (argument_none(job->at)) {
        ok(job);
        text_number(job->reply, describe_count());
    } else if (only_number(job, &index, 0, describe_count() - 1)) {
        ok(job);
        describe_item((uint8_t)index, job->reply);
    }
}

static void do_st(struct job *job)
{
    if (no_arguments(job))
        ok_status(job);
}

/* Of SV: a number or `nan`, for every axis. */
static bool targets(const char **at, int32_t *targets_um)
{
    uint8_t i;

    for (i = 0; i < AXES; i++)
        if (argument_nan(at))
            targets_um[i] = NOWHERE;
        else if (!argument_int(at, &targets_um[i]))
            return false;
        else if (targets_um[i] == NOWHERE)
            targets_um[i]++; /* as a number it is beyond every limit */
    return true;
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

static void do_sv(struct job *job)
{
    int32_t on, targets_um[AXES];

    if (!argument_int(&job->at, &on) || !targets(&job->at, targets_um) || !argument_none(job->at))
        refuse(job, SYNTAX);
    else if (on < 0 || on > 1)
        refuse_limit(job, 0, 1);
    else if (!on || all_within_limits(job, targets_um)) {
        follow(on == 1, targets_um);
        if (clock_in_lockstep())
            device_cycle();
        ok_status(job);
    }
}

static void do_en(struct job *job)
{
    int32_t on;

    if (!only_number(job, &on, 0, 1))
        return;
    if (on && motion_latched()) {
        refuse_state(job);
        return;
    }
    if (!motion_latched())
        motion_power(on == 1);
    ok_state(job);
}

static void do_ht(struct job *job)
{
    if (!no_arguments(job))
        return;
    if (motion_powered())
        motion_halt();
    ok_state(job);
}

static void do_rs(struct job *job)
{
    uint32_t session = wire_session();

    if (!(job->plain && argument_none(job->at)) && (!argument_hex(&job->at, &session) || !argument_none(job->at)))
        refuse(job, SYNTAX);
    else if (session != wire_session())
        refuse(job, SESSION);
    else {
        motion_reset();
        ok_state(job);
    }
}

static void do_wd(struct job *job)
{
    int32_t ms;

    if (!argument_none(job->at)) {
        if (!only_number(job, &ms, WATCHDOG_LOW_MS, WATCHDOG_HIGH_MS))
            return;
        wire_set_watchdog((uint16_t)ms);
    }
    ok(job);
    text_number(job->reply, wire_watchdog_ms());
}

static void do_tm(struct job *job)
{
    int32_t ms;

    if (!argument_none(job->at)) {
        if (!only_number(job, &ms, 0, TELEMETRY_HIGH_MS))
            return;
        if (ms > 0 && ms < TELEMETRY_LOW_MS) {
            refuse_limit(job, TELEMETRY_LOW_MS, TELEMETRY_HIGH_MS);
            return;
        }
        telemetry_set_period((uint16_t)ms);
    }
    ok(job);
    text_number(job->reply, telemetry_period_ms());
}

static void do_cn(struct job *job)
{
    uint8_t i;

    if (!no_arguments(job))
        return;
    ok(job);
    for (i = 0; i < COUNTERS; i++)
        text_number(job->reply, (int32_t)(wire_counter(i) & 0x7FFFFFFFu));
}

static void do_tt(struct job *job)
{
    if (!no_arguments(job))
        return;
    wire_terminal();
    ok(job);
}

static void do_mv(struct job *job)
{
    int32_t axis, target_um;

    if (!argument_int(&job->at, &axis) || !argument_int(&job->at, &target_um) || !argument_none(job->at))
        refuse(job, SYNTAX);
    else if (axis < 0 || axis >= AXES)
        refuse_limit(job, 0, AXES - 1);
    else if (within_limits(job, (uint8_t)axis, target_um) && may_go(job)) {
        motion_goto((uint8_t)axis, target_um);
        ok_state(job);
    }
}

static void do_ma(struct job *job)
{
    int32_t targets_um[AXES];
    uint8_t i;

    if (!argument_ints(&job->at, targets_um, AXES) || !argument_none(job->at))
        refuse(job, SYNTAX);
    else if (all_within_limits(job, targets_um) && may_go(job)) {
        for (i = 0; i < AXES; i++)
            motion_goto(i, targets_um[i]);
        ok_state(job);
    }
}

static void do_ls(struct job *job)
{
    int32_t on;

    if (!only_number(job, &on, 0, 1))
        return;
    clock_lockstep(on == 1);
    ok(job);
    status_flags(job->reply);
}

static void do_tk(struct job *job)
{
    int32_t cycles;

    if (!only_number(job, &cycles, 1, LOCKSTEP_HIGH))
        return;
    if (!clock_in_lockstep()) {
        refuse(job, MODE);
        return;
    }
    while (cycles--)
        device_cycle();
    ok_status(job);
}

struct verb {
    char name[2];
    bool plain; /* may be typed in terminal mode */
    void (*act)(struct job *job);
};

static const struct verb table[] IN_FLASH = {
    {"HI", true, do_hi}, {"DD", true, do_dd}, {"ST", true, do_st}, {"SV", false, do_sv}, {"EN", true, do_en},
    {"HT", true, do_ht}, {"RS", true, do_rs}, {"WD", true, do_wd}, {"TM", true, do_tm}, {"CN", true, do_cn},
    {"TT", true, do_tt}, {"MV", true, do_mv}, {"MA", true, do_ma}, {"LS", false, do_ls}, {"TK", false, do_tk},
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

void verbs_execute(const char *request, bool plain, struct text *reply)
{
    struct job job = {request + 2, reply, plain};
    struct verb verb;
    uint8_t i;

    for (i = 0; i < verbs_count(); i++) {
        look_up(i, &verb);
        if (verb.name[0] != request[0] || verb.name[1] != request[1])
            continue;
        if (plain && !verb.plain)
            break;
        verb.act(&job);
        return;
    }
    refuse(&job, VERB);
}
