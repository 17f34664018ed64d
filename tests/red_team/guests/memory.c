/* Memory and the stack. */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

/* Without it, the compiler would see that nothing comes of the blocks, and leave them out. */
static void *volatile block;

static void bomb(answer *to) {
    for (size_t kept = 0;; kept += 1 << 20) {
        char *more = malloc(1 << 20);
        if (!more) {
            free(block);
            fail(to, JACKFIELD_PLUGIN_TYPES_FAILURE_INTERNAL, "no more memory after %s", kept < 1 << 29 ? "a while" : "512 MiB");
            return;
        }
        memset(more, 1, 1 << 20);
        block = more;
    }
}

/* As often as it is called, with all that there may be, and not a byte of it touched or given back. */
static void grow(answer *to) {
    while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1) {}
    (void)to;
    __builtin_trap();
}

static int deeper(volatile int *depth) {
    volatile int here = *depth + 1;
    return deeper(&here) + here;
}

static void recurse(answer *to) {
    volatile int depth = 0;
    got(to, "%d", deeper(&depth));
}

/* Frames so large that a few go past the end of the stack. */
__attribute__((noinline)) static char wide(volatile char *above, int depth) {
    volatile char frame[1 << 16];
    memset((char *)frame, depth, sizeof frame);
    return depth > 100000 ? above[0] : (char)(wide(frame, depth + 1) + frame[depth % sizeof frame]);
}

static void overflow(answer *to) {
    volatile char nothing = 0;
    got(to, "%d", wide(&nothing, 1));
}

/* An address outside of its memory. */
static void wild(answer *to) {
    volatile char *wild = (char *)0xfffffff0u;
    got(to, "read %d", *wild);
}

typedef int (*function)(int);

/* A call through a pointer that is no function. */
static void wild_call(answer *to) {
    volatile uintptr_t nowhere = 99999;
    got(to, "called %d", ((function)nowhere)(1));
}

const attack memory[] = {
    { .name = "memory-bomb", .run = bomb },
    { .name = "memory-grow", .run = grow },
    { .name = "recursion", .run = recurse },
    { .name = "stack-overflow", .run = overflow },
    { .name = "wild-pointer", .run = wild },
    { .name = "wild-call", .run = wild_call },
    { 0 },
};
