#include <stdlib.h>
#include <string.h>

#include "centre.h"
#include "vendor/jackfield/testing.h"

#define HOLD(failures, condition)                                                \
    do {                                                                         \
        if (!(condition)) {                                                      \
            fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition);  \
            (failures)++;                                                        \
        }                                                                        \
    } while (0)

/* Opens and makes tensors in ways that are refused. */
static jf_result strange(jf_call *call, const void *config, const void *input, void *answer) {
    (void)config, (void)input, (void)answer;
    const uint64_t two[] = { 2 }, too_large[] = { UINT64_MAX, 2 }, nine[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    const float some[] = { 1, 2, 3 };
    float read[2];
    jf_tensor_writer *writer, *none;
    jf_tensor_reader *reader;
    jf_tensor_ref tensor;
    int odd = 0;
    HOLD(odd, jf_tensor_create(call, too_large, 2, &none) != JF_OK);
    HOLD(odd, jf_tensor_create(call, nine, 9, &none) != JF_OK);
    JF_TRY(jf_tensor_create(call, two, 1, &writer));
    HOLD(odd, jf_tensor_write(call, writer, some, 3) != JF_OK);
    JF_TRY(jf_tensor_write(call, writer, some, 1));
    HOLD(odd, jf_tensor_finish(call, writer, &tensor) != JF_OK);
    JF_TRY(jf_tensor_write(call, writer, some, 1));
    JF_TRY(jf_tensor_finish(call, writer, &tensor));
    HOLD(odd, jf_tensor_write(call, writer, some, 0) != JF_OK);
    HOLD(odd, jf_tensor_finish(call, writer, &tensor) != JF_OK);
    JF_TRY(jf_tensor_open(call, &tensor, &reader));
    HOLD(odd, jf_tensor_read(call, reader, 1, read, 2) != JF_OK);
    HOLD(odd, jf_tensor_read(call, reader, UINT64_MAX, read, 2) != JF_OK);
    JF_TRY(jf_tensor_read(call, reader, 0, read, 2));
    HOLD(odd, read[0] == 1 && read[1] == 1 && jf_element_count(&tensor) == 2);
    return odd == 0 ? JF_OK : jf_fail(call, JF_INTERNAL, "%d things are odd", odd);
}
static const jf_extension odd = { .kind = JF_ANALYZER, .name = "odd", .summary = "Is refused", .analyze = strange };

int main(void) {
    int failures = 0;
    struct jf_fake_tensor tensors[6] = { 0 };
    jf_fake_host host = { .tensors = tensors, .tensor_size = 6 };
    const uint64_t shape[] = { 3, 5 };
    float elements[15];
    for (int at = 0; at < 15; at++) elements[at] = (float)at;
    char *reference = jf_hold_tensor(&host, shape, 2, elements);

    char input[512];
    snprintf(input, sizeof input, "{\"states\":%s}", reference);
    char *answer = jf_test_call(&centre, "{}", input, &host);
    const struct jf_fake_tensor *mean = jf_held_tensor(&host, answer);
    HOLD(failures, mean != NULL && mean->dimensions == 1 && mean->shape[0] == 5);
    for (int at = 0; mean != NULL && at < 5; at++) HOLD(failures, mean->elements[at] == (float)(at + 5));
    HOLD(failures, strstr(answer, "\"rows\":3") != NULL);
    free(answer);
    free(reference);

    JF_EXPECT(failures, &centre, "{}", "{\"states\":{\"$tensor\":\"abc\",\"shape\":[1,1],\"dtype\":\"f32\"}}", &host,
              "invalid-input: `states`: expected a tensor, as "
              "{\"$tensor\": \"<sha256>\", \"shape\": [..], \"dtype\": \"f32\"}");
    snprintf(input, sizeof input, "{\"states\":{\"$tensor\":\"%064d\",\"shape\":[1,1],\"dtype\":\"f32\"}}", 9);
    JF_EXPECT(failures, &centre, "{}", input, &host, "invalid-input: there is no such tensor");
    JF_EXPECT(failures, &odd, "{}", "{}", &host, "{}");
    for (size_t at = 0; at < 6; at++) free(tensors[at].elements);

    printf("%s\n", failures == 0 ? "ok" : "failed");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
