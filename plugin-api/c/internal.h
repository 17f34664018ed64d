/* Between the parts of the package; nothing for authors. */
#ifndef JACKFIELD_INTERNAL_H
#define JACKFIELD_INTERNAL_H

#include <stdarg.h>

#include "jackfield.h"

/* The host's side of the calls: the real one in a component, a fake one in tests. What they give lasts until the call is
 * answered. */
typedef struct jf_host {
    void (*log)(jf_call *call, jf_level level, jf_text message);
    void (*progress)(jf_call *call, uint64_t done, uint64_t total, jf_text note);
    bool (*cancelled)(jf_call *call);
    jf_result (*complete)(jf_call *call, jf_text request, jf_text *answer);
    bool (*model_name)(jf_call *call, jf_text *name);
    jf_result (*cache_get)(jf_call *call, jf_text key, bool *found, jf_text *value);
    jf_result (*cache_put)(jf_call *call, jf_text key, jf_text value, uint64_t ttl_ms);
    jf_result (*fetch)(jf_call *call, const jf_http_request *request, jf_http_response *response);
    /* Tensors, by a number that the host gives to one that is open or being made. A reference is JSON. */
    jf_result (*tensor_open)(jf_call *call, jf_text reference, int32_t *reader);
    jf_result (*tensor_read)(jf_call *call, int32_t reader, uint64_t offset, float *into, size_t length);
    jf_result (*tensor_create)(jf_call *call, const uint64_t *shape, size_t dimensions, int32_t *writer);
    jf_result (*tensor_write)(jf_call *call, int32_t writer, const float *elements, size_t length);
    jf_result (*tensor_finish)(jf_call *call, int32_t writer, jf_text *reference);
    void (*reader_close)(jf_call *call, int32_t reader);
    void (*writer_close)(jf_call *call, int32_t writer);
} jf_host;

struct jf_call {
    const jf_host *host;
    /* What the host needs to know the call by. */
    void *host_state;
    uint32_t index;
    jf_context context;
    /* Tensors of the document, and those of the answer. */
    const jf_tensor *tensors;
    size_t tensor_count;
    jf_tensor *answered;
    size_t answered_count;
    /* Memory of the call. */
    struct jf_block *blocks;
    yyjson_mut_doc *json;
    /* Documents that were read: their values last as long as the call. */
    struct jf_read *reads;
    /* Tensors that are open or being made. */
    jf_tensor_reader *readers;
    jf_tensor_writer *writers;
};

/* Closes what is open or being made; part of jf_end. */
void jf_close_tensors(jf_call *call);
/* Frees all that belongs to a call. */
void jf_end(jf_call *call);

/* A copy that lasts until the call is answered. */
jf_text jf_copy(jf_call *call, jf_text text);

/* As jf_format does. */
jf_text jf_format_list(jf_call *call, const char *format, va_list arguments);

/* Reads JSON; its values last until the call is answered. */
jf_result jf_parse(jf_call *call, jf_failure_kind kind, jf_text text, yyjson_val **root);
/* Writes JSON; the text lasts until the call is answered. */
jf_result jf_write(jf_call *call, yyjson_mut_val *value, jf_text *text);

/* The JSON Schema of a shape. Of what is `written`, every field is there; other keys are refused if `strict`. */
yyjson_mut_val *jf_schema(yyjson_mut_doc *doc, jf_shape shape, bool written, bool strict);
/* A tensor's reference, from JSON and to it. */
jf_result jf_read_tensor(jf_call *call, jf_failure_kind kind, const char *name, yyjson_val *from, jf_tensor_ref *to);
yyjson_mut_val *jf_write_tensor(jf_call *call, const jf_tensor_ref *tensor);

/* Reads a struct. Other keys are a failure if `strict`, and ignored otherwise. */
jf_result jf_read_fields(jf_call *call, jf_failure_kind kind, jf_shape shape, yyjson_val *from, bool strict, void *to);
/* Writes a struct. */
jf_result jf_write_fields(jf_call *call, jf_shape shape, const void *from, yyjson_mut_val **to);

/* A prompt and an answer, from JSON and to it. */
jf_result jf_read_request(jf_call *call, yyjson_val *from, jf_completion_request *request);
jf_result jf_write_request(jf_call *call, const jf_completion_request *request, yyjson_mut_val **to);
jf_result jf_read_completion(jf_call *call, yyjson_val *from, jf_completion *answer);
yyjson_mut_val *jf_write_completion(jf_call *call, const jf_completion *answer);
/* JSON Schemas of the two. */
extern const char jf_request_schema[], jf_completion_schema[];

/* The extension of this kind and name; NULL where there is none. */
const jf_extension *jf_find(const jf_plugin *plugin, jf_text kind, jf_text name);
/* The name of a kind, and of a failure. */
const char *jf_kind_name(jf_kind kind);
const char *jf_failure_name(jf_failure_kind kind);
/* Schemas of an extension, as JSON that the caller frees. */
char *jf_config_schema(const jf_extension *extension);
char *jf_input_schema(const jf_extension *extension);
char *jf_output_schema(const jf_extension *extension);
/* Reads the options of an extension into memory of their own, which lasts as long as `call`. */
jf_result jf_open(jf_call *call, const jf_extension *extension, jf_text config, void **opened);
/* Answers one document. */
jf_result jf_answer(jf_call *call, const jf_extension *extension, const void *config, jf_text document, jf_text *answer);

#endif
