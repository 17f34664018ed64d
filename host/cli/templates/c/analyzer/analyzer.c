/* The analyzer `{{name}}`: counts the words of a text. */
#include "analyzer.h"

struct options {
    uint64_t min_length;
};
static const jf_field options_fields[] = {
    JF_FIELD(struct options, min_length, JF_UINT, "Words of fewer characters are not counted.", .fallback = "1",
             .minimum = "1"),
    JF_END,
};

struct text {
    jf_text text;
};
static const jf_field text_fields[] = {
    JF_FIELD(struct text, text, JF_TEXT, "Any text."),
    JF_END,
};

struct counts {
    uint64_t words, characters, longest;
};
static const jf_field counts_fields[] = {
    JF_FIELD(struct counts, words, JF_UINT, "Words that were counted."),
    JF_FIELD(struct counts, characters, JF_UINT, "Characters of the text, white space among them."),
    JF_FIELD(struct counts, longest, JF_UINT, "Characters of the longest word that was counted; 0 if none was."),
    JF_END,
};

/* A word is a longest run of characters other than space, tab, carriage return and line feed. A character is a Unicode scalar
 * value, so that every language counts the same. */
static jf_result count(jf_call *call, const void *config, const void *input, void *answer) {
    (void)call;
    const struct options *options = config;
    const jf_text text = ((const struct text *)input)->text;
    struct counts *counts = answer;
    uint64_t length = 0;
    for (size_t at = 0; at <= text.length; at++) {
        char byte = at < text.length ? text.data[at] : ' ';
        if ((byte & 0xc0) == 0x80) continue; /* goes on with a character */
        if (at < text.length) counts->characters++;
        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n') {
            length++;
            continue;
        }
        if (length > 0 && length >= options->min_length) {
            counts->words++;
            if (length > counts->longest) counts->longest = length;
        }
        length = 0;
    }
    return JF_OK;
}

static const jf_example examples[] = {
    {
        .summary = "Words of three characters or more",
        .config = "{\"min_length\":3}",
        .input = "{\"text\":\"So, naïve 🦀🦀🦀 it\\tis\\nnot.\"}",
        .output = "{\"words\":4,\"characters\":24,\"longest\":5}",
    },
    { .summary = NULL },
};

const jf_extension word_count = {
    .kind = JF_ANALYZER,
    .name = "{{name}}",
    .summary = "Counts the words of a text",
    .config = JF_SHAPE(struct options, options_fields),
    .input = JF_SHAPE(struct text, text_fields),
    .output = JF_SHAPE(struct counts, counts_fields),
    .examples = examples,
    .analyze = count,
};

JF_PLUGIN("0.1.0", &word_count);
