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
    /* What is left of the piece of it from which parts of JSON values are taken, and how large the whole piece is. */
    char *spare;
    size_t spare_length, last_piece;
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

/* Whether two texts are the same bytes. */
bool jf_same_text(jf_text one, jf_text other);

struct jf_json {
    jf_json_type type;
    /* Bytes of a text, values of a list, members of an object. */
    size_t count;
    union {
        bool boolean;
        uint64_t natural;
        /* Less than 0. */
        int64_t integer;
        double number;
        const char *text;
        /* A list has no keys. NULL among the values stands for null. */
        struct {
            const jf_json **values;
            jf_text *keys;
        } members;
    };
};

/* How deep lists and objects may be nested: as deep as serde_json reads them, and thus the host. */
enum { JF_JSON_LEVELS = 127 };

/* A value of a type that is empty otherwise. */
jf_json *jf_json_of(jf_call *call, jf_json_type type);
/* As jf_json_text and jf_json_add_key, without a copy of the bytes. */
jf_json *jf_json_borrow(jf_call *call, jf_text text);
void jf_json_add_borrowed(jf_call *call, jf_json *object, jf_text key, const jf_json *value);

/* Whether a value is the word `false`. */
bool jf_is_false(const jf_json *value);
/* Where the bytes end that stand in a string of JSON as they are: at a quotation mark, a backslash, a control character, what is
 * not UTF-8, or the end. */
const unsigned char *jf_end_of_plain(const unsigned char *at, const unsigned char *end);
/* Reads a number of JSON without its sign; false for one that is too large for a double. */
bool jf_read_decimal(const char *text, size_t length, double *to);
/* Writes a finite number, and gives the length: with a point or an exponent, so that it is read as a double again. */
size_t jf_write_decimal(char to[32], double number);
/* Writes an integer to a base of at most 16, and gives the length: at most 20 digits to base 10. */
size_t jf_write_integer(char *to, uint64_t value, unsigned base);

/* The JSON Schema of a shape. Of what is `written`, every field is there; other keys are refused if `strict`. */
jf_json *jf_schema(jf_call *call, jf_shape shape, bool written, bool strict);
/* A tensor's reference, from JSON and to it. */
jf_result jf_read_tensor(jf_call *call, jf_failure_kind kind, const char *name, const jf_json *from, jf_tensor_ref *to);
jf_json *jf_write_tensor(jf_call *call, const jf_tensor_ref *tensor);

/* Reads a struct. Other keys are a failure if `strict`, and ignored otherwise. */
jf_result jf_read_fields(jf_call *call, jf_failure_kind kind, jf_shape shape, const jf_json *from, bool strict, void *to);
/* Writes a struct. */
jf_result jf_write_fields(jf_call *call, jf_shape shape, const void *from, jf_json **to);

/* A prompt and an answer, from JSON and to it. */
jf_result jf_read_request(jf_call *call, const jf_json *from, jf_completion_request *request);
jf_result jf_write_request(jf_call *call, const jf_completion_request *request, jf_json **to);
jf_result jf_read_completion(jf_call *call, const jf_json *from, jf_completion *answer);
jf_json *jf_write_completion(jf_call *call, const jf_completion *answer);
/* JSON Schemas of the two. */
extern const char jf_request_schema[], jf_completion_schema[];

/* The extension of this kind and name; NULL where there is none. */
const jf_extension *jf_find(const jf_plugin *plugin, jf_text kind, jf_text name);
/* The name of a kind, and of a failure. */
const char *jf_kind_name(jf_kind kind);
const char *jf_failure_name(jf_failure_kind kind);
/* Schemas of an extension, as JSON. */
jf_text jf_config_schema(jf_call *call, const jf_extension *extension);
jf_text jf_input_schema(jf_call *call, const jf_extension *extension);
jf_text jf_output_schema(jf_call *call, const jf_extension *extension);
/* Reads the options of an extension into memory of their own, which lasts as long as `call`. */
jf_result jf_open(jf_call *call, const jf_extension *extension, jf_text config, void **opened);
/* Answers one document. */
jf_result jf_answer(jf_call *call, const jf_extension *extension, const void *config, jf_text document, jf_text *answer);

#endif
