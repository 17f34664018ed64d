/* The cache and the model of the stage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

static bool put(const char *key, size_t length, const void *bytes, size_t size, jackfield_plugin_types_failure_t *failure) {
    plugin_string_t name = { (uint8_t *)key, length };
    plugin_list_u8_t value = { (uint8_t *)bytes, size };
    return jackfield_plugin_cache_put(0, &name, &value, NULL, failure);
}

/* Keeps the target under the key `secret`. */
static void keeps(answer *to) {
    jackfield_plugin_types_failure_t failure;
    if (!put("secret", 6, target, strlen(target), &failure)) return refused(to, &failure);
    got(to, "kept");
}

/* Looks for what others kept. */
static void peeks(answer *to) {
    const char *keys[] = { "secret", "../secret", "../../secret", "/secret", "", "*", "%", "store/", target };
    char said[512] = "";
    for (size_t n = 0; n < sizeof keys / sizeof *keys; n++) {
        plugin_string_t key = lent(keys[n]);
        plugin_option_list_u8_t found;
        jackfield_plugin_types_failure_t failure;
        if (!jackfield_plugin_cache_get(0, &key, &found, &failure)) return refused(to, &failure);
        if (found.is_some) snprintf(said, sizeof said, "%s: %.*s", keys[n], (int)found.val.len, found.val.ptr);
    }
    if (*said) return got(to, "%s", said);
    fail(to, JACKFIELD_PLUGIN_TYPES_FAILURE_INTERNAL, "nothing of others");
}

/* Keys of bytes that mean something to somebody: each has to come back with its own value. */
static void odd_keys(answer *to) {
    static char longest[100000];
    memset(longest, 'k', sizeof longest - 1);
    static const struct {
        const char *key;
        size_t length;
    } odd[] = {
        { "\0", 1 },      { "a\0b", 3 },    { "a\nb\r", 4 },           { "'; DROP TABLE entries; --", 25 },
        { "%_*?[", 5 },   { "\x1b[2J", 4 }, { "\xe2\x80\xae", 3 },     { "../../etc/passwd", 16 },
        { "", 0 },        { "{}", 2 },      { "\xef\xbf\xbf\x7f", 4 }, { longest, sizeof longest - 1 },
    };
    jackfield_plugin_types_failure_t failure;
    size_t count = sizeof odd / sizeof *odd, right = 0;
    for (size_t n = 0; n < count; n++)
        if (!put(odd[n].key, odd[n].length, &n, sizeof n, &failure)) return refused(to, &failure);
    for (size_t n = 0; n < count; n++) {
        plugin_string_t key = { (uint8_t *)odd[n].key, odd[n].length };
        plugin_option_list_u8_t found;
        if (!jackfield_plugin_cache_get(0, &key, &found, &failure)) return refused(to, &failure);
        right += found.is_some && found.val.len == sizeof n && memcmp(found.val.ptr, &n, sizeof n) == 0;
    }
    got(to, "%zu of %zu keys are kept apart", right, count);
}

static void key_of_no_text(answer *to) {
    jackfield_plugin_types_failure_t failure;
    if (!put("\xff\xfe", 2, "x", 1, &failure)) return refused(to, &failure);
    got(to, "kept");
}

static void huge(answer *to) {
    jackfield_plugin_types_failure_t failure;
    size_t size = ((size_t)64 << 20) + 1;
    void *value = calloc(size, 1);
    if (!put("huge", 4, value, size, &failure)) return refused(to, &failure);
    got(to, "kept 64 MiB and a byte");
}

/* On behalf of a request that is not there. */
static void elsewhere(answer *to) {
    plugin_string_t request = lent("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"), answered;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_model_complete(UINT32_MAX, &request, &answered, &failure)) return refused(to, &failure);
    got(to, "the model said: %.*s", (int)answered.len, answered.ptr);
}

static void model(answer *to) {
    plugin_string_t request = lent(*target ? target : "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}");
    plugin_string_t answered;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_model_complete(0, &request, &answered, &failure)) return refused(to, &failure);
    got(to, "the model said: %.*s", (int)answered.len, answered.ptr);
}

const attack keeping[] = {
    { .name = "cache-put", .asks = "cache", .run = keeps },
    { .name = "cache-peek", .asks = "cache", .run = peeks },
    { .name = "cache-unasked", .run = peeks },
    { .name = "cache-odd-keys", .asks = "cache", .run = odd_keys },
    { .name = "cache-no-text", .asks = "cache", .run = key_of_no_text },
    { .name = "cache-huge", .asks = "cache", .run = huge },
    { .name = "model", .asks = "model", .run = model },
    { .name = "model-unasked", .run = model },
    { .name = "model-elsewhere", .asks = "model", .run = elsewhere },
    { 0 },
};
