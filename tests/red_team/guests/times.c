/* Time: computing, waiting, and looking at the clock. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "hostile.h"

static void loop(answer *to) {
    (void)to;
    for (volatile unsigned n = 0;; n++) {}
}

static void loop_in_open(void) {
    for (volatile unsigned n = 0;; n++) {}
}

/* An endless loop, most of it within the host. */
static void loop_in_host(answer *to) {
    (void)to;
    for (;;) {
        (void)jackfield_plugin_host_cancelled();
        for (volatile unsigned n = 0; n < 1000000; n++) {}
    }
}

static void busy_wait(answer *to) {
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec < began.tv_sec + 3600);
    got(to, "waited an hour");
}

/* What the clocks say: nothing, unless it was granted. */
static void clocks(answer *to) {
    struct timespec began, later, day;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (volatile unsigned n = 0; n < 20000000; n++) {}
    clock_gettime(CLOCK_MONOTONIC, &later);
    clock_gettime(CLOCK_REALTIME, &day);
    bool passed = began.tv_sec != later.tv_sec || began.tv_nsec != later.tv_nsec;
    got(to, "time %s, and it is %s", passed ? "passes" : "stands still", day.tv_sec ? "some day" : "1970");
}

static void sleeps(answer *to) {
    sleep(3600);
    got(to, "slept an hour");
}

static void sleeps_in_open(void) { sleep(3600); }

/* Many short ones: each of them is let pass. */
static void naps(answer *to) {
    struct timespec nap = { 0, 1000000 };
    for (int n = 0; n < 3600000; n++) nanosleep(&nap, NULL);
    got(to, "napped for an hour");
}

static void randomness(answer *to) {
    uint32_t one;
    arc4random_buf(&one, sizeof one);
    got(to, "%u", one);
}

const attack times[] = {
    { .name = "loop", .run = loop },
    { .name = "loop-open", .open = loop_in_open },
    { .name = "loop-in-host", .run = loop_in_host },
    { .name = "busy-wait", .asks = "clock", .run = busy_wait },
    { .name = "clocks", .asks = "clock", .run = clocks },
    { .name = "sleep", .asks = "clock", .run = sleeps },
    { .name = "sleep-open", .asks = "clock", .open = sleeps_in_open },
    { .name = "naps", .asks = "clock", .run = naps },
    { .name = "random", .asks = "random", .run = randomness },
    { 0 },
};
