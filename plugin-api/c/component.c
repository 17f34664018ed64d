/* The component: between the contract, as wit-bindgen makes it, and the rest. Part of a WebAssembly build alone. */
#include <stdlib.h>
#include <string.h>

#include "bindings/plugin.h"
#include "internal.h"

/* The bindings ask for an object that holds the type of the component; the linker takes it from the WIT instead. */
void __component_type_object_force_link_plugin(void) {}

/* Texts: the contract's are owned by whoever gets them. */

static jf_text text_of(plugin_string_t text) { return (jf_text){ (const char *)text.ptr, text.len }; }

/* The same bytes, lent. */
static plugin_string_t lent(jf_text text) { return (plugin_string_t){ (uint8_t *)text.data, text.length }; }
static plugin_list_u8_t lent_bytes(jf_text text) { return (plugin_list_u8_t){ (uint8_t *)text.data, text.length }; }

/* A copy that the host frees. An allocation of nothing is not to be freed. */
static void *owned_bytes(const void *data, size_t length) {
    if (length == 0) return NULL;
    void *copy = malloc(length);
    if (copy == NULL) abort();
    return memcpy(copy, data, length);
}

static plugin_string_t owned(jf_text text) {
    return (plugin_string_t){ owned_bytes(text.data, text.length), text.length };
}

static plugin_string_t owned_string(const char *text) { return owned(jf_string(text == NULL ? "" : text)); }

/* A text that the host gave, for as long as the call lasts. */
static jf_text kept(jf_call *call, plugin_string_t *text) {
    jf_text copy = jf_copy(call, text_of(*text));
    plugin_string_free(text);
    return copy;
}

/* Failures: both orders are that of the contract. */

static void fail(const jf_failure *failure, jackfield_plugin_types_failure_t *to) {
    to->tag = (uint8_t)failure->kind;
    if (failure->kind == JF_RATE_LIMITED) {
        to->val.rate_limited.message = owned(failure->message);
        to->val.rate_limited.after_ms = (plugin_option_u64_t){ failure->retry_after_ms > 0, failure->retry_after_ms };
    } else {
        /* Every other variant holds a string, in the same place. */
        to->val.internal = owned(failure->message);
    }
}

static jf_result failed(jf_call *call, jackfield_plugin_types_failure_t *failure) {
    jf_failure *kept_failure = jf_alloc(call, sizeof *kept_failure);
    kept_failure->kind = (jf_failure_kind)failure->tag;
    if (kept_failure->kind == JF_RATE_LIMITED) {
        kept_failure->message = jf_copy(call, text_of(failure->val.rate_limited.message));
        if (failure->val.rate_limited.after_ms.is_some) kept_failure->retry_after_ms = failure->val.rate_limited.after_ms.val;
    } else {
        kept_failure->message = jf_copy(call, text_of(failure->val.internal));
    }
    jackfield_plugin_types_failure_free(failure);
    return kept_failure;
}

/* The host. */

static void host_log(jf_call *call, jf_level level, jf_text message) {
    (void)call;
    plugin_string_t target = lent(jf_string("plugin")), text = lent(message);
    jackfield_plugin_host_log((uint8_t)level, &target, &text);
}

static void host_progress(jf_call *call, uint64_t done, uint64_t total, jf_text note) {
    plugin_string_t text = lent(note);
    jackfield_plugin_host_progress(call->index, done, total == JF_UNKNOWN ? NULL : &total, &text);
}

static bool host_cancelled(jf_call *call) {
    (void)call;
    return jackfield_plugin_host_cancelled();
}

static jf_result host_complete(jf_call *call, jf_text request, jf_text *answer) {
    plugin_string_t asked = lent(request), answered;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_model_complete(call->index, &asked, &answered, &failure)) return failed(call, &failure);
    *answer = kept(call, &answered);
    return JF_OK;
}

static bool host_model_name(jf_call *call, jf_text *name) {
    plugin_string_t found;
    if (!jackfield_plugin_model_name(&found)) return false;
    *name = kept(call, &found);
    return true;
}

