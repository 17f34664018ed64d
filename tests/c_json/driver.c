/* The reader and the writer of JSON of the package for C, outside of any plugin.
 *
 *     driver answer     reads documents from standard input, each after its length in four bytes, and writes to each a `+` and
 *                       what it is when it is written again, or a `-` and what is wrong with it, after the length likewise
 *     driver check      makes values, and says what does not hold
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static void host_log(jf_call *call, jf_level level, jf_text message) {
    (void)call, (void)level;
    fprintf(stderr, "%.*s\n", (int)message.length, message.data);
}
static const jf_host host = { .log = host_log };

static bool read_exactly(void *to, size_t length) { return fread(to, 1, length, stdin) == length; }

static jf_result answer(jf_call *call, jf_text document, jf_text *written) {
    const jf_json *value;
    JF_TRY(jf_json_read(call, JF_INVALID_INPUT, document, &value));
    return jf_json_write(call, value, written);
}

static int answer_all(void) {
    unsigned char size[4];
    while (read_exactly(size, sizeof size)) {
        size_t length = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
        /* Nothing follows the document, not even a zero. */
        char *document = malloc(length > 0 ? length : 1);
        if (document == NULL || !read_exactly(document, length)) return EXIT_FAILURE;
        jf_call call = { .host = &host };
        jf_text text;
        jf_result result = answer(&call, (jf_text){ document, length }, &text);
        if (result != JF_OK) text = result->message;
        for (int byte = 0; byte < 4; byte++) size[byte] = (unsigned char)(text.length >> (8 * byte));
        putchar(result == JF_OK ? '+' : '-');
        fwrite(size, 1, sizeof size, stdout);
        fwrite(text.data, 1, text.length, stdout);
        fflush(stdout);
        jf_end(&call);
        free(document);
    }
    return EXIT_SUCCESS;
}

