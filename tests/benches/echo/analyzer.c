/* Answers what it is told. */
#include "analyzer.h"

struct nothing {
    char none;
};
static const jf_field no_fields[] = {
    JF_END,
};

struct said {
    jf_text text;
};
static const jf_field said_fields[] = {
    JF_FIELD(struct said, text, JF_TEXT, "Any text."),
    JF_END,
};

static jf_result echo(jf_call *call, const void *config, const void *input, void *answer) {
    (void)call;
    (void)config;
    ((struct said *)answer)->text = ((const struct said *)input)->text;
    return JF_OK;
}

static const jf_example examples[] = {
    { .summary = NULL },
};

const jf_extension word_count = {
    .kind = JF_ANALYZER,
    .name = "echo",
    .summary = "Answers what it is told",
    .config = JF_SHAPE(struct nothing, no_fields),
    .input = JF_SHAPE(struct said, said_fields),
    .output = JF_SHAPE(struct said, said_fields),
    .examples = examples,
    .analyze = echo,
};

JF_PLUGIN("0.1.0", &word_count);
