/* Tensors that travel by reference. */
#include "internal.h"

enum { MOST_DIMENSIONS = 8, DIGITS = 64 };

struct jf_tensor_reader {
    jf_tensor_reader *next;
    int32_t at_host;
    uint64_t count;
};

struct jf_tensor_writer {
    jf_tensor_writer *next;
    int32_t at_host;
    uint64_t count, written;
    bool is_finished;
};

/* Whether a shape can be counted, and how many elements it has. */
static bool count_of(const uint64_t *shape, size_t dimensions, uint64_t *count) {
    *count = 1;
    for (size_t at = 0; at < dimensions; at++) {
        if (shape[at] != 0 && *count > UINT64_MAX / shape[at]) return false;
        *count *= shape[at];
    }
    return true;
}

uint64_t jf_element_count(const jf_tensor_ref *tensor) {
    uint64_t count;
    return count_of(tensor->shape, tensor->dimensions, &count) ? count : 0;
}

static bool is_digest(jf_text text) {
    for (size_t at = 0; at < text.length; at++) {
        char digit = text.data[at];
        if (!(digit >= '0' && digit <= '9') && !(digit >= 'a' && digit <= 'f')) return false;
    }
    return text.length == DIGITS;
}

jf_result jf_read_tensor(jf_call *call, jf_failure_kind kind, const char *name, const jf_json *from, jf_tensor_ref *to) {
    const jf_json *shape = jf_json_get(from, "shape");
    size_t dimensions = jf_json_count(shape);
    jf_text digest, dtype;
    bool is_tensor = jf_json_as_text(jf_json_get(from, "$tensor"), &digest) && is_digest(digest) &&
                     jf_json_type_of(shape) == JF_JSON_LIST && dimensions <= MOST_DIMENSIONS &&
                     jf_json_as_text(jf_json_get(from, "dtype"), &dtype) && jf_same_text(dtype, jf_string("f32"));
    uint64_t *lengths = jf_alloc(call, is_tensor ? dimensions * sizeof *lengths : 0);
    for (size_t at = 0; is_tensor && at < dimensions; at++) {
        is_tensor = jf_json_as_uint(jf_json_item(shape, at), &lengths[at]);
    }
    if (!is_tensor) {
        return jf_fail(call, kind, "`%s`: expected a tensor, as {\"$tensor\": \"<sha256>\", \"shape\": [..], \"dtype\": \"f32\"}",
                       name);
    }
    *to = (jf_tensor_ref){ digest, lengths, dimensions };
    return JF_OK;
}

jf_json *jf_write_tensor(jf_call *call, const jf_tensor_ref *tensor) {
    jf_json *object = jf_json_object(call), *shape = jf_json_list(call);
    for (size_t at = 0; at < tensor->dimensions; at++) jf_json_push(call, shape, jf_json_uint(call, tensor->shape[at]));
    jf_json_add(call, object, "$tensor", jf_json_borrow(call, tensor->sha256));
    jf_json_add(call, object, "shape", shape);
    jf_json_add(call, object, "dtype", jf_json_string(call, "f32"));
    return object;
}

jf_result jf_tensor_open(jf_call *call, const jf_tensor_ref *tensor, jf_tensor_reader **reader) {
    jf_text reference;
    JF_TRY(jf_json_write(call, jf_write_tensor(call, tensor), &reference));
    int32_t at_host;
    JF_TRY(call->host->tensor_open(call, reference, &at_host));
    *reader = jf_alloc(call, sizeof **reader);
    **reader = (jf_tensor_reader){ call->readers, at_host, jf_element_count(tensor) };
    call->readers = *reader;
    return JF_OK;
}

jf_result jf_tensor_read(jf_call *call, jf_tensor_reader *reader, uint64_t offset, float *into, size_t length) {
    if (offset > reader->count || length > reader->count - offset) {
        return jf_fail(call, JF_INVALID_INPUT, "there are no %zu elements from %llu on: the tensor has %llu", length,
                       (unsigned long long)offset, (unsigned long long)reader->count);
    }
    return length == 0 ? JF_OK : call->host->tensor_read(call, reader->at_host, offset, into, length);
}

jf_result jf_tensor_create(jf_call *call, const uint64_t *shape, size_t dimensions, jf_tensor_writer **writer) {
    uint64_t count;
    if (dimensions > MOST_DIMENSIONS || !count_of(shape, dimensions, &count)) {
        return jf_fail(call, JF_INVALID_INPUT, "a tensor of %zu dimensions that is too large", dimensions);
    }
    int32_t at_host;
    JF_TRY(call->host->tensor_create(call, shape, dimensions, &at_host));
    *writer = jf_alloc(call, sizeof **writer);
    **writer = (jf_tensor_writer){ .next = call->writers, .at_host = at_host, .count = count };
    call->writers = *writer;
    return JF_OK;
}

jf_result jf_tensor_write(jf_call *call, jf_tensor_writer *writer, const float *elements, size_t length) {
    if (writer->is_finished) return jf_fail(call, JF_INVALID_INPUT, "the tensor is finished");
    if (length > writer->count - writer->written) {
        return jf_fail(call, JF_INVALID_INPUT, "a tensor of %llu elements, and %llu were written",
                       (unsigned long long)writer->count, (unsigned long long)(writer->written + length));
    }
    writer->written += length;
    return length == 0 ? JF_OK : call->host->tensor_write(call, writer->at_host, elements, length);
}

jf_result jf_tensor_finish(jf_call *call, jf_tensor_writer *writer, jf_tensor_ref *tensor) {
    if (writer->is_finished) return jf_fail(call, JF_INVALID_INPUT, "the tensor is finished");
    if (writer->written < writer->count) {
        return jf_fail(call, JF_INVALID_INPUT, "a tensor of %llu elements, and %llu were written",
                       (unsigned long long)writer->count, (unsigned long long)writer->written);
    }
    writer->is_finished = true;
    jf_text reference;
    JF_TRY(call->host->tensor_finish(call, writer->at_host, &reference));
    const jf_json *root;
    JF_TRY(jf_json_read(call, JF_INTERNAL, reference, &root));
    return jf_read_tensor(call, JF_INTERNAL, "the host's answer", root, tensor);
}

void jf_close_tensors(jf_call *call) {
    for (jf_tensor_reader *reader = call->readers; reader != NULL; reader = reader->next) {
        call->host->reader_close(call, reader->at_host);
    }
    for (jf_tensor_writer *writer = call->writers; writer != NULL; writer = writer->next) {
        call->host->writer_close(call, writer->at_host);
    }
    call->readers = NULL;
    call->writers = NULL;
}
