/* A host for unit tests: no Jackfield, no component. */
#ifndef JACKFIELD_TESTING_H
#define JACKFIELD_TESTING_H

#include <stdio.h>

#include "jackfield.h"

/* What a test gives the host, and what the host was asked. What is zero is not there. */
typedef struct jf_fake_host {
    /* Answers prompts. */
    jf_result (*model)(jf_call *call, const jf_completion_request *request, jf_completion *answer);
    /* Answers HTTP requests. */
    jf_result (*server)(jf_call *call, const jf_http_request *request, jf_http_response *response);
    /* What the cache holds: room for this many values. */
    struct jf_fake_value {
        char *key, *value;
        size_t key_length, value_length;
    } *cache;
    size_t cache_size;
    /* The tensors that are held, or being made: room for this many. */
    struct jf_fake_tensor {
        float *elements;
        uint64_t shape[8];
        size_t dimensions, length;
    } *tensors;
    size_t tensor_size;
    /* Whether the answer is no longer wanted. */
    bool is_cancelled;
    /* Where in a run the document belongs. */
    jf_context context;
    /* Prompts, log lines and reports of progress so far. */
    size_t asked, logged, progressed;
} jf_fake_host;

/* Holds a tensor from now on; its reference as JSON, which the caller frees. NULL where there is no room. */
char *jf_hold_tensor(jf_fake_host *host, const uint64_t *shape, size_t dimensions, const float *elements);

/* The elements of the first tensor that some JSON names, such as an answer; NULL where it names none that is held. */
const struct jf_fake_tensor *jf_held_tensor(const jf_fake_host *host, const char *json);

/* Opens an extension with these options and has it answer one document, as the host does: through JSON, held to the types. The
 * answer as JSON, or the failure as `invalid-input: what is wrong`; the caller frees it. */
char *jf_test_call(const jf_extension *extension, const char *config, const char *input, jf_fake_host *host);

/* Whether two texts are the same JSON value, in whatever order the keys are. */
bool jf_same_json(const char *one, const char *other);

/* Says of each worked example that does not hold what is wrong with it; gives how many there are. */
int jf_test_examples(const jf_extension *extension, jf_fake_host *host);

/* Compares what a call gives with JSON or a failure; counts a difference in `failures`. */
#define JF_EXPECT(failures, extension, config, input, host, wanted)                                            \
    do {                                                                                                       \
        char *jf_found = jf_test_call(extension, config, input, host);                                         \
        if (!jf_same_json(jf_found, wanted)) {                                                                 \
            fprintf(stderr, "%s:%d: wanted %s\n%s:%d: found  %s\n", __FILE__, __LINE__, wanted, __FILE__,      \
                    __LINE__, jf_found);                                                                       \
            (failures)++;                                                                                      \
        }                                                                                                      \
        free(jf_found);                                                                                        \
    } while (0)

#endif
