/* How long the package for C takes to read a JSON document and write it again. docs/benchmarks.md has the command. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

static void host_log(jf_call *call, jf_level level, jf_text message) {
    (void)call, (void)level;
    fprintf(stderr, "%.*s\n", (int)message.length, message.data);
}
static const jf_host host = { .log = host_log };

static void read_and_write(jf_text document) {
    jf_call call = { .host = &host };
    const jf_json *value;
    jf_text text;
    if (jf_json_read(&call, JF_INTERNAL, document, &value) != JF_OK || jf_json_write(&call, value, &text) != JF_OK) abort();
    jf_end(&call);
}

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The document that is being made. */
static char document[2000000];
static size_t length;

static void begin(const char *text) {
    length = strlen(text);
    memcpy(document, text, length);
}

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)vsnprintf(document + length, sizeof document - length, format, arguments);
    va_end(arguments);
}

/* The shortest time of several, each of many documents. */
static void measure(const char *name) {
    double shortest = 1;
    for (int time = 0; time < 10; time++) {
        double start = seconds(), taken = 0;
        long count = 0;
        for (; taken < 0.1; count++, taken = seconds() - start) read_and_write((jf_text){ document, length });
        if (taken / (double)count < shortest) shortest = taken / (double)count;
    }
    printf("| %s | %zu B | %.2f us | %.0f MB/s |\n", name, length, shortest * 1e6, (double)length / shortest / 1e6);
}

static void measure_text(const char *name, const char *part, int count) {
    begin("{\"text\":\"");
    for (int at = 0; at < count; at++) add("%s", part);
    add("\"}");
    measure(name);
}

static void measure_numbers(const char *name, const char *format) {
    begin("[");
    srand(1);
    for (int at = 0; at < 2000; at++) {
        if (at > 0) add(",");
        double number = (double)rand() / RAND_MAX;
        if (strcmp(format, "%d") == 0) add("%d", (int)(number * 1e9));
        else length += (size_t)snprintf(document + length, sizeof document - length, format, number);
    }
    add("]");
    measure(name);
}

int main(void) {
    printf("| document | size | read and written | of it |\n| --- | --- | --- | --- |\n");
    measure_text("a short text", "the words of a text ", 5);
    measure_text("a text", "the words of a text ", 500);
    measure_text("a long text", "the words of a text ", 50000);
    measure_text("a text in Greek, with escapes", "οι λέξεις\\n", 500);
    begin("[");
    for (int at = 0; at < 100; at++) {
        add("%s{\"id\":\"c%d\",\"text\":\"A claim about a thing.\",\"score\":%d,\"from\":[%d,%d],\"kept\":true,\"note\":null}",
            at > 0 ? "," : "", at, at * 7, at, at + 5);
    }
    add("]");
    measure("100 objects of 6 members");
    measure_numbers("2000 integers", "%d");
    measure_numbers("2000 numbers of 3 digits", "%.3f");
    measure_numbers("2000 numbers of 17 digits", "%.17g");
    return EXIT_SUCCESS;
}
