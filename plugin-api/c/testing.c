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
    const jf_json *root;
    jf_completion_request asked;
    jf_completion completion = { 0 };
    JF_TRY(jf_json_read(call, JF_INTERNAL, request, &root));
    JF_TRY(jf_read_request(call, root, &asked));
    fake(call)->asked++;
    JF_TRY(fake(call)->model(call, &asked, &completion));
    return jf_json_write(call, jf_write_completion(call, &completion), answer);
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

/* A tensor is known by its place among those that are held: here, a name is all that a digest is. */

static const char digest_before[] = "\"$tensor\":\"";

static int32_t held_at(const jf_fake_host *host, const char *json) {
    const char *found = strstr(json, digest_before);
    if (found == NULL) return -1;
    unsigned long long number = strtoull(found + strlen(digest_before), NULL, 16);
    return number >= 1 && number <= host->tensor_size && host->tensors[number - 1].elements != NULL ? (int32_t)number - 1 : -1;
}

static int32_t begun(jf_fake_host *host, const uint64_t *shape, size_t dimensions) {
    for (size_t at = 0; at < host->tensor_size; at++) {
        struct jf_fake_tensor *one = &host->tensors[at];
        if (one->elements != NULL || dimensions > 8) continue;
        size_t count = 1;
        for (size_t of = 0; of < dimensions; of++) count *= (size_t)(one->shape[of] = shape[of]);
        one->elements = calloc(count + 1, sizeof *one->elements);
        if (one->elements == NULL) abort();
        one->dimensions = dimensions;
        one->length = 0;
        return (int32_t)at;
    }
    return -1;
}

static void add_elements(struct jf_fake_tensor *tensor, const float *elements, size_t length) {
    if (length > 0) memcpy(tensor->elements + tensor->length, elements, length * sizeof *elements);
    tensor->length += length;
}

static jf_text reference_to(jf_call *call, int32_t at) {
    const struct jf_fake_tensor *tensor = &fake(call)->tensors[at];
    char digest[65];
    snprintf(digest, sizeof digest, "%064x", (unsigned)at + 1);
    jf_tensor_ref reference = { jf_string(digest), tensor->shape, tensor->dimensions };
    jf_text text;
    return jf_json_write(call, jf_write_tensor(call, &reference), &text) == JF_OK ? text : jf_string("");
}

const struct jf_fake_tensor *jf_held_tensor(const jf_fake_host *host, const char *json) {
    int32_t at = held_at(host, json);
    return at < 0 ? NULL : &host->tensors[at];
}

static jf_result fake_tensor_open(jf_call *call, jf_text reference, int32_t *reader) {
    *reader = held_at(fake(call), reference.data);
    return *reader < 0 ? jf_fail(call, JF_INVALID_INPUT, "there is no such tensor") : JF_OK;
}

static jf_result fake_tensor_read(jf_call *call, int32_t reader, uint64_t offset, float *into, size_t length) {
    const struct jf_fake_tensor *tensor = &fake(call)->tensors[reader];
    if (offset > tensor->length || length > tensor->length - offset) {
        return jf_fail(call, JF_INVALID_INPUT, "there are no such elements");
    }
    memcpy(into, tensor->elements + offset, length * sizeof *into);
    return JF_OK;
}

static jf_result fake_tensor_create(jf_call *call, const uint64_t *shape, size_t dimensions, int32_t *writer) {
    *writer = begun(fake(call), shape, dimensions);
    return *writer < 0 ? jf_fail(call, JF_OVER_BUDGET, "there is no room for another tensor") : JF_OK;
}

static jf_result fake_tensor_write(jf_call *call, int32_t writer, const float *elements, size_t length) {
    add_elements(&fake(call)->tensors[writer], elements, length);
    return JF_OK;
}

static jf_result fake_tensor_finish(jf_call *call, int32_t writer, jf_text *reference) {
    *reference = reference_to(call, writer);
    return JF_OK;
}

static void fake_close(jf_call *call, int32_t at) {
    (void)call;
    (void)at;
}

static const jf_host the_fake = {
    .log = fake_log,
    .progress = fake_progress,
    .cancelled = fake_cancelled,
    .complete = fake_complete,
    .model_name = fake_model_name,
    .cache_get = fake_cache_get,
    .cache_put = fake_cache_put,
    .fetch = fake_fetch,
    .tensor_open = fake_tensor_open,
    .tensor_read = fake_tensor_read,
    .tensor_create = fake_tensor_create,
    .tensor_write = fake_tensor_write,
    .tensor_finish = fake_tensor_finish,
    .reader_close = fake_close,
    .writer_close = fake_close,
};

char *jf_hold_tensor(jf_fake_host *host, const uint64_t *shape, size_t dimensions, const float *elements) {
    int32_t at = begun(host, shape, dimensions);
    if (at < 0) return NULL;
    size_t count = 1;
    for (size_t of = 0; of < dimensions; of++) count *= (size_t)shape[of];
    add_elements(&host->tensors[at], elements, count);
    jf_call call = { .host = &the_fake, .host_state = host };
    char *reference = copied(reference_to(&call, at));
    jf_end(&call);
    return reference;
}

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

static bool is_same(const jf_json *one, const jf_json *other) {
    if (jf_json_type_of(one) != jf_json_type_of(other)) return false;
    switch (jf_json_type_of(one)) {
    case JF_JSON_BOOL: return one->boolean == other->boolean;
    case JF_JSON_UINT: return one->natural == other->natural;
    case JF_JSON_INT: return one->integer == other->integer;
    case JF_JSON_NUMBER: return one->number == other->number;
    case JF_JSON_TEXT: return jf_same_text((jf_text){ one->text, one->count }, (jf_text){ other->text, other->count });
    default: break;
    }
    if (jf_json_count(one) != jf_json_count(other)) return false;
    for (size_t at = 0; at < jf_json_count(one); at++) {
        bool is_object = jf_json_type_of(one) == JF_JSON_OBJECT;
        const jf_json *counterpart = is_object ? jf_json_get_key(other, jf_json_key(one, at)) : jf_json_item(other, at);
        if (!is_same(jf_json_item(one, at), counterpart)) return false;
    }
    return true;
}

bool jf_same_json(const char *one, const char *other) {
    jf_fake_host nothing = { 0 };
    jf_call call = { .host = &the_fake, .host_state = &nothing };
    const jf_json *first, *second;
    bool same = jf_json_read(&call, JF_INTERNAL, jf_string(one), &first) == JF_OK &&
                        jf_json_read(&call, JF_INTERNAL, jf_string(other), &second) == JF_OK
                    ? is_same(first, second)
                    : strcmp(one, other) == 0;
    jf_end(&call);
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
