/* Memory, failures, chance, and the calls of the host. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Memory. */

struct jf_block {
    struct jf_block *next;
    /* As aligned as anything is. */
    max_align_t content[];
};

void *jf_alloc(jf_call *call, size_t size) {
    struct jf_block *block = size > SIZE_MAX - sizeof(struct jf_block) ? NULL : calloc(1, sizeof(struct jf_block) + size);
    if (block == NULL) {
        jf_text message = jf_string("out of memory");
        call->host->log(call, JF_ERROR, message);
        abort();
    }
    block->next = call->blocks;
    call->blocks = block;
    return block->content;
}

void jf_end(jf_call *call) {
    jf_close_tensors(call);
    while (call->blocks != NULL) {
        struct jf_block *next = call->blocks->next;
        free(call->blocks);
        call->blocks = next;
    }
    call->spare_length = 0;
}

jf_text jf_string(const char *text) { return (jf_text){ text, strlen(text) }; }

bool jf_same_text(jf_text one, jf_text other) {
    return one.length == other.length && (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

jf_text jf_copy(jf_call *call, jf_text text) {
    char *copy = jf_alloc(call, text.length + 1);
    if (text.length > 0) memcpy(copy, text.data, text.length);
    return (jf_text){ copy, text.length };
}

/* Failures. */

jf_result jf_fail(jf_call *call, jf_failure_kind kind, const char *format, ...) {
    jf_failure *failure = jf_alloc(call, sizeof *failure);
    failure->kind = kind;
    va_list arguments;
    va_start(arguments, format);
    failure->message = jf_format_list(call, format, arguments);
    va_end(arguments);
    return failure;
}

const char *jf_failure_name(jf_failure_kind kind) {
    static const char *const names[] = { "invalid-config", "invalid-input", "invalid-output", "unavailable",
                                         "rate-limited",   "cancelled",     "over-budget",    "internal" };
    return names[kind];
}

/* Tensors that travel with a document. */

const jf_tensor *jf_tensor_named(jf_call *call, const char *name) {
    for (size_t at = 0; at < call->tensor_count; at++) {
        if (jf_same_text(call->tensors[at].name, jf_string(name))) return &call->tensors[at];
    }
    return NULL;
}

void jf_answer_tensor(jf_call *call, jf_tensor tensor) {
    jf_tensor *all = jf_alloc(call, (call->answered_count + 1) * sizeof *all);
    if (call->answered_count > 0) memcpy(all, call->answered, call->answered_count * sizeof *all);
    uint64_t *shape = jf_alloc(call, tensor.dimensions * sizeof *shape);
    if (tensor.dimensions > 0) memcpy(shape, tensor.shape, tensor.dimensions * sizeof *shape);
    float *data = jf_alloc(call, tensor.length * sizeof *data);
    if (tensor.length > 0) memcpy(data, tensor.data, tensor.length * sizeof *data);
    all[call->answered_count++] =
        (jf_tensor){ jf_copy(call, tensor.name), shape, tensor.dimensions, data, tensor.length };
    call->answered = all;
}

/* Chance. */

jf_random jf_seeded(const jf_call *call) { return (jf_random){ call->context.seed }; }

uint64_t jf_next_u64(jf_random *random) {
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double jf_next_f64(jf_random *random) { return (double)(jf_next_u64(random) >> 11) / 9007199254740992.0; }

uint64_t jf_below(jf_random *random, uint64_t bound) {
    if (bound == 0) return 0;
    /* Lemire 2019. */
    uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        unsigned __int128 product = (unsigned __int128)jf_next_u64(random) * bound;
        if ((uint64_t)product >= threshold) return (uint64_t)(product >> 64);
    }
}

/* The host. */

const jf_context *jf_where(const jf_call *call) { return &call->context; }

void jf_log(jf_call *call, jf_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    jf_text message = jf_format_list(call, format, arguments);
    va_end(arguments);
    call->host->log(call, level, message);
}

void jf_progress(jf_call *call, uint64_t done, uint64_t total, const char *note) {
    call->host->progress(call, done, total, jf_string(note == NULL ? "" : note));
}

bool jf_cancelled(jf_call *call) { return call->host->cancelled(call); }

jf_result jf_complete(jf_call *call, const jf_completion_request *request, jf_completion *answer) {
    jf_json *asked;
    JF_TRY(jf_write_request(call, request, &asked));
    jf_text text, answered;
    JF_TRY(jf_json_write(call, asked, &text));
    JF_TRY(call->host->complete(call, text, &answered));
    const jf_json *root;
    JF_TRY(jf_json_read(call, JF_INTERNAL, answered, &root));
    return jf_read_completion(call, root, answer);
}

bool jf_model_name(jf_call *call, jf_text *name) { return call->host->model_name(call, name); }

jf_result jf_cache_get(jf_call *call, jf_text key, bool *found, jf_text *value) {
    return call->host->cache_get(call, key, found, value);
}

jf_result jf_cache_put(jf_call *call, jf_text key, jf_text value, uint64_t ttl_ms) {
    return call->host->cache_put(call, key, value, ttl_ms);
}

jf_result jf_fetch(jf_call *call, const jf_http_request *request, jf_http_response *response) {
    return call->host->fetch(call, request, response);
}
