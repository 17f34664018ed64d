/* All that the author of a Jackfield plugin in C needs.
 *
 *     #include "jackfield.h"
 *
 *     struct text { jf_text text; };
 *     static const jf_field text_fields[] = {
 *         JF_FIELD(struct text, text, JF_TEXT, "Any text."),
 *         JF_END,
 *     };
 *
 *     struct size { uint64_t bytes; };
 *     static const jf_field size_fields[] = {
 *         JF_FIELD(struct size, bytes, JF_UINT, "How many bytes it takes."),
 *         JF_END,
 *     };
 *
 *     static jf_result measure(jf_call *call, const void *config, const void *input, void *answer) {
 *         const struct text *text = input;
 *         struct size *size = answer;
 *         size->bytes = text->text.length;
 *         return JF_OK;
 *     }
 *
 *     static const jf_extension text_size = {
 *         .kind = JF_ANALYZER,
 *         .name = "text-size",
 *         .summary = "Measures a text",
 *         .input = JF_SHAPE(struct text, text_fields),
 *         .output = JF_SHAPE(struct size, size_fields),
 *         .analyze = measure,
 *     };
 *
 *     JF_PLUGIN("0.1.0", &text_size);
 *
 * Whatever can differ between machines (random numbers, models, caches, servers) is asked of the host; an extension is
 * otherwise a pure function of its configuration and its input. Memory that these functions give lasts until the call is
 * answered; nothing has to be freed.
 */
#ifndef JACKFIELD_H
#define JACKFIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One call of an extension for one document: the way to the host, and to memory that lasts as long. */
typedef struct jf_call jf_call;

/* UTF-8 text, or bytes. It may hold zeros, and need not end with one. */
typedef struct jf_text {
    const char *data;
    size_t length;
} jf_text;

/* A text of a string literal or any other that ends with a zero. */
jf_text jf_string(const char *text);

/* A text made as printf does: %s, %.*s, %c, %d, %u and %x (with l, ll or z), and %g for the shortest form of a number. */
__attribute__((format(printf, 2, 3))) jf_text jf_format(jf_call *call, const char *format, ...);

/* Zeroed memory that lasts until the call is answered. It is always there: without memory the plugin ends. */
void *jf_alloc(jf_call *call, size_t size);

/* ---- Failures -------------------------------------------------------------------------------------------------------- */

/* Why a call did not answer. The host knows from it whether trying again can help. */
typedef enum jf_failure_kind {
    /* The configuration is well-formed, but means nothing to the extension. Never retried. */
    JF_INVALID_CONFIG,
    /* The input cannot be worked on. Never retried. */
    JF_INVALID_INPUT,
    /* The extension, or a model it asked, produced something that does not fit. Never retried. */
    JF_INVALID_OUTPUT,
    /* Something needed is away at the moment. Retried. */
    JF_UNAVAILABLE,
    /* Asked too often. Retried. */
    JF_RATE_LIMITED,
    /* The host asked to stop. Never retried within a run. */
    JF_CANCELLED,
    /* A limit on time, memory, calls, tokens or money was reached. Never retried within a run. */
    JF_OVER_BUDGET,
    /* A fault of the extension itself. Never retried. */
    JF_INTERNAL,
} jf_failure_kind;

typedef struct jf_failure {
    jf_failure_kind kind;
    /* A lowercase fragment without a full stop that names the thing and, where there is one, the fix. */
    jf_text message;
    /* Of JF_RATE_LIMITED: how long to wait, in milliseconds; 0 where it is not known. */
    uint64_t retry_after_ms;
} jf_failure;

/* What functions that can fail give: JF_OK, or the failure. */
typedef const jf_failure *jf_result;
#define JF_OK ((jf_result)NULL)

/* A failure with a message made as printf does: `return jf_fail(call, JF_INVALID_INPUT, "%zu is odd", n);` */
__attribute__((format(printf, 3, 4))) jf_result jf_fail(jf_call *call, jf_failure_kind kind, const char *format, ...);

/* Hands a failure on: `JF_TRY(jf_cache_get(call, key, &found, &value));` */
#define JF_TRY(expression)                          \
    do {                                            \
        jf_result jf_tried = (expression);          \
        if (jf_tried != JF_OK) return jf_tried;     \
    } while (0)

/* ---- Options, inputs and outputs ------------------------------------------------------------------------------------- */

