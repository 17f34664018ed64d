/* The host for unit tests. */
#include "testing.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

static jf_fake_host *fake(jf_call *call) { return call->host_state; }

static void fake_log(jf_call *call, jf_level level, jf_text message) {
    (void)level;
    (void)message;
    fake(call)->logged++;
}

static void fake_progress(jf_call *call, uint64_t done, uint64_t total, jf_text note) {
    (void)done;
    (void)total;
    (void)note;
    fake(call)->progressed++;
}

static bool fake_cancelled(jf_call *call) { return fake(call)->is_cancelled; }

static jf_result fake_complete(jf_call *call, jf_text request, jf_text *answer) {
    if (fake(call)->model == NULL) {
        return jf_fail(call, JF_INVALID_CONFIG, "the stage has no model: give it one with `model = \"name\"`");
    }
    yyjson_val *root;
    jf_completion_request asked;
    jf_completion completion = { 0 };
    JF_TRY(jf_parse(call, JF_INTERNAL, request, &root));
    JF_TRY(jf_read_request(call, root, &asked));
    fake(call)->asked++;
    JF_TRY(fake(call)->model(call, &asked, &completion));
    return jf_write(call, jf_write_completion(call, &completion), answer);
}

static bool fake_model_name(jf_call *call, jf_text *name) {
    *name = jf_string("fake");
    return fake(call)->model != NULL;
}

/* The place of a key: where it is, or the first that is free; NULL where there is none. */
static struct jf_fake_value *place_of(jf_fake_host *host, jf_text key) {
    for (size_t at = 0; at < host->cache_size; at++) {
        struct jf_fake_value *one = &host->cache[at];
        if (one->key == NULL) return one;
        if (one->key_length == key.length && memcmp(one->key, key.data, key.length) == 0) return one;
    }
    return NULL;
}

static char *copied(jf_text text) {
    char *copy = malloc(text.length + 1);
    if (copy == NULL) abort();
    if (text.length > 0) memcpy(copy, text.data, text.length);
    copy[text.length] = 0;
    return copy;
}

static const char no_cache[] = "the stage has no cache: give it one with `store = \"name\"`";

static jf_result fake_cache_get(jf_call *call, jf_text key, bool *found, jf_text *value) {
    if (fake(call)->cache == NULL) return jf_fail(call, JF_INVALID_CONFIG, "%s", no_cache);
    struct jf_fake_value *one = place_of(fake(call), key);
    *found = one != NULL && one->key != NULL;
    *value = *found ? (jf_text){ one->value, one->value_length } : (jf_text){ "", 0 };
    return JF_OK;
}

static jf_result fake_cache_put(jf_call *call, jf_text key, jf_text value, uint64_t ttl_ms) {
    (void)ttl_ms;
    if (fake(call)->cache == NULL) return jf_fail(call, JF_INVALID_CONFIG, "%s", no_cache);
    struct jf_fake_value *one = place_of(fake(call), key);
    if (one == NULL) return JF_OK;
    free(one->key);
    free(one->value);
    *one = (struct jf_fake_value){ copied(key), copied(value), key.length, value.length };
    return JF_OK;
}

static jf_result fake_fetch(jf_call *call, const jf_http_request *request, jf_http_response *response) {
    if (fake(call)->server == NULL) return jf_fail(call, JF_INVALID_CONFIG, "this host makes no HTTP requests");
    return fake(call)->server(call, request, response);
}

static const jf_host the_fake = { fake_log,        fake_progress,  fake_cancelled, fake_complete,
                                  fake_model_name, fake_cache_get, fake_cache_put, fake_fetch };

char *jf_test_call(const jf_extension *extension, const char *config, const char *input, jf_fake_host *host) {
    jf_fake_host nothing = { 0 };
    if (host == NULL) host = &nothing;
    jf_call opening = { .host = &the_fake, .host_state = host };
    jf_call call = { .host = &the_fake, .host_state = host, .context = host->context };
    void *opened;
    jf_text answer;
    jf_result result = jf_open(&opening, extension, jf_string(config), &opened);
    if (result == JF_OK) result = jf_answer(&call, extension, opened, jf_string(input), &answer);
    if (result != JF_OK) {
        const char *kind = jf_failure_name(result->kind);
        answer = jf_format(&call, "%s: %.*s", kind, (int)result->message.length, result->message.data);
    }
    char *given = copied(answer);
    jf_end(&call);
    jf_end(&opening);
    return given;
}

bool jf_same_json(const char *one, const char *other) {
    yyjson_doc *first = yyjson_read(one, strlen(one), YYJSON_READ_NOFLAG);
    yyjson_doc *second = yyjson_read(other, strlen(other), YYJSON_READ_NOFLAG);
    bool same = first != NULL && second != NULL
                    ? yyjson_equals(yyjson_doc_get_root(first), yyjson_doc_get_root(second))
                    : strcmp(one, other) == 0;
    yyjson_doc_free(first);
    yyjson_doc_free(second);
    return same;
}

int jf_test_examples(const jf_extension *extension, jf_fake_host *host) {
    int wrong = 0;
    for (const jf_example *example = extension->examples; example != NULL && example->summary != NULL; example++) {
        const char *config = example->config == NULL ? "{}" : example->config;
        char *found = jf_test_call(extension, config, example->input, host);
        if (!jf_same_json(found, example->output)) {
            fprintf(stderr, "example `%s` gives %s, not %s\n", example->summary, found, example->output);
            wrong++;
        }
        free(found);
    }
    return wrong;
}
