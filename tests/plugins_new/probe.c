/* Asks everything of the host that there is to ask. */
#define _GNU_SOURCE /* arc4random_buf */
#include "vendor/jackfield/jackfield.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static jf_result echo_complete(jf_call *call, const void *config, const jf_completion_request *request,
                               jf_completion *answer) {
    (void)call;
    (void)config;
    answer->text = request->messages[request->message_count - 1].content;
    return JF_OK;
}
static const jf_extension echo = {
    .kind = JF_MODEL, .name = "echo", .summary = "Says the last message once more", .complete = echo_complete
};

struct options { jf_text word; };
static const jf_field options_fields[] = {
    JF_FIELD(struct options, word, JF_TEXT, "Any word.", .fallback = "\"no\""), JF_END
};
struct text { jf_text text; };
static const jf_field text_fields[] = { JF_FIELD(struct text, text, JF_TEXT, "Any text."), JF_END };
struct report { const jf_json *report; };
static const jf_field report_fields[] = {
    JF_FIELD(struct report, report, JF_JSON_OUT, "What it answered.", .schema = "{\"type\":\"object\"}"), JF_END
};

static jf_result probe_open(jf_call *call, void *config) {
    const struct options *options = config;
    bool bad = options->word.length == 3 && memcmp(options->word.data, "bad", 3) == 0;
    return bad ? jf_fail(call, JF_INVALID_CONFIG, "`word` is bad") : JF_OK;
}

static void add(jf_call *call, jf_json *report, const char *key, jf_text text) {
    jf_json_add(call, report, key, jf_json_text(call, text));
}

/* Adds what a call gave, or the kind of its failure. */
static void tried(jf_call *call, jf_json *report, const char *key, jf_result result, const jf_text *text) {
    static const char *const kinds[] = { "invalid-config", "invalid-input", "invalid-output", "unavailable",
                                         "rate-limited",   "cancelled",     "over-budget",    "internal" };
    if (result != JF_OK) add(call, report, key, jf_string(kinds[result->kind]));
    else if (text != NULL) add(call, report, key, *text);
    else jf_json_add(call, report, key, jf_json_null(call));
}

static void kept(jf_call *call, jf_json *report, const char *key) {
    bool found = false;
    jf_text value;
    jf_result result = jf_cache_get(call, jf_string("a"), &found, &value);
    if (!found) value = jf_string("nothing");
    tried(call, report, key, result, &value);
}

static jf_result probe_analyze(jf_call *call, const void *config, const void *input, void *answer) {
    jf_json *report = jf_json_object(call);
    ((struct report *)answer)->report = report;
    jf_random random = jf_seeded(call);
    jf_log(call, JF_WARN, "said in %.*s", (int)jf_where(call)->stage.length, jf_where(call)->stage.data);
    jf_progress(call, 1, 2, "half");
    jf_progress(call, 2, JF_UNKNOWN, NULL);
    add(call, report, "word", ((const struct options *)config)->word);
    add(call, report, "stage", jf_where(call)->stage);
    add(call, report, "item", jf_where(call)->item);
    add(call, report, "seed", jf_format(call, "%llu", (unsigned long long)jf_where(call)->seed));
    jf_json *drawn = jf_json_list(call);
    jf_json_add(call, report, "random", drawn);
    jf_text number = jf_format(call, "%llu", (unsigned long long)jf_next_u64(&random));
    jf_json_push(call, drawn, jf_json_text(call, number));
    number = jf_format(call, "%llu", (unsigned long long)jf_below(&random, 1000));
    jf_json_push(call, drawn, jf_json_text(call, number));
    unsigned millionths = (unsigned)(jf_next_f64(&random) * 1e6 + 0.5);
    number = jf_format(call, "%u", 1000000 + millionths);
    number = jf_format(call, "0.%.*s", (int)number.length - 1, number.data + 1);
    jf_json_push(call, drawn, jf_json_text(call, number));
    jf_json_add(call, report, "cancelled", jf_json_bool(call, jf_cancelled(call)));
    jf_text name;
    bool has_model = jf_model_name(call, &name);
    tried(call, report, "model", JF_OK, has_model ? &name : NULL);
    jf_message message = { JF_USER, ((const struct text *)input)->text };
    jf_completion completion = { 0 };
    jf_completion_request request = { .messages = &message, .message_count = 1 };
    jf_result result = jf_complete(call, &request, &completion);
    tried(call, report, "answer", result, &completion.text);
    kept(call, report, "before");
    tried(call, report, "put", jf_cache_put(call, jf_string("a"), jf_string("ü"), 60000), NULL);
    kept(call, report, "after");
    jf_header header = { jf_string("a"), jf_string("b") };
    jf_http_request asked = { .url = jf_string("http://127.0.0.1:9/"), .headers = &header, .header_count = 1,
                              .body = jf_string("x"), .timeout_ms = 1000 };
    jf_http_response response;
    tried(call, report, "fetch", jf_fetch(call, &asked, &response), NULL);
    return JF_OK;
}
static const jf_permission probe_permissions[] = {
    { "model", "to ask" }, { "cache", "to keep" }, { "http:127.0.0.1:9", "to be refused" }, { 0 }
};
static const jf_extension probe = {
    .permissions = probe_permissions,
    .kind = JF_ANALYZER, .name = "probe", .summary = "Says what the host answered",
    .config = JF_SHAPE(struct options, options_fields), .input = JF_SHAPE(struct text, text_fields),
    .output = JF_SHAPE(struct report, report_fields), .open = probe_open, .analyze = probe_analyze
};

