/* A host of Extism's engine, for comparison:  host LIBRARY MODULE BYTES...
 * Prints nanoseconds: of loading the module, then the median of a call at each size. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void plugin;
typedef plugin *(*plugin_new)(const uint8_t *, uint64_t, const void **, uint64_t, bool, char **);
typedef int32_t (*plugin_call)(plugin *, const char *, const uint8_t *, uint64_t);
typedef uint64_t (*output_length)(plugin *);
typedef const uint8_t *(*output_data)(plugin *);

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int by_time(const void *a, const void *b) {
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void *named(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "%s is missing\n", name);
        exit(1);
    }
    return found;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    const plugin_new new = (plugin_new)named(library, "extism_plugin_new");
    const plugin_call call = (plugin_call)named(library, "extism_plugin_call");
    const output_length length = (output_length)named(library, "extism_plugin_output_length");
    const output_data data = (output_data)named(library, "extism_plugin_output_data");

    static uint8_t module[1 << 20];
    FILE *file = fopen(arguments[2], "rb");
    if (!file) return 1;
    const size_t bytes = fread(module, 1, sizeof module, file);
    fclose(file);
    char *error = NULL;
    const uint64_t began = now();
    plugin *echo = new (module, bytes, NULL, 0, false, &error);
    printf("%llu\n", (unsigned long long)(now() - began));
    if (!echo) {
        fprintf(stderr, "%s\n", error ? error : "no plugin");
        return 1;
    }

    enum { MOST = 4000 };
    static uint64_t times[MOST];
    for (int at = 3; at < count; at++) {
        const uint64_t size = strtoull(arguments[at], NULL, 10);
        uint8_t *input = malloc(size);
        memset(input, 'x', size);
        const int rounds = size > 100000 ? 200 : MOST;
        for (int round = -100; round < rounds; round++) {
            const uint64_t start = now();
            if (call(echo, "echo", input, size) != 0) return 1;
            if (length(echo) != size || memcmp(data(echo), input, size) != 0) return 1;
            if (round >= 0) times[round] = now() - start;
        }
        qsort(times, (size_t)rounds, sizeof *times, by_time);
        printf("%llu\n", (unsigned long long)times[rounds / 2]);
        free(input);
    }
    return 0;
}