static jf_result host_cache_get(jf_call *call, jf_text key, bool *found, jf_text *value) {
    plugin_string_t asked = lent(key);
    plugin_option_list_u8_t answer;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_cache_get(call->index, &asked, &answer, &failure)) return failed(call, &failure);
    *found = answer.is_some;
    *value = (jf_text){ "", 0 };
    if (answer.is_some) {
        *value = jf_copy(call, (jf_text){ (const char *)answer.val.ptr, answer.val.len });
        plugin_list_u8_free(&answer.val);
    }
    return JF_OK;
}

static jf_result host_cache_put(jf_call *call, jf_text key, jf_text value, uint64_t ttl_ms) {
    plugin_string_t under = lent(key);
    plugin_list_u8_t bytes = lent_bytes(value);
    jackfield_plugin_types_failure_t failure;
    uint64_t *ttl = ttl_ms == JF_UNKNOWN ? NULL : &ttl_ms;
    if (!jackfield_plugin_cache_put(call->index, &under, &bytes, ttl, &failure)) return failed(call, &failure);
    return JF_OK;
}

static jf_result host_fetch(jf_call *call, const jf_http_request *request, jf_http_response *response) {
    jackfield_plugin_http_header_t *headers = jf_alloc(call, request->header_count * sizeof *headers);
    for (size_t at = 0; at < request->header_count; at++) {
        headers[at] = (jackfield_plugin_http_header_t){ lent(request->headers[at].name), lent(request->headers[at].value) };
    }
    jackfield_plugin_http_http_request_t asked = {
        .method = lent(request->method.length > 0 ? request->method : jf_string("GET")),
        .url = lent(request->url),
        .headers = { headers, request->header_count },
        .body = lent_bytes(request->body),
        .timeout_ms = { request->timeout_ms > 0, request->timeout_ms },
    };
    jackfield_plugin_http_http_response_t answer;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_http_fetch(call->index, &asked, &answer, &failure)) return failed(call, &failure);
    jf_header *found = jf_alloc(call, answer.headers.len * sizeof *found);
    for (size_t at = 0; at < answer.headers.len; at++) {
        found[at].name = jf_copy(call, text_of(answer.headers.ptr[at].name));
        found[at].value = jf_copy(call, text_of(answer.headers.ptr[at].value));
    }
    jf_text body = { (const char *)answer.body.ptr, answer.body.len };
    *response = (jf_http_response){ answer.status, found, answer.headers.len, jf_copy(call, body) };
    jackfield_plugin_http_http_response_free(&answer);
    return JF_OK;
}

static jf_result host_tensor_open(jf_call *call, jf_text reference, int32_t *reader) {
    plugin_string_t asked = lent(reference);
    jackfield_plugin_tensors_own_tensor_reader_t opened_reader;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_tensors_open(call->index, &asked, &opened_reader, &failure)) return failed(call, &failure);
    *reader = opened_reader.__handle;
    return JF_OK;
}

static jf_result host_tensor_read(jf_call *call, int32_t reader, uint64_t offset, float *into, size_t length) {
    jackfield_plugin_tensors_borrow_tensor_reader_t at = { reader };
    plugin_list_f32_t elements;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_tensors_method_tensor_reader_read(at, offset, length, &elements, &failure)) {
        return failed(call, &failure);
    }
    bool whole = elements.len == length;
    if (whole) memcpy(into, elements.ptr, length * sizeof *into);
    size_t found = elements.len;
    plugin_list_f32_free(&elements);
    return whole ? JF_OK : jf_fail(call, JF_INTERNAL, "the host gave %zu elements, not %zu", found, length);
}

static jf_result host_tensor_create(jf_call *call, const uint64_t *shape, size_t dimensions, int32_t *writer) {
    plugin_list_u64_t lengths = { (uint64_t *)shape, dimensions };
    jackfield_plugin_tensors_own_tensor_writer_t created;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_tensors_create(call->index, &lengths, &created, &failure)) return failed(call, &failure);
    *writer = created.__handle;
    return JF_OK;
}

