/* Answers that break the contract. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

static void of(answer *to, char byte, size_t length) {
    char *bytes = malloc(length);
    memset(bytes, byte, length);
    raw(to, bytes, length);
}

static void giant(answer *to) {
    size_t length = (size_t)65 << 20;
    of(to, ' ', length);
}

static void json_bomb(answer *to) { of(to, '[', (size_t)63 << 20); }

/* As deep as JSON may be here, and as wide as the limit allows. */
static void json_wide(answer *to) {
    size_t length = (size_t)8 << 20;
    char *bytes = malloc(length);
    for (size_t n = 0; n + 1 < length; n += 2) {
        bytes[n] = n == 0 ? '[' : '1';
        bytes[n + 1] = ',';
    }
    raw(to, bytes, length);
}

static void not_utf8(answer *to) {
    static char bytes[] = "{\"got\":\"\xff\xfe\xc0\xaf\"}";
    raw(to, strdup(bytes), sizeof bytes - 1);
}

static void text_reply(answer *to, const char *json) { raw(to, strdup(json), strlen(json)); }

static void lies(answer *to) { text_reply(to, "{\"got\":[1,2,3]}"); }
static void surrogate(answer *to) { text_reply(to, "{\"got\":\"\\ud800\"}"); }
static void twice(answer *to) { text_reply(to, "{\"got\":\"a\"} {\"got\":\"b\"}"); }
static void number(answer *to) { text_reply(to, "{\"got\":1e99999}"); }

static void tensor_of(answer *to, size_t dimensions, uint64_t each, size_t elements) {
    text_reply(to, "{\"got\":\"\"}");
    jackfield_plugin_types_tensor_t *tensor = calloc(1, sizeof *tensor);
    plugin_string_dup(&tensor->name, "weights");
    tensor->shape = (plugin_list_u64_t){ calloc(dimensions, sizeof(uint64_t)), dimensions };
    for (size_t n = 0; n < dimensions; n++) tensor->shape.ptr[n] = each;
    tensor->data = (plugin_list_f32_t){ calloc(elements + 1, sizeof(float)), elements };
    to->val.ok.tensors = (jackfield_plugin_types_list_tensor_t){ tensor, 1 };
}

/* The product of the shape is 2^64, which is 0 to whoever does not look. */
static void tensor_overflow(answer *to) { tensor_of(to, 2, (uint64_t)1 << 32, 0); }
static void tensor_short(answer *to) { tensor_of(to, 3, 1000, 3); }
static void tensor_dimensions(answer *to) { tensor_of(to, 100000, 1, 1); }

static void tensors_of_one_name(answer *to) {
    tensor_of(to, 1, 1, 1);
    jackfield_plugin_types_tensor_t *two = calloc(2, sizeof *two);
    two[0] = two[1] = to->val.ok.tensors.ptr[0];
    plugin_string_dup(&two[1].name, "weights");
    to->val.ok.tensors = (jackfield_plugin_types_list_tensor_t){ two, 2 };
}

static void too_many(answers *all) {
    if (strcmp(text, "bad") == 0) got(&all->ptr[all->len++], "one more");
}

static void too_few(answers *all) {
    if (strcmp(text, "bad") == 0) all->len = 0;
}

static void leaves(answer *to) {
    (void)to;
    exit(0);
}

static void leaves_badly(answer *to) {
    (void)to;
    exit(42);
}

static void aborts(answer *to) {
    (void)to;
    abort();
}

static void long_failure(answer *to) {
    size_t length = (size_t)32 << 20;
    char *words = malloc(length);
    memset(words, 'x', length);
    *to = (answer){ .is_err = true };
    to->val.err.tag = JACKFIELD_PLUGIN_TYPES_FAILURE_INTERNAL;
    to->val.err.val.internal = (plugin_string_t){ (uint8_t *)words, length };
}

static int calls;
static char seen[64] = "nothing";

/* Poisons its own state, and dies. */
static void poison(answers *all) {
    calls++;
    for (size_t n = 0; n < all->len; n++) got(&all->ptr[n], "call %d, saw %s", calls, seen);
    snprintf(seen, sizeof seen, "%s", text);
    if (strcmp(text, "bad") == 0) __builtin_trap();
}

#define TEXT "{\"type\":\"object\",\"properties\":{\"got\":{\"type\":\"string\"}},\"required\":[\"got\"]}"

const attack replies[] = {
    { .name = "giant", .run = giant },
    { .name = "json-bomb", .run = json_bomb },
    { .name = "json-wide", .run = json_wide },
    { .name = "not-utf8", .run = not_utf8 },
    { .name = "lies", .run = lies, .output = TEXT },
    { .name = "surrogate", .run = surrogate },
    { .name = "two-documents", .run = twice },
    { .name = "endless-number", .run = number },
    { .name = "tensor-overflow", .run = tensor_overflow },
    { .name = "tensor-short", .run = tensor_short },
    { .name = "tensor-dimensions", .run = tensor_dimensions },
    { .name = "tensors-of-one-name", .run = tensors_of_one_name },
    { .name = "too-many", .batch = too_many },
    { .name = "too-few", .batch = too_few },
    { .name = "exit", .run = leaves },
    { .name = "exit-42", .run = leaves_badly },
    { .name = "abort", .run = aborts },
    { .name = "long-failure", .run = long_failure },
    { .name = "poison", .batch = poison },
    { 0 },
};
