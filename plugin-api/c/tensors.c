/* Tensors that travel by reference. */
#include <string.h>

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

static bool is_digest(yyjson_val *value) {
    if (yyjson_get_len(value) != DIGITS) return false;
    const char *text = yyjson_get_str(value);
    for (size_t at = 0; at < DIGITS; at++) {
        if (!(text[at] >= '0' && text[at] <= '9') && !(text[at] >= 'a' && text[at] <= 'f')) return false;
    }
    return true;
}

jf_result jf_read_tensor(jf_call *call, jf_failure_kind kind, const char *name, yyjson_val *from, jf_tensor_ref *to) {
    yyjson_val *digest = yyjson_obj_get(from, "$tensor"), *shape = yyjson_obj_get(from, "shape");
    size_t dimensions = yyjson_arr_size(shape);
    bool is_tensor = yyjson_is_str(digest) && is_digest(digest) && yyjson_is_arr(shape) &&
                     dimensions <= MOST_DIMENSIONS && yyjson_equals_str(yyjson_obj_get(from, "dtype"), "f32");
    uint64_t *lengths = jf_alloc(call, dimensions * sizeof *lengths);
    size_t index, count;
    yyjson_val *one;
    yyjson_arr_foreach(shape, index, count, one) {
        is_tensor = is_tensor && yyjson_is_uint(one);
        lengths[index] = yyjson_get_uint(one);
    }
    if (!is_tensor) {
        return jf_fail(call, kind, "`%s`: expected a tensor, as {\"$tensor\": \"<sha256>\", \"shape\": [..], \"dtype\": \"f32\"}",
                       name);
    }
    *to = (jf_tensor_ref){ { yyjson_get_str(digest), DIGITS }, lengths, dimensions };
    return JF_OK;
}

yyjson_mut_val *jf_write_tensor(jf_call *call, const jf_tensor_ref *tensor) {
    yyjson_mut_doc *doc = jf_json(call);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    const char *digest = tensor->sha256.data == NULL ? "" : tensor->sha256.data;
    yyjson_mut_obj_add_strn(doc, object, "$tensor", digest, tensor->sha256.length);
    yyjson_mut_obj_add_val(doc, object, "shape", yyjson_mut_arr_with_uint64(doc, tensor->shape, tensor->dimensions));
    yyjson_mut_obj_add_str(doc, object, "dtype", "f32");
    return object;
}

jf_result jf_tensor_open(jf_call *call, const jf_tensor_ref *tensor, jf_tensor_reader **reader) {
    jf_text reference;
    JF_TRY(jf_write(call, jf_write_tensor(call, tensor), &reference));
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
    yyjson_val *root;
    JF_TRY(jf_parse(call, JF_INTERNAL, reference, &root));
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