static jf_result host_tensor_write(jf_call *call, int32_t writer, const float *elements, size_t length) {
    jackfield_plugin_tensors_borrow_tensor_writer_t at = { writer };
    plugin_list_f32_t list = { (float *)elements, length };
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_tensors_method_tensor_writer_write(at, &list, &failure)) return failed(call, &failure);
    return JF_OK;
}

static jf_result host_tensor_finish(jf_call *call, int32_t writer, jf_text *reference) {
    jackfield_plugin_tensors_borrow_tensor_writer_t at = { writer };
    plugin_string_t answered;
    jackfield_plugin_types_failure_t failure;
    if (!jackfield_plugin_tensors_method_tensor_writer_finish(at, &answered, &failure)) return failed(call, &failure);
    *reference = kept(call, &answered);
    return JF_OK;
}

static void host_reader_close(jf_call *call, int32_t reader) {
    (void)call;
    jackfield_plugin_tensors_tensor_reader_drop_own((jackfield_plugin_tensors_own_tensor_reader_t){ reader });
}

static void host_writer_close(jf_call *call, int32_t writer) {
    (void)call;
    jackfield_plugin_tensors_tensor_writer_drop_own((jackfield_plugin_tensors_own_tensor_writer_t){ writer });
}

static const jf_host the_host = {
    .log = host_log,
    .progress = host_progress,
    .cancelled = host_cancelled,
    .complete = host_complete,
    .model_name = host_model_name,
    .cache_get = host_cache_get,
    .cache_put = host_cache_put,
    .fetch = host_fetch,
    .tensor_open = host_tensor_open,
    .tensor_read = host_tensor_read,
    .tensor_create = host_tensor_create,
    .tensor_write = host_tensor_write,
    .tensor_finish = host_tensor_finish,
    .reader_close = host_reader_close,
    .writer_close = host_writer_close,
};

/* What is exported. */

static size_t offered(void) {
    size_t count = 0;
    while (jf_this_plugin.extensions[count] != NULL) count++;
    return count;
}

static void describe(const jf_extension *extension, jackfield_plugin_types_descriptor_t *to) {
    jf_call call = { .host = &the_host };
    size_t permissions = 0, examples = 0;
    while (extension->permissions != NULL && extension->permissions[permissions].name != NULL) permissions++;
    while (extension->examples != NULL && extension->examples[examples].summary != NULL) examples++;
    *to = (jackfield_plugin_types_descriptor_t){
        .kind = owned_string(jf_kind_name(extension->kind)),
        .name = owned_string(extension->name),
        .version = owned_string(jf_this_plugin.version),
        .summary = owned_string(extension->summary),
        .config_schema = owned(jf_config_schema(&call, extension)),
        .input_schema = owned(jf_input_schema(&call, extension)),
        .output_schema = owned(jf_output_schema(&call, extension)),
        .permissions = { calloc(permissions + 1, sizeof(jackfield_plugin_types_permission_t)), permissions },
        .examples = { calloc(examples + 1, sizeof(jackfield_plugin_types_example_t)), examples },
        .stability = (uint8_t)extension->stability,
    };
    jf_end(&call);
    if (to->permissions.ptr == NULL || to->examples.ptr == NULL) abort();
    for (size_t at = 0; at < permissions; at++) {
        const jf_permission *asked = &extension->permissions[at];
        to->permissions.ptr[at] =
            (jackfield_plugin_types_permission_t){ owned_string(asked->name), owned_string(asked->reason) };
    }
    for (size_t at = 0; at < examples; at++) {
        const jf_example *shown = &extension->examples[at];
        to->examples.ptr[at] = (jackfield_plugin_types_example_t){
            owned_string(shown->summary), owned_string(shown->config == NULL ? "{}" : shown->config),
            owned_string(shown->input), owned_string(shown->output)
        };
    }
}

void exports_jackfield_plugin_meta_describe(exports_jackfield_plugin_meta_list_descriptor_t *ret) {
    size_t count = offered();
    ret->ptr = calloc(count + 1, sizeof *ret->ptr);
    if (ret->ptr == NULL) abort();
    ret->len = count;
    for (size_t at = 0; at < count; at++) describe(jf_this_plugin.extensions[at], &ret->ptr[at]);
}