static jf_result give_analyze(jf_call *call, const void *config, const void *input, void *answer) {
    (void)config, (void)input, (void)answer;
    const uint64_t shape[] = { 2, 3 };
    const float data[] = { 0.5f, 1, 2, 4, 8, 16 };
    jf_answer_tensor(call, (jf_tensor){ jf_string("t"), shape, 2, data, 6 });
    return JF_OK;
}
static const jf_extension give = {
    .kind = JF_ANALYZER, .name = "give", .summary = "Gives a tensor", .carries_tensors = true,
    .input = JF_SHAPE(struct text, text_fields), .analyze = give_analyze
};

struct sum { const jf_json *shape; jf_text sum; };
static const jf_field sum_fields[] = {
    JF_FIELD(struct sum, shape, JF_JSON_OUT, "Its shape.", .schema = "{\"type\":\"array\"}"),
    JF_FIELD(struct sum, sum, JF_TEXT, "Its sum."), JF_END
};
static jf_result take_analyze(jf_call *call, const void *config, const void *input, void *answer) {
    (void)config, (void)input;
    struct sum *sum = answer;
    const jf_tensor *tensor = jf_tensor_named(call, "t");
    if (tensor == NULL) return jf_fail(call, JF_INVALID_INPUT, "no tensor `t`");
    jf_json *shape = jf_json_list(call);
    for (size_t at = 0; at < tensor->dimensions; at++) jf_json_push(call, shape, jf_json_uint(call, tensor->shape[at]));
    sum->shape = shape;
    double all = 0;
    for (size_t at = 0; at < tensor->length; at++) all += tensor->data[at];
    sum->sum = jf_format(call, "%g", all);
    return JF_OK;
}
static const jf_extension take = {
    .kind = JF_ANALYZER, .name = "take", .summary = "Adds a tensor up",
    .output = JF_SHAPE(struct sum, sum_fields), .analyze = take_analyze
};

struct kind { jf_text kind; };
static const jf_field kind_fields[] = { JF_FIELD(struct kind, kind, JF_TEXT, "Which."), JF_END };
static jf_result fail_analyze(jf_call *call, const void *config, const void *input, void *answer) {
    (void)config, (void)answer;
    static const char *const kinds[] = { "invalid-config", "invalid-input", "invalid-output", "unavailable",
                                         "",               "cancelled",     "over-budget",    "internal" };
    jf_text kind = ((const struct kind *)input)->kind;
    for (int at = 0; at < 8; at++) {
        if (kind.length != strlen(kinds[at]) || memcmp(kind.data, kinds[at], kind.length) != 0) continue;
        return jf_fail(call, (jf_failure_kind)at, "told so: %.*s", (int)kind.length, kind.data);
    }
    if (kind.length == 5) __builtin_trap(); /* crash */
    static const jf_failure slowly = { JF_RATE_LIMITED, { "slowly", 6 }, 1 };
    return &slowly;
}
static const jf_extension fail = {
    .kind = JF_ANALYZER, .name = "fail", .summary = "Fails as it is told",
    .input = JF_SHAPE(struct kind, kind_fields), .analyze = fail_analyze
};

/* Uses what is around it, as programs do. */
static jf_result surroundings_analyze(jf_call *call, const void *config, const void *input, void *answer) {
    (void)config;
    jf_json *report = jf_json_object(call);
    ((struct report *)answer)->report = report;
    jf_text text = ((const struct text *)input)->text;
    if (text.data[0] == 's' && text.data[1] == 'a') {
        printf("one\n\x1b[2Jtwo\n");
        fprintf(stderr, "an error\n");
        printf("no end");
    } else if (text.data[0] == 's') {
        jf_random random = jf_seeded(call);
        add(call, report, "got", jf_format(call, "%g", jf_next_f64(&random)));
    } else if (text.data[0] == 't') {
        jf_json_add(call, report, "got", jf_json_bool(call, time(NULL) > 1000000000));
    } else if (text.data[0] == 'c') {
        uint32_t number;
        arc4random_buf(&number, sizeof number);
        add(call, report, "got", jf_format(call, "%zu", (size_t)number));
    } else {
        const char *value = getenv("JACKFIELD_PROBE");
        if (value != NULL) add(call, report, "got", jf_string(value));
    }
    return JF_OK;
}
static const jf_permission surroundings_permissions[] = {
    { "clock", "to try it" }, { "random", "to try it" }, { "env:JACKFIELD_PROBE", "to try it" }, { 0 }
};
static const jf_extension surroundings = {
    .kind = JF_ANALYZER, .name = "surroundings", .summary = "Uses what is around it, as programs do",
    .input = JF_SHAPE(struct text, text_fields), .output = JF_SHAPE(struct report, report_fields),
    .permissions = surroundings_permissions, .analyze = surroundings_analyze
};

JF_PLUGIN("0.1.0", &echo, &probe, &give, &take, &fail, &surroundings);
