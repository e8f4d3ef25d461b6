/* The arithmetic of a scan cycle in plain C: noise, drives, encoders, worst-of signals, chambers. Record layouts come from
   the dtypes of the simulator (layout.h, written by c_reference.py), so both sides work on the same memory.
   Build: cc -O3 -march=native -ffp-contract=off -shared -fPIC */
#include <math.h>
#include <stdint.h>
#include "layout.h"

#define DT_S 0.01
#define PER_DT (1.0 / DT_S)
#define FAR 1e9

static inline double clip(double x, double low, double high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

static inline uint32_t mix(uint32_t x) {
    x ^= x >> 16; x *= 0x21F0AAADu;
    x ^= x >> 15; x *= 0x735A2D97u;
    return x ^ (x >> 15);
}

static inline uint32_t pairs(uint32_t x) {
    x -= (x >> 1) & 0x55555555u;
    return (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
}

static void draw(const uint32_t *key, const uint32_t *key_2, double *sample, int64_t n, int64_t cycle) {
    uint32_t now = (uint32_t)(cycle * 0x9E3779B9LL);
    for (int64_t i = 0; i < n; i++) {
        uint32_t high = mix(key[i] + now), low = mix(high ^ key_2[i]);
        uint32_t dither = (low * 0x9E3779B9u) >> 20, count = pairs(high) + pairs(low);
        count = (count & 0x0F0F0F0Fu) + ((count >> 4) & 0x0F0F0F0Fu);
        count = (count * 0x01010101u) >> 24;
        sample[i] = ((double)(int32_t)((count << 12) + dither) - 133119.5) * (1.0 / 16384.0);
    }
}

static inline void servo(Drive *d, double setpoint) {
    double last = d->tracking > 0.5 ? d->last_setpoint : setpoint;
    double asked_v = (setpoint - last) * PER_DT * d->forward, error = last - d->seen;
    double closing = d->two_a * error / (sqrt(d->two_a * fabs(error) + d->knee_2) + d->knee);
    double wanted_v = clip(asked_v + closing, -d->v_max, d->v_max);
    double wanted_a = (wanted_v - d->velocity) * d->kv + (asked_v - d->last_asked_v) * d->ka;
    wanted_a = clip(wanted_a * d->gain, -d->a_max, d->a_max);
    d->last_setpoint = setpoint;
    d->last_asked_v = asked_v;
    d->tracking = 1.0;
    d->acceleration += clip(wanted_a - d->acceleration, -d->jerk_dt, d->jerk_dt);
    d->velocity = (d->velocity + d->acceleration * DT_S) * d->moves;
}

static inline void brake(Drive *d) {
    d->velocity -= clip(d->velocity, -d->brake_dt, d->brake_dt);
    d->acceleration = d->last_asked_v = d->tracking = 0.0;
}

static void step_drives(Drive *drives, Axis *wires, const double *sample, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        Drive *d = drives + i;
        if (fabs(wires[i].setpoint - d->seen) < FAR) servo(d, wires[i].setpoint);
        else brake(d);
        double moved = d->position + (d->velocity + d->creep) * DT_S;
        d->position = clip(moved, d->low, d->high);
        d->velocity = d->position == moved ? d->velocity : 0.0;
    }
    for (int64_t i = 0; i < n; i++) {
        Drive *d = drives + i;
        d->coupled = clip(d->coupled, d->position - d->play, d->position + d->play);
        d->bias += d->drift_per_cycle;
        double raw = d->coupled * d->scale + d->bias + d->sigma * sample[d->stream];
        double raw_2 = d->position * d->scale_2 + d->bias_2 + d->sigma_2 * sample[d->stream + 1];
        d->seen = d->freeze > 0.5 ? d->seen : rint(raw * d->per_lsb) * d->lsb;
        wires[i].readback = d->seen;
        wires[i].readback_2 = d->freeze_2 < 0.5 ? rint(raw_2 * d->per_lsb_2) * d->lsb_2 : wires[i].readback_2;
    }
}

static inline double worst(double x, double y) { return (x >= y) | (x != x) ? x : y; }

static void measure(double *signals, const Aim *aims, const Axis *wires, int64_t n) {
    double off = 0.0, away = 0.0, split = 0.0, beyond = -1e9;
    for (int64_t i = 0; i < n; i++) {
        double at = wires[i].readback;
        off = worst(fabs(wires[i].setpoint - at), off);
        away = worst(fabs(aims[i].goal - at) * aims[i].per_tolerance, away);
        split = worst(fabs(at - wires[i].readback_2), split);
        beyond = worst(fabs(at - aims[i].middle) - aims[i].half, beyond);
    }
    signals[0] = off; signals[1] = away; signals[2] = split; signals[3] = beyond;
}

static void collect(Chamber *c, double dose_mu, double pulses, const double *sample) {
    double gain = c->gain * c->field_gain * (c->hv_v * c->per_hv);
    double reading = dose_mu * gain * (1.0 + c->sigma * sample[c->stream]), most = c->most_mu_per_pulse * pulses;
    c->reading_mu = reading > most ? most : reading;
    c->counter_mu += c->reading_mu;
}

void run(Drive *drives, Axis *wires, const Aim *aims, Chamber *chambers, const uint32_t *key, const uint32_t *key_2,
         double *sample, double *signals, int64_t axes, int64_t streams, int64_t chamber_count, int64_t cycles) {
    for (int64_t k = 0; k < cycles; k++) {
        draw(key, key_2, sample, streams, k);
        for (int64_t i = 0; i < axes; i++) wires[i].setpoint += k & 64 ? 0.01 : -0.01;
        step_drives(drives, wires, sample, axes);
        for (int64_t i = 0; i < chamber_count; i++) collect(chambers + i, 0.4, 4.0, sample);
        measure(signals, aims, wires, axes);
    }
}
