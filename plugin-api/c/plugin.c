/* From what an author writes to what a component exports. */
#include <stdlib.h>

#include "internal.h"

const char *jf_kind_name(jf_kind kind) { return kind == JF_MODEL ? "model" : "analyzer"; }

const jf_extension *jf_find(const jf_plugin *plugin, jf_text kind, jf_text name) {
    for (const jf_extension *const *at = plugin->extensions; *at != NULL; at++) {
        bool is_kind = jf_same_text(kind, jf_string(jf_kind_name((*at)->kind)));
        if (is_kind && jf_same_text(name, jf_string((*at)->name))) return *at;
    }
    return NULL;
}

static jf_text schema_text(jf_call *call, jf_shape shape, bool written, bool strict, bool carries_tensors) {
    jf_json *schema = jf_schema(call, shape, written, strict);
    if (carries_tensors) jf_json_add(call, schema, "x-tensors", jf_json_bool(call, true));
    jf_text text;
    jf_result result = jf_json_write(call, schema, &text);
    if (result == JF_OK) return text;
    call->host->log(call, JF_ERROR, result->message);
    abort();
}

jf_text jf_config_schema(jf_call *call, const jf_extension *extension) {
    return schema_text(call, extension->config, false, true, false);
}

jf_text jf_input_schema(jf_call *call, const jf_extension *extension) {
    if (extension->kind == JF_MODEL) return jf_string(jf_request_schema);
    return schema_text(call, extension->input, false, false, false);
}

jf_text jf_output_schema(jf_call *call, const jf_extension *extension) {
    if (extension->kind == JF_MODEL) return jf_string(jf_completion_schema);
    return schema_text(call, extension->output, true, false, extension->carries_tensors);
}

jf_result jf_open(jf_call *call, const jf_extension *extension, jf_text config, void **opened) {
    const jf_json *root;
    JF_TRY(jf_json_read(call, JF_INVALID_CONFIG, config, &root));
    *opened = jf_alloc(call, extension->config.size);
    JF_TRY(jf_read_fields(call, JF_INVALID_CONFIG, extension->config, root, true, *opened));
    return extension->open == NULL ? JF_OK : extension->open(call, *opened);
}

/* Refuses a request for more than an answer: a model in C offers nothing else. */
static jf_result held_to_offers(jf_call *call, const jf_json *request) {
    static const char *const abilities[] = { "capture", "edits", "logprobs", "tokenize", "embed" };
    for (size_t at = 0; at < sizeof abilities / sizeof *abilities; at++) {
        const jf_json *asked = jf_json_get(request, abilities[at]);
        jf_json_type type = jf_json_type_of(asked);
        bool none = type == JF_JSON_ABSENT || type == JF_JSON_NULL || jf_is_false(asked) ||
                    (type == JF_JSON_LIST && jf_json_count(asked) == 0);
        if (!none) {
            return jf_fail(call, JF_INVALID_INPUT, "the model does not offer `%s`, which was asked for", abilities[at]);
        }
    }
    return JF_OK;
}

jf_result jf_answer(jf_call *call, const jf_extension *extension, const void *config, jf_text document, jf_text *answer) {
    const jf_json *root;
    JF_TRY(jf_json_read(call, JF_INVALID_INPUT, document, &root));
    jf_json *written;
    if (extension->kind == JF_MODEL) {
        jf_completion_request request;
        jf_completion completion = { 0 };
        JF_TRY(held_to_offers(call, root));
        JF_TRY(jf_read_request(call, root, &request));
        JF_TRY(extension->complete(call, config, &request, &completion));
        written = jf_write_completion(call, &completion);
    } else {
        void *input = jf_alloc(call, extension->input.size);
        void *output = jf_alloc(call, extension->output.size);
        JF_TRY(jf_read_fields(call, JF_INVALID_INPUT, extension->input, root, false, input));
        JF_TRY(extension->analyze(call, config, input, output));
        JF_TRY(jf_write_fields(call, extension->output, output, &written));
    }
    return jf_json_write(call, written, answer);
}
