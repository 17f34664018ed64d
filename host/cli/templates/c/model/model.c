/* The model `{{name}}`, which repeats what it is told, and the analyzer `ask`, which asks a model. */
#include "model.h"

#include <string.h>

struct options {
    uint64_t words;
};
static const jf_field options_fields[] = {
    JF_FIELD(struct options, words, JF_UINT, "Most words of an answer.", .fallback = "8", .minimum = "1"),
    JF_END,
};

static bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

/* The next word of a text from `*at` on, which it moves behind it; empty at the end. */
static jf_text next_word(jf_text text, size_t *at) {
    while (*at < text.length && is_space(text.data[*at])) ++*at;
    size_t from = *at;
    while (*at < text.length && !is_space(text.data[*at])) ++*at;
    return (jf_text){ text.data + from, *at - from };
}

/* A token is a word here. Of the wishes of a request it heeds `max_tokens`. */
static jf_result repeat(jf_call *call, const void *config, const jf_completion_request *request, jf_completion *answer) {
    const struct options *options = config;
    if (request->schema.length > 0) return jf_fail(call, JF_INVALID_INPUT, "a parrot follows no schema");
    if (request->message_count == 0) return jf_fail(call, JF_INVALID_INPUT, "there is no message to answer");
    uint64_t most = options->words;
    if (request->has_max_tokens && request->max_tokens < most) most = request->max_tokens;

    answer->has_usage = true;
    size_t at;
    for (size_t message = 0; message < request->message_count; message++) {
        at = 0;
        while (next_word(request->messages[message].content, &at).length > 0) answer->input_tokens++;
    }
    jf_text heard = request->messages[request->message_count - 1].content;
    char *said = jf_alloc(call, heard.length + 1);
    size_t length = 0;
    at = 0;
    for (jf_text word; (word = next_word(heard, &at)).length > 0;) {
        if (answer->output_tokens == most) {
            answer->finish = JF_FINISH_LENGTH;
            break;
        }
        if (answer->output_tokens++ > 0) said[length++] = ' ';
        memcpy(said + length, word.data, word.length);
        length += word.length;
    }
    answer->text = (jf_text){ said, length };
    return JF_OK;
}

static const jf_example examples[] = {
    {
        .summary = "Two words at most",
        .config = "{\"words\":2}",
        .input = "{\"messages\":[{\"role\":\"user\",\"content\":\"Polly wants a cracker\"}]}",
        .output = "{\"text\":\"Polly wants\",\"finish\":\"length\",\"usage\":{\"input\":4,\"output\":2}}",
    },
    { .summary = NULL },
};

const jf_extension parrot = {
    .kind = JF_MODEL,
    .name = "{{name}}",
    .summary = "Repeats the first words of the last message",
    .config = JF_SHAPE(struct options, options_fields),
    .examples = examples,
    .complete = repeat,
};

struct text {
    jf_text text;
};
static const jf_field text_fields[] = {
    JF_FIELD(struct text, text, JF_TEXT, "What to ask."),
    JF_END,
};

struct answer {
    jf_text answer;
};
static const jf_field answer_fields[] = {
    JF_FIELD(struct answer, answer, JF_TEXT, "What the model said."),
    JF_END,
};

static jf_result put(jf_call *call, const void *config, const void *input, void *output) {
    (void)config;
    struct answer *answer = output;
    jf_message message = { JF_USER, ((const struct text *)input)->text };
    jf_completion completion;
    JF_TRY(jf_complete(call, &(jf_completion_request){ .messages = &message, .message_count = 1 }, &completion));
    answer->answer = completion.text;
    return JF_OK;
}

static const jf_permission permissions[] = {{"model", "to put the text to"}, {0}};

const jf_extension ask = {
    .kind = JF_ANALYZER,
    .name = "ask",
    .summary = "Puts a text to the stage's model",
    .input = JF_SHAPE(struct text, text_fields),
    .output = JF_SHAPE(struct answer, answer_fields),
    .permissions = permissions,
    .analyze = put,
};

JF_PLUGIN("0.1.0", &parrot, &ask);
