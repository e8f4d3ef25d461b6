/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 linac-ctl contributors
 *
 * The firmware as a program on POSIX: behind a pty that it makes and whose name it prints, or on standard input and output. */
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

#include "device.h"
#include "hal.h"

#define ROOM 4096u    /* send buffer, bytes */
#define LOOK_MS 1     /* while nobody has the pty open: how often to look */

static int in_fd = STDIN_FILENO, out_fd = STDOUT_FILENO, has_hung_up;
static char waiting[ROOM]; /* bytes to send: a ring */
static unsigned first, count;
static unsigned char got[512];
static int got_size, got_next;

static void drain(void)
{
    while (count) {
        unsigned run = first + count > ROOM ? ROOM - first : count;
        ssize_t sent = write(out_fd, waiting + first, run);

        if (sent <= 0)
            return; /* full, or nobody there: later */
        first = (first + (unsigned)sent) % ROOM;
        count -= (unsigned)sent;
    }
}

/* The other side has closed. A pty waits for the next one, and keeps nothing for them; a pipe is the end. */
static void hang_up(void)
{
    if (in_fd != out_fd)
        exit(0);
    has_hung_up = 1;
    count = 0;
    tcflush(out_fd, TCIOFLUSH);
}

static void fill(void)
{
    ssize_t size = read(in_fd, got, sizeof got);

    got_next = 0;
    got_size = size > 0 ? (int)size : 0;
    if (size == 0 || (size < 0 && errno == EIO))
        hang_up();
    else if (size > 0)
        has_hung_up = 0;
}

int hal_get(void)
{
    if (got_next == got_size && !has_hung_up)
        fill();
    return got_next < got_size ? got[got_next++] : -1;
}

uint16_t hal_room(void)
{
    drain();
    return has_hung_up ? 0 : (uint16_t)(ROOM - count);
}

void hal_put(char byte)
{
    waiting[(first + count++) % ROOM] = byte;
}

uint32_t hal_millis(void)
{
    static time_t begun;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!begun)
        begun = now.tv_sec;
    return (uint32_t)(now.tv_sec - begun) * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

/* The session number: another one at every start. */
uint32_t hal_seed(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint32_t)now.tv_sec ^ ((uint32_t)now.tv_nsec << 2) ^ ((uint32_t)getpid() << 16);
}

void hal_drives(bool powered)
{
    (void)powered;
}

/* poll() on a pty that nobody has open returns at once, so then it is a pause between two looks. */
void hal_idle(void)
{
    struct pollfd ends[] = {{in_fd, POLLIN, 0}, {out_fd, 0, 0}};

    drain();
    ends[1].events = count ? POLLOUT : 0;
    if (has_hung_up) {
        nanosleep(&(struct timespec){0, LOOK_MS * 1000000L}, NULL);
        if (poll(ends, 1, 0) == 0 || !(ends[0].revents & POLLHUP))
            has_hung_up = 0;
    } else if (got_next == got_size)
        poll(ends, in_fd == out_fd ? 1 : 2, 1);
}

static int make_pty(const char *link)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
    struct termios raw;

    if (master < 0 || grantpt(master) || unlockpt(master))
        return -1;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0 || tcgetattr(slave, &raw))
        return -1;
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0; /* raw: a pty echoes unless told not to */
    raw.c_cflag = CS8 | CREAD | CLOCAL;
    tcsetattr(slave, TCSANOW, &raw);
    close(slave);
    if (link && (unlink(link), symlink(ptsname(master), link)))
        return -1;
    printf("%s\n", link ? link : ptsname(master));
    return fflush(stdout) ? -1 : master;
}

static int usage(void)
{
    fputs("usage: couch [--pty [LINK] | --stdio]   the firmware behind a pty (its name is printed), or on stdin and stdout\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "--pty";

    if (argc > 3 || (strcmp(mode, "--pty") && (strcmp(mode, "--stdio") || argc > 2)))
        return usage();
    if (!strcmp(mode, "--pty")) {
        in_fd = out_fd = make_pty(argc == 3 ? argv[2] : NULL);
        has_hung_up = 1;
    }
    if (in_fd < 0) {
        perror("couch: cannot make a pty");
        return 1;
    }
    fcntl(in_fd, F_SETFL, fcntl(in_fd, F_GETFL) | O_NONBLOCK);
    fcntl(out_fd, F_SETFL, fcntl(out_fd, F_GETFL) | O_NONBLOCK);
    for (device_start();;)
        device_poll();
}