/* The type of a member. */
typedef enum jf_type {
    JF_BOOL,      /* bool */
    JF_INT,       /* int64_t */
    JF_UINT,      /* uint64_t */
    JF_NUMBER,    /* double */
    JF_TEXT,      /* jf_text */
    JF_TEXT_FILE, /* jf_text_file: an option that names a file, which the host reads */
    JF_TEXT_FILES, /* jf_text_files: an option that names a folder, whose files the host reads */
    JF_JSON_IN,   /* const jf_json *: any JSON value that is read (json.h); say in .schema what it looks like */
    JF_JSON_OUT,  /* const jf_json *: any JSON value that is written, such as one made with jf_json_object(call) */
    JF_TENSOR,    /* jf_tensor_ref: a tensor that travels by reference; say its shape in .schema */
} jf_type;

/* A text file that an option names, relative to the pipeline's folder. */
typedef struct jf_text_file {
    /* The path as it stands in the pipeline. */
    jf_text path;
    /* What the file holds: at most 16 MiB. */
    jf_text text;
} jf_text_file;

/* The text files of a folder that an option names, relative to the pipeline's folder, or a single file: sorted by name,
   without those in folders inside it and those whose names begin with a dot; at most 64 MiB together. */
typedef struct jf_text_files {
    const jf_text_file *files;
    size_t count;
} jf_text_files;

/* A tensor that travels by reference: what stands in a document for elements that the host holds. */
typedef struct jf_tensor_ref {
    /* SHA-256 of the elements as little-endian bytes, in lower-case hexadecimal digits. */
    jf_text sha256;
    /* Length of each dimension, the slowest first; at most 8. */
    const uint64_t *shape;
    size_t dimensions;
} jf_tensor_ref;

/* A member of a struct that is read from JSON or written to it. */
typedef struct jf_field {
    const char *name;
    jf_type type;
    size_t offset;
    /* What it is, for the people who read `jackfield plugins info`. */
    const char *description;
    /* JSON that stands in where the key is absent; the key is required without it. */
    const char *fallback;
    /* The least and the most of a number, themselves included, as JSON. */
    const char *minimum, *maximum;
    /* JSON Schema of a JF_JSON_IN or JF_JSON_OUT. Of a JF_TENSOR, the names and lengths of its dimensions as a JSON list,
     * such as "[\"prompts\",\"layers\",null]": what is called the same has the same length throughout an input and the
     * answer to it, and null is any length. The host holds inputs and answers to it. */
    const char *schema;
} jf_field;

