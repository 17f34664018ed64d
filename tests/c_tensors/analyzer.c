/* The mean of the rows of a tensor, which is read a row at a time. */
#include "centre.h"

struct states { jf_tensor_ref states; };
static const jf_field states_fields[] = {
    JF_FIELD(struct states, states, JF_TENSOR, "A row a prompt.", .schema = "[\"rows\",\"d\"]"),
    JF_END,
};
struct answer { jf_tensor_ref mean; uint64_t rows; };
static const jf_field answer_fields[] = {
    JF_FIELD(struct answer, mean, JF_TENSOR, "The mean of the rows.", .schema = "[\"d\"]"),
    JF_FIELD(struct answer, rows, JF_UINT, "How many there were."),
    JF_END,
};

static jf_result analyze(jf_call *call, const void *config, const void *input, void *answer) {
    (void)config;
    const jf_tensor_ref *states = &((const struct states *)input)->states;
    struct answer *centre = answer;
    if (states->dimensions != 2 || states->shape[0] == 0) return jf_fail(call, JF_INVALID_INPUT, "no rows");
    size_t rows = (size_t)states->shape[0], d = (size_t)states->shape[1];
    double *sums = jf_alloc(call, d * sizeof *sums);
    float *row = jf_alloc(call, d * sizeof *row);
    jf_tensor_reader *reader;
    JF_TRY(jf_tensor_open(call, states, &reader));
    for (size_t at = 0; at < rows; at++) {
        JF_TRY(jf_tensor_read(call, reader, at * d, row, d));
        for (size_t of = 0; of < d; of++) sums[of] += row[of];
    }
    for (size_t of = 0; of < d; of++) row[of] = (float)(sums[of] / (double)rows);
    jf_tensor_writer *writer;
    JF_TRY(jf_tensor_create(call, &states->shape[1], 1, &writer));
    /* In two pieces, as a larger one would be. */
    JF_TRY(jf_tensor_write(call, writer, row, d / 2));
    JF_TRY(jf_tensor_write(call, writer, row + d / 2, d - d / 2));
    centre->rows = rows;
    return jf_tensor_finish(call, writer, &centre->mean);
}

const jf_extension centre = {
    .kind = JF_ANALYZER,
    .name = "centre",
    .summary = "Finds the mean of some hidden states",
    .input = JF_SHAPE(struct states, states_fields),
    .output = JF_SHAPE(struct answer, answer_fields),
    .analyze = analyze,
};

JF_PLUGIN("0.1.0", &centre);
