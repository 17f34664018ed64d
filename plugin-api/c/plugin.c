/* From what an author writes to what a component exports. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

const char *jf_kind_name(jf_kind kind) { return kind == JF_MODEL ? "model" : "analyzer"; }

static bool is(jf_text text, const char *name) {
    return text.length == strlen(name) && memcmp(text.data, name, text.length) == 0;
}

const jf_extension *jf_find(const jf_plugin *plugin, jf_text kind, jf_text name) {
    for (const jf_extension *const *at = plugin->extensions; *at != NULL; at++) {
        if (is(kind, jf_kind_name((*at)->kind)) && is(name, (*at)->name)) return *at;
    }
    return NULL;
}

static char *schema_text(jf_shape shape, bool written, bool strict, bool carries_tensors) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *schema = jf_schema(doc, shape, written, strict);
    if (carries_tensors) yyjson_mut_obj_add_bool(doc, schema, "x-tensors", true);
    char *text = yyjson_mut_val_write(schema, YYJSON_WRITE_NOFLAG, NULL);
    yyjson_mut_doc_free(doc);
    return text;
}

static char *copied(const char *text) {
    char *copy = malloc(strlen(text) + 1);
    return copy == NULL ? NULL : strcpy(copy, text);
}

char *jf_config_schema(const jf_extension *extension) { return schema_text(extension->config, false, true, false); }

char *jf_input_schema(const jf_extension *extension) {
    return extension->kind == JF_MODEL ? copied(jf_request_schema) : schema_text(extension->input, false, false, false);
}

char *jf_output_schema(const jf_extension *extension) {
    if (extension->kind == JF_MODEL) return copied(jf_completion_schema);
    return schema_text(extension->output, true, false, extension->carries_tensors);
}

jf_result jf_open(jf_call *call, const jf_extension *extension, jf_text config, void **opened) {
    yyjson_val *root;
    JF_TRY(jf_parse(call, JF_INVALID_CONFIG, config, &root));
    *opened = jf_alloc(call, extension->config.size);
    JF_TRY(jf_read_fields(call, JF_INVALID_CONFIG, extension->config, root, true, *opened));
    return extension->open == NULL ? JF_OK : extension->open(call, *opened);
}

/* Refuses a request for more than an answer: a model in C offers nothing else. */
static jf_result held_to_offers(jf_call *call, yyjson_val *request) {
    static const char *const abilities[] = { "capture", "edits", "logprobs", "tokenize", "embed" };
    for (size_t at = 0; at < sizeof abilities / sizeof *abilities; at++) {
        yyjson_val *asked = yyjson_obj_get(request, abilities[at]);
        bool none = asked == NULL || yyjson_is_null(asked) || yyjson_is_false(asked) ||
                    (yyjson_is_arr(asked) && yyjson_arr_size(asked) == 0);
        if (!none) {
            return jf_fail(call, JF_INVALID_INPUT, "the model does not offer `%s`, which was asked for", abilities[at]);
        }
    }
    return JF_OK;
}

jf_result jf_answer(jf_call *call, const jf_extension *extension, const void *config, jf_text document, jf_text *answer) {
    yyjson_val *root;
    JF_TRY(jf_parse(call, JF_INVALID_INPUT, document, &root));
    yyjson_mut_val *written;
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
    return jf_write(call, written, answer);
}