/* A field for a member; .fallback, .minimum, .maximum and .schema may follow. */
#define JF_FIELD(of, member, its_type, about, ...) \
    { .name = #member, .type = its_type, .offset = offsetof(of, member), .description = about, __VA_ARGS__ }
#define JF_END { .name = NULL }

/* A struct and its fields. */
typedef struct jf_shape {
    const jf_field *fields;
    size_t size;
} jf_shape;
#define JF_SHAPE(of, its_fields) { .fields = its_fields, .size = sizeof(of) }

/* A named array of 32-bit floats, row-major. */
typedef struct jf_tensor {
    jf_text name;
    /* Length of each dimension, the slowest first; at most 8. */
    const uint64_t *shape;
    size_t dimensions;
    /* As many as the product of the shape. */
    const float *data;
    size_t length;
} jf_tensor;

/* The tensor of this name that came with the document; NULL where there is none. */
const jf_tensor *jf_tensor_named(jf_call *call, const char *name);
/* Lets a tensor travel with the answer: 64 KiB in all at the most, of an extension that says so by .carries_tensors. It is
 * copied. Larger ones travel by reference. */
void jf_answer_tensor(jf_call *call, jf_tensor tensor);

/* A tensor that can be read, and one that is being made; both for as long as the call lasts. */
typedef struct jf_tensor_reader jf_tensor_reader;
typedef struct jf_tensor_writer jf_tensor_writer;

/* How many elements a tensor has; 0 for one that no machine can count. */
uint64_t jf_element_count(const jf_tensor_ref *tensor);
/* Opens a tensor that the input named, or that this call made. JF_INVALID_INPUT for any other. */
jf_result jf_tensor_open(jf_call *call, const jf_tensor_ref *tensor, jf_tensor_reader **reader);
/* Reads the `length` elements from the one at `offset` on, so that a tensor may be larger than the plugin's memory.
 * JF_INVALID_INPUT for elements that there are not. */
jf_result jf_tensor_read(jf_call *call, jf_tensor_reader *reader, uint64_t offset, float *into, size_t length);
/* Begins a tensor of this shape. JF_OVER_BUDGET for one beyond the stage's limit on tensors. */
jf_result jf_tensor_create(jf_call *call, const uint64_t *shape, size_t dimensions, jf_tensor_writer **writer);
/* Adds elements at the end. JF_INVALID_INPUT for more than the shape has. */
jf_result jf_tensor_write(jf_call *call, jf_tensor_writer *writer, const float *elements, size_t length);
/* Ends a tensor, whose elements must all be there, and gives its reference, to be put into the answer. */
jf_result jf_tensor_finish(jf_call *call, jf_tensor_writer *writer, jf_tensor_ref *tensor);

/* ---- Models ---------------------------------------------------------------------------------------------------------- */

/* Who speaks. */
typedef enum jf_role { JF_SYSTEM, JF_USER, JF_ASSISTANT } jf_role;

/* A turn of a conversation. */
typedef struct jf_message {
    jf_role role;
    jf_text content;
} jf_message;

/* A prompt for a model. What is zero is as by default. */
typedef struct jf_completion_request {
    /* The conversation so far; at least one message. */
    const jf_message *messages;
    size_t message_count;
    /* JSON Schema of the answer, as text; free text without one. */
    jf_text schema;
    /* The host does not validate the answer against the schema. */
    bool not_validated;
    /* The answer neither comes from the model's cache nor goes there. */
    bool not_cached;
    /* The most tokens of an answer; the server's default without it. */
    bool has_max_tokens;
    uint32_t max_tokens;
    /* Temperature of sampling, 0 to 2; the server's default without it. */
    bool has_temperature;
    double temperature;
    /* Texts that end the answer. */
    const jf_text *stop;
    size_t stop_count;
    /* Seed of sampling, for servers that take one. */
    bool has_seed;
    uint64_t seed;
    /* Number of this answer among several to the same prompt. */
    uint32_t replicate;
} jf_completion_request;

/* Why an answer ended: it was complete, it reached a limit on tokens, or something else. */
typedef enum jf_finish { JF_FINISH_STOP, JF_FINISH_LENGTH, JF_FINISH_OTHER } jf_finish;

/* An answer. */
typedef struct jf_completion {
    jf_text text;
    jf_finish finish;
    /* Tokens read and written; the host counts them where the model does not. */
    bool has_usage;
    uint64_t input_tokens, output_tokens;
    /* The model, as the server calls it; empty where it is not known. */
    jf_text model;
    /* What the model thought before it answered, where it says that apart from the answer; empty otherwise. */
    jf_text reasoning;
    /* Set by the host: whether no call was made for it, and what its tokens cost in USD in either case. */
    bool cached;
    double usd;
} jf_completion;

/* ---- Extensions ------------------------------------------------------------------------------------------------------ */

/* The kinds of extension. */
typedef enum jf_kind { JF_ANALYZER, JF_MODEL } jf_kind;

/* How much change an author promises to spare those who use the extension. */
typedef enum jf_stability { JF_EXPERIMENTAL, JF_BETA, JF_STABLE } jf_stability;

/* A permission asked for, such as `http:api.example.org`, and why. */
typedef struct jf_permission {
    const char *name, *reason;
} jf_permission;

/* A worked example: small, and exact. All but the summary is JSON. */
typedef struct jf_example {
    const char *summary, *config, *input, *output;
} jf_example;

/* An extension. */
typedef struct jf_extension {
    jf_kind kind;
    /* Lower-case words joined by hyphens, unique within the kind; at most 64 bytes. */
    const char *name;
    /* One line, without a full stop. */
    const char *summary;
    /* The options: what the `with` table holds. Other keys are refused. */
    jf_shape config;
    /* Of an analyzer: what it reads and what it answers. */
    jf_shape input, output;
    /* Of an analyzer: whether tensors travel with its answers (jf_answer_tensor). */
    bool carries_tensors;
    jf_stability stability;
    /* Both end with one that has no name or summary. */
    const jf_permission *permissions;
    const jf_example *examples;
    /* Looks at the options once, before any call: what a schema cannot say. May be NULL, and may change them. */
    jf_result (*open)(jf_call *call, void *config);
    /* Of an analyzer: answers one document. The answer begins as zeros. */
    jf_result (*analyze)(jf_call *call, const void *config, const void *input, void *answer);
    /* Of a model: makes one call. The host does what is around it: cache, limits, retries, budget. */
    jf_result (*complete)(jf_call *call, const void *config, const jf_completion_request *request, jf_completion *answer);
} jf_extension;

/* What a plugin offers. */
typedef struct jf_plugin {
    const char *version;
    /* Ends with NULL. */
    const jf_extension *const *extensions;
} jf_plugin;

/* What this plugin offers, once in each plugin: its semantic version and its extensions. */
#define JF_PLUGIN(its_version, ...)                                                                     \
    static const jf_extension *const jf_offered[] = { __VA_ARGS__, NULL };                              \
    const jf_plugin jf_this_plugin = { .version = its_version, .extensions = jf_offered }
extern const jf_plugin jf_this_plugin;

/* ---- The host -------------------------------------------------------------------------------------------------------- */

/* Where in a run a document belongs. */
typedef struct jf_context {
    /* Name of the stage that makes the call. */
    jf_text stage;
    /* Id of the item; empty for a stage that runs once a run. */
    jf_text item;
    /* Index of the element, 0 for a stage without `for_each`. */
    uint32_t element;
    /* Index of the replicate, 0 for a stage without `repeat`. */
    uint32_t replicate;
    /* Follows from the run's seed and all of the above: the same in every run with the same seed. */
    uint64_t seed;
} jf_context;

/* Where in the run the document belongs. */
const jf_context *jf_where(const jf_call *call);

/* A small deterministic generator (SplitMix64: Steele, Lea and Flood 2014), the same on every platform. */
typedef struct jf_random {
    uint64_t state;
} jf_random;

/* A generator seeded for this call: the only source of chance that leaves results reproducible. */
jf_random jf_seeded(const jf_call *call);
/* The next 64 bits. */
uint64_t jf_next_u64(jf_random *random);
/* A number in [0, 1), of 53 random bits. */
double jf_next_f64(jf_random *random);
/* An integer in 0..bound without bias. A bound of 0 gives 0. */
uint64_t jf_below(jf_random *random, uint64_t bound);

/* Weight of a log line, the gravest first. */
typedef enum jf_level { JF_ERROR, JF_WARN, JF_INFO, JF_DEBUG, JF_TRACE } jf_level;

/* Hands a line to the host's log; one of more than 16 KiB is cut. */
__attribute__((format(printf, 3, 4))) void jf_log(jf_call *call, jf_level level, const char *format, ...);

#define JF_UNKNOWN UINT64_MAX
/* Says how far a long call has come, in a unit of the plugin's choice. The total may be JF_UNKNOWN. */
void jf_progress(jf_call *call, uint64_t done, uint64_t total, const char *note);

/* Whether the answer is no longer wanted: a long computation asks now and then and fails with JF_CANCELLED. */
bool jf_cancelled(jf_call *call);

/* Asks the model that the pipeline gives to the stage (`model = "name"`). The host answers from the model's cache where it
 * can, keeps to limits and budget, tries again what can heal, and holds the answer to the request's schema. JF_INVALID_CONFIG
 * if the stage has no model, JF_INVALID_OUTPUT if the answer does not fit the schema or was refused, JF_OVER_BUDGET if the
 * budget does not allow it, otherwise what the last try gave. */
jf_result jf_complete(jf_call *call, const jf_completion_request *request, jf_completion *answer);

/* What the stage's model is, such as `openai/qwen2.5-7b`; false for a stage without a model. */
bool jf_model_name(jf_call *call, jf_text *name);

/* Looks a value up in the cache that the pipeline gives to the stage (`store = "name"`). A cache that is away finds nothing.
 * JF_INVALID_CONFIG if the stage has no cache. */
jf_result jf_cache_get(jf_call *call, jf_text key, bool *found, jf_text *value);

/* Keeps a value of at most 64 MiB in the stage's cache, for as long as the cache's tiers say, or for `ttl_ms` milliseconds if
 * that is shorter; it may be JF_UNKNOWN. JF_INVALID_CONFIG if the stage has no cache. */
jf_result jf_cache_put(jf_call *call, jf_text key, jf_text value, uint64_t ttl_ms);

/* A header's name, in lower case in an answer, and value. */
typedef struct jf_header {
    jf_text name, value;
} jf_header;

/* What to ask of a server. */
typedef struct jf_http_request {
    /* `GET` if it is empty. */
    jf_text method;
    /* An absolute http or https address. */
    jf_text url;
    const jf_header *headers;
    size_t header_count;
    /* At most 64 MiB. */
    jf_text body;
    /* How long to wait for the whole answer, in milliseconds; 30,000 if it is 0. */
    uint64_t timeout_ms;
} jf_http_request;

/* What a server answered, whatever its status. A redirect comes back as it is: the host follows none. */
typedef struct jf_http_response {
    uint16_t status;
    const jf_header *headers;
    size_t header_count;
    jf_text body;
} jf_http_response;

/* Makes an HTTP request to a server that the plugin asks for in its permissions (`http:HOST`) and that it was granted.
 * JF_INVALID_CONFIG if the server was not granted, JF_INVALID_INPUT if the request makes no sense, JF_UNAVAILABLE if the
 * server cannot be reached or does not answer in time, JF_OVER_BUDGET if the answer is too large. */
jf_result jf_fetch(jf_call *call, const jf_http_request *request, jf_http_response *response);

#include "json.h"

#endif