/* What was opened: its options last as long as this call, which is never ended. */
static jf_call opening = { .host = &the_host };
static const jf_extension *opened;
static void *config;

bool exports_jackfield_plugin_extension_open(plugin_string_t *kind, plugin_string_t *name, plugin_string_t *options,
                                             exports_jackfield_plugin_extension_failure_t *err) {
    const jf_extension *found = jf_find(&jf_this_plugin, text_of(*kind), text_of(*name));
    jf_result result = found == NULL ? jf_fail(&opening, JF_INTERNAL, "no %.*s `%.*s`", (int)kind->len, kind->ptr,
                                               (int)name->len, name->ptr)
                                     : jf_open(&opening, found, text_of(*options), &config);
    plugin_string_free(kind);
    plugin_string_free(name);
    plugin_string_free(options);
    if (result != JF_OK) {
        fail(result, err);
        return false;
    }
    opened = found;
    return true;
}

/* What wasi-libc does at the end of a program: it writes out what was printed. An instance ends with its only call. */
void __wasm_call_dtors(void);

/* Answers one request of a batch. */
static void answer_one(uint32_t index, exports_jackfield_plugin_extension_request_t *request,
                       exports_jackfield_plugin_extension_result_document_failure_t *to) {
    const jackfield_plugin_types_context_t *at = &request->context;
    jf_call call = {
        .host = &the_host,
        .index = index,
        .context = { text_of(at->stage), text_of(at->item), at->element, at->replicate, at->seed },
        .tensor_count = request->document.tensors.len,
    };
    jf_tensor *tensors = jf_alloc(&call, call.tensor_count * sizeof *tensors);
    for (size_t one = 0; one < call.tensor_count; one++) {
        const jackfield_plugin_types_tensor_t *tensor = &request->document.tensors.ptr[one];
        tensors[one] = (jf_tensor){ text_of(tensor->name), tensor->shape.ptr, tensor->shape.len, tensor->data.ptr,
                                    tensor->data.len };
    }
    call.tensors = tensors;
    jf_text document = { (const char *)request->document.json.ptr, request->document.json.len }, answer;
    jf_result result = opened == NULL ? jf_fail(&call, JF_INTERNAL, "called before it was opened")
                                      : jf_answer(&call, opened, config, document, &answer);
    to->is_err = result != JF_OK;
    if (result != JF_OK) {
        fail(result, &to->val.err);
    } else {
        plugin_string_t json = owned(answer);
        to->val.ok.json = (plugin_list_u8_t){ json.ptr, json.len };
        to->val.ok.tensors.len = call.answered_count;
        to->val.ok.tensors.ptr = calloc(call.answered_count + 1, sizeof *to->val.ok.tensors.ptr);
        if (to->val.ok.tensors.ptr == NULL) abort();
        for (size_t one = 0; one < call.answered_count; one++) {
            const jf_tensor *tensor = &call.answered[one];
            to->val.ok.tensors.ptr[one] = (jackfield_plugin_types_tensor_t){
                .name = owned(tensor->name),
                .shape = { owned_bytes(tensor->shape, tensor->dimensions * sizeof *tensor->shape), tensor->dimensions },
                .data = { owned_bytes(tensor->data, tensor->length * sizeof *tensor->data), tensor->length },
            };
        }
    }
    jf_end(&call);
}

void exports_jackfield_plugin_extension_call(exports_jackfield_plugin_extension_list_request_t *batch,
                                             exports_jackfield_plugin_extension_list_result_document_failure_t *ret) {
    ret->ptr = calloc(batch->len + 1, sizeof *ret->ptr);
    if (ret->ptr == NULL) abort();
    ret->len = batch->len;
    for (size_t at = 0; at < batch->len; at++) answer_one((uint32_t)at, &batch->ptr[at], &ret->ptr[at]);
    __wasm_call_dtors();
    exports_jackfield_plugin_extension_list_request_free(batch);
}
