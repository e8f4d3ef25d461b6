/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * Runs an ATmega328P firmware in real time, its UART behind a pty whose name is printed; bytes take their time at the baud rate.
 * A program of its own, built only where simavr's library is installed. That library is under GPL-3, so the PROGRAM that comes
 * out of this file and the library is under GPL-3 as a whole: use it, and do not hand on the binary under other terms. Nothing
 * of linac-ctl links to it or needs it.
 *
 * build: cc run_simavr.c -o run_simavr -I/usr/include/simavr -lsimavr -lelf */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <avr_eeprom.h>
#include <avr_uart.h>
#include <sim_avr.h>
#include <sim_elf.h>

#define CLOCK_HZ 16000000
#define SLICE_US 500 /* cycles are run this far ahead of the clock, then the program sleeps */

static int pty;
static avr_irq_t *to_uart;
static int uart_takes;
static unsigned char got[256];
static ssize_t got_size, got_next;

static void from_uart(struct avr_irq_t *irq, uint32_t value, void *param)
{
    char byte = (char)value;

    (void)irq, (void)param;
    if (write(pty, &byte, 1) != 1)
        return; /* nobody reads: a wire loses it too */
}

static void open_gate(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)value, (void)param;
    uart_takes = 1;
}

static void close_gate(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)value, (void)param;
    uart_takes = 0;
}

static void no_sleep(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr, (void)cycles; /* the slices keep the time */
}

static int make_pty(const char *link)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
    struct termios raw;

    if (master < 0 || grantpt(master) || unlockpt(master))
        return -1;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY); /* stays open: no hang-up to handle here */
    if (slave < 0 || tcgetattr(slave, &raw))
        return -1;
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
    raw.c_cflag = CS8 | CREAD | CLOCAL;
    tcsetattr(slave, TCSANOW, &raw);
    if (link && (unlink(link), symlink(ptsname(master), link)))
        return -1;
    printf("%s\n", link ? link : ptsname(master));
    return fflush(stdout) ? -1 : master;
}

/* It tells how it loads; standard output is for the pty's name alone. */
static void no_log(struct avr_t *avr, const int level, const char *format, va_list words)
{
    if (level == LOG_ERROR)
        vfprintf(stderr, format, words);
    (void)avr;
}

/* A board remembers how often it was powered up; here every start finds another number. */
static void fill_eeprom(avr_t *avr)
{
    struct timespec now;
    uint32_t count;
    avr_eeprom_desc_t cell = {(uint8_t *)&count, 0, sizeof count};

    clock_gettime(CLOCK_REALTIME, &now);
    count = (uint32_t)now.tv_sec ^ (uint32_t)now.tv_nsec;
    avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &cell);
}

static avr_t *make_avr(const char *path)
{
    elf_firmware_t firmware;
    avr_t *avr = avr_make_mcu_by_name("atmega328p");
    uint32_t flags = 0;

    avr_global_logger_set(no_log);
    memset(&firmware, 0, sizeof firmware);
    if (!avr || elf_read_firmware(path, &firmware))
        return NULL;
    avr_init(avr);
    avr_load_firmware(avr, &firmware);
    avr->frequency = CLOCK_HZ;
    avr->sleep = no_sleep;
    fill_eeprom(avr);
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    to_uart = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), from_uart, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), open_gate, NULL);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), close_gate, NULL);
    return avr;
}

static void feed(void)
{
    if (got_next == got_size) {
        got_next = 0;
        got_size = read(pty, got, sizeof got);
        got_size = got_size > 0 ? got_size : 0;
    }
    while (uart_takes && got_next < got_size)
        avr_raise_irq(to_uart, got[got_next++]);
}

static int run_until(avr_t *avr, avr_cycle_count_t cycle)
{
    while (avr->cycle < cycle) {
        int state = avr_run(avr);

        if (state == cpu_Done || state == cpu_Crashed)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct timespec due;
    avr_cycle_count_t goal = 0; /* not the cycle reached: a sleeping processor jumps to its next interrupt */
    avr_t *avr = argc > 1 ? make_avr(argv[1]) : NULL;

    if (!avr || argc > 3) {
        fputs("usage: run_simavr FIRMWARE.elf [LINK]\n", stderr);
        return 2;
    }
    if ((pty = make_pty(argc == 3 ? argv[2] : NULL)) < 0) {
        perror("run_simavr: cannot make a pty");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (;;) {
        feed();
        if (run_until(avr, goal += CLOCK_HZ / 1000000 * SLICE_US))
            return 1;
        due.tv_nsec += SLICE_US * 1000;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
}