#define HOLDS(condition)                                              \
    do {                                                              \
        if (!(condition)) printf("line %d: not %s\n", __LINE__, #condition); \
    } while (0)

static bool is_written(jf_call *call, const jf_json *value, const char *wanted) {
    jf_text text;
    return jf_json_write(call, value, &text) == JF_OK && jf_same_text(text, jf_string(wanted));
}

static bool is_refused(jf_call *call, const jf_json *value, const char *wanted) {
    jf_text text;
    jf_result result = jf_json_write(call, value, &text);
    return result != JF_OK && result->kind == JF_INVALID_OUTPUT && jf_same_text(result->message, jf_string(wanted));
}

static void check_scalars(jf_call *call) {
    bool truth = false;
    int64_t integer = 0;
    uint64_t natural = 0;
    double number = 0;
    jf_text text = { "", 0 };
    HOLDS(jf_json_as_bool(jf_json_bool(call, true), &truth) && truth);
    HOLDS(jf_json_type_of(jf_json_int(call, 7)) == JF_JSON_UINT && jf_json_type_of(jf_json_int(call, -7)) == JF_JSON_INT);
    HOLDS(jf_json_as_int(jf_json_uint(call, 7), &integer) && integer == 7);
    HOLDS(jf_json_as_int(jf_json_int(call, INT64_MIN), &integer) && integer == INT64_MIN);
    HOLDS(jf_json_as_uint(jf_json_uint(call, UINT64_MAX), &natural) && natural == UINT64_MAX);
    HOLDS(jf_json_as_number(jf_json_int(call, -7), &number) && number == -7);
    HOLDS(jf_json_as_number(jf_json_number(call, 0.5), &number) && number == 0.5);
    HOLDS(jf_json_as_text(jf_json_text(call, (jf_text){ "a\0b", 3 }), &text) && text.length == 3 && text.data[2] == 'b');
    /* What does not fit leaves the rest alone. */
    integer = 5, natural = 5;
    HOLDS(!jf_json_as_int(jf_json_uint(call, (uint64_t)INT64_MAX + 1), &integer) && integer == 5);
    HOLDS(!jf_json_as_uint(jf_json_int(call, -1), &natural) && natural == 5);
    HOLDS(!jf_json_as_int(jf_json_number(call, 1), &integer) && integer == 5);
    HOLDS(!jf_json_as_text(jf_json_null(call), &text) && !jf_json_as_bool(jf_json_uint(call, 1), &truth));
    /* Nothing is there. */
    HOLDS(jf_json_type_of(NULL) == JF_JSON_ABSENT && jf_json_count(NULL) == 0 && jf_json_item(NULL, 0) == NULL);
    HOLDS(jf_json_get(NULL, "a") == NULL && jf_json_key(NULL, 0).length == 0 && !jf_json_as_number(NULL, &number));
    HOLDS(jf_json_get(jf_json_list(call), "a") == NULL && jf_json_count(jf_json_string(call, "abc")) == 0);
}

static void check_members(jf_call *call) {
    jf_json *list = jf_json_list(call), *object = jf_json_object(call);
    for (uint64_t at = 0; at < 1000; at++) {
        jf_json_push(call, list, jf_json_uint(call, at));
        jf_json_add_key(call, object, jf_format(call, "k%llu", (unsigned long long)at), jf_json_item(list, at));
    }
    HOLDS(jf_json_count(list) == 1000 && jf_json_item(list, 1000) == NULL && jf_json_count(object) == 1000);
    for (uint64_t at = 0; at < 1000; at++) {
        jf_text key = jf_format(call, "k%llu", (unsigned long long)at);
        uint64_t found = 0, by_key = 0;
        HOLDS(jf_json_as_uint(jf_json_item(list, at), &found) && found == at);
        HOLDS(jf_json_as_uint(jf_json_get_key(object, key), &by_key) && by_key == at);
        HOLDS(jf_same_text(jf_json_key(object, at), key));
    }
    jf_json *again = jf_json_object(call);
    jf_json_add(call, again, "a", jf_json_uint(call, 1));
    jf_json_add(call, again, "b", NULL);
    jf_json_add_key(call, again, (jf_text){ "a\0", 2 }, jf_json_uint(call, 2));
    jf_json_add(call, again, "a", jf_json_uint(call, 3));
    uint64_t last = 0;
    HOLDS(jf_json_as_uint(jf_json_get(again, "a"), &last) && last == 3);
    HOLDS(is_written(call, again, "{\"a\":1,\"b\":null,\"a\\u0000\":2,\"a\":3}"));
    /* One value in two places, which changes in both. */
    jf_json *pair = jf_json_list(call), *inner = jf_json_list(call);
    jf_json_push(call, pair, inner);
    jf_json_push(call, pair, inner);
    jf_json_push(call, inner, jf_json_bool(call, false));
    HOLDS(is_written(call, pair, "[[false],[false]]"));
}

static void check_refusals(jf_call *call) {
    const char *number = "the answer has no JSON form: a number is infinite or not a number";
    HOLDS(is_refused(call, jf_json_number(call, NAN), number));
    HOLDS(is_refused(call, jf_json_number(call, -INFINITY), number));
    const char *text = "the answer has no JSON form: a text is not UTF-8";
    const char *const bytes[] = { "\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "ab\xe2\x82" };
    for (size_t at = 0; at < sizeof bytes / sizeof *bytes; at++) {
        HOLDS(is_refused(call, jf_json_string(call, bytes[at]), text));
        jf_json *object = jf_json_object(call);
        jf_json_add(call, object, bytes[at], NULL);
        HOLDS(is_refused(call, object, text));
    }
    jf_json *list = jf_json_list(call);
    jf_json_push(call, list, list);
    HOLDS(is_refused(call, list, "the answer has no JSON form: lists and objects are nested too deep"));
}

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "answer") == 0) return answer_all();
    jf_call call = { .host = &host };
    check_scalars(&call);
    check_members(&call);
    check_refusals(&call);
    jf_end(&call);
    puts("checked");
    return EXIT_SUCCESS;
}
