/* What is asked of a model and what it answers, from JSON and to it. */
#include "internal.h"

const char jf_request_schema[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"properties\":{"
    "\"messages\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"role\":{\"enum\":[\"system\",\"user\",\"assistant\"],\"description\":\"Who speaks.\"},"
    "\"content\":{\"type\":\"string\",\"description\":\"What is said.\"}},\"required\":[\"role\",\"content\"]},"
    "\"description\":\"The conversation so far; at least one message.\"},"
    "\"schema\":{\"description\":\"JSON Schema (2020-12) of the answer; free text without one.\"},"
    "\"validate\":{\"type\":\"boolean\",\"default\":true,"
    "\"description\":\"Whether the host validates the answer against `schema`, and has it repaired once.\"},"
    "\"cached\":{\"type\":\"boolean\",\"default\":true,"
    "\"description\":\"Whether the answer may come from the model's cache, and go there.\"},"
    "\"max_tokens\":{\"type\":[\"integer\",\"null\"],\"description\":\"The most tokens of an answer.\"},"
    "\"temperature\":{\"type\":[\"number\",\"null\"],\"description\":\"Temperature of sampling, 0 to 2.\"},"
    "\"stop\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"default\":[],"
    "\"description\":\"Texts that end the answer.\"},"
    "\"seed\":{\"type\":[\"integer\",\"null\"],\"description\":\"Seed of sampling, for servers that take one.\"},"
    "\"replicate\":{\"type\":\"integer\",\"default\":0,"
    "\"description\":\"Number of this answer among several to the same prompt.\"}},\"required\":[\"messages\"]}";

const char jf_completion_schema[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"properties\":{"
    "\"text\":{\"type\":\"string\",\"description\":\"The text; JSON if the request had a schema that the answer was validated against.\"},"
    "\"finish\":{\"enum\":[\"stop\",\"length\",\"other\"],\"description\":\"Why it ended.\"},"
    "\"usage\":{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"integer\",\"description\":\"Tokens read.\"},"
    "\"output\":{\"type\":\"integer\",\"description\":\"Tokens written.\"}},\"required\":[\"input\",\"output\"],"
    "\"description\":\"Tokens, as the model counts them.\"},"
    "\"model\":{\"type\":\"string\",\"description\":\"The model, as the server calls it.\"},"
    "\"reasoning\":{\"type\":\"string\",\"description\":\"What the model thought before it answered.\"}},"
    "\"required\":[\"text\",\"finish\"]}";

static const char *const roles[] = { "system", "user", "assistant" };
static const char *const finishes[] = { "stop", "length", "other" };

/* The place of a name in a list of three; -1 where it is none of them. */
static int place_in(const char *const names[3], const jf_json *value) {
    jf_text name;
    if (!jf_json_as_text(value, &name)) return -1;
    for (int at = 0; at < 3; at++) {
        if (jf_same_text(name, jf_string(names[at]))) return at;
    }
    return -1;
}

static jf_result read_messages(jf_call *call, const jf_json *from, jf_completion_request *request) {
    if (jf_json_type_of(from) != JF_JSON_LIST) return jf_fail(call, JF_INVALID_INPUT, "missing `messages`");
    size_t count = jf_json_count(from);
    jf_message *messages = jf_alloc(call, count * sizeof *messages);
    for (size_t at = 0; at < count; at++) {
        const jf_json *message = jf_json_item(from, at);
        int role = place_in(roles, jf_json_get(message, "role"));
        if (role < 0 || !jf_json_as_text(jf_json_get(message, "content"), &messages[at].content)) {
            return jf_fail(call, JF_INVALID_INPUT, "`messages[%zu]` has no `role` and `content`", at);
        }
        messages[at].role = (jf_role)role;
    }
    request->messages = messages;
    request->message_count = count;
    return JF_OK;
}

jf_result jf_read_request(jf_call *call, const jf_json *from, jf_completion_request *request) {
    if (jf_json_type_of(from) != JF_JSON_OBJECT) return jf_fail(call, JF_INVALID_INPUT, "expected an object");
    *request = (jf_completion_request){ 0 };
    JF_TRY(read_messages(call, jf_json_get(from, "messages"), request));
    const jf_json *schema = jf_json_get(from, "schema");
    bool has_schema = schema != NULL && jf_json_type_of(schema) != JF_JSON_NULL;
    if (has_schema) JF_TRY(jf_json_write(call, schema, &request->schema));
    request->not_validated = jf_is_false(jf_json_get(from, "validate"));
    request->not_cached = jf_is_false(jf_json_get(from, "cached"));
    uint64_t max_tokens = 0, replicate = 0;
    request->has_max_tokens = jf_json_as_uint(jf_json_get(from, "max_tokens"), &max_tokens);
    request->max_tokens = max_tokens > UINT32_MAX ? UINT32_MAX : (uint32_t)max_tokens;
    request->has_temperature = jf_json_as_number(jf_json_get(from, "temperature"), &request->temperature);
    const jf_json *stop = jf_json_get(from, "stop");
    jf_text *stops = jf_alloc(call, jf_json_count(stop) * sizeof *stops);
    for (size_t at = 0; at < jf_json_count(stop); at++) {
        if (jf_json_as_text(jf_json_item(stop, at), &stops[request->stop_count])) request->stop_count++;
    }
    request->stop = stops;
    request->has_seed = jf_json_as_uint(jf_json_get(from, "seed"), &request->seed);
    jf_json_as_uint(jf_json_get(from, "replicate"), &replicate);
    request->replicate = (uint32_t)replicate;
    return JF_OK;
}

jf_result jf_write_request(jf_call *call, const jf_completion_request *request, jf_json **to) {
    jf_json *object = jf_json_object(call), *messages = jf_json_list(call);
    jf_json_add(call, object, "messages", messages);
    for (size_t at = 0; at < request->message_count; at++) {
        jf_json *message = jf_json_object(call);
        jf_json_add(call, message, "role", jf_json_string(call, roles[request->messages[at].role]));
        jf_json_add(call, message, "content", jf_json_borrow(call, request->messages[at].content));
        jf_json_push(call, messages, message);
    }
    if (request->schema.length > 0) {
        const jf_json *schema;
        JF_TRY(jf_json_read(call, JF_INVALID_INPUT, request->schema, &schema));
        jf_json_add(call, object, "schema", schema);
    }
    if (request->not_validated) jf_json_add(call, object, "validate", jf_json_bool(call, false));
    if (request->not_cached) jf_json_add(call, object, "cached", jf_json_bool(call, false));
    if (request->has_max_tokens) jf_json_add(call, object, "max_tokens", jf_json_uint(call, request->max_tokens));
    if (request->has_temperature) jf_json_add(call, object, "temperature", jf_json_number(call, request->temperature));
    if (request->stop_count > 0) {
        jf_json *stop = jf_json_list(call);
        for (size_t at = 0; at < request->stop_count; at++) {
            jf_json_push(call, stop, jf_json_borrow(call, request->stop[at]));
        }
        jf_json_add(call, object, "stop", stop);
    }
    if (request->has_seed) jf_json_add(call, object, "seed", jf_json_uint(call, request->seed));
    jf_json_add(call, object, "replicate", jf_json_uint(call, request->replicate));
    *to = object;
    return JF_OK;
}

jf_result jf_read_completion(jf_call *call, const jf_json *from, jf_completion *answer) {
    int finish = place_in(finishes, jf_json_get(from, "finish"));
    const jf_json *usage = jf_json_get(from, "usage");
    *answer = (jf_completion){
        .finish = finish < 0 ? JF_FINISH_STOP : (jf_finish)finish,
        .has_usage = jf_json_type_of(usage) == JF_JSON_OBJECT,
        .model = { "", 0 },
        .reasoning = { "", 0 },
    };
    if (!jf_json_as_text(jf_json_get(from, "text"), &answer->text)) {
        return jf_fail(call, JF_INTERNAL, "the host's answer is no completion");
    }
    jf_json_as_uint(jf_json_get(usage, "input"), &answer->input_tokens);
    jf_json_as_uint(jf_json_get(usage, "output"), &answer->output_tokens);
    jf_json_as_text(jf_json_get(from, "model"), &answer->model);
    jf_json_as_text(jf_json_get(from, "reasoning"), &answer->reasoning);
    jf_json_as_bool(jf_json_get(from, "cached"), &answer->cached);
    jf_json_as_number(jf_json_get(from, "usd"), &answer->usd);
    return JF_OK;
}

jf_json *jf_write_completion(jf_call *call, const jf_completion *answer) {
    jf_json *object = jf_json_object(call);
    jf_json_add(call, object, "text", jf_json_borrow(call, answer->text));
    jf_json_add(call, object, "finish", jf_json_string(call, finishes[answer->finish]));
    if (answer->has_usage) {
        jf_json *usage = jf_json_object(call);
        jf_json_add(call, usage, "input", jf_json_uint(call, answer->input_tokens));
        jf_json_add(call, usage, "output", jf_json_uint(call, answer->output_tokens));
        jf_json_add(call, object, "usage", usage);
    }
    if (answer->model.length > 0) jf_json_add(call, object, "model", jf_json_borrow(call, answer->model));
    if (answer->reasoning.length > 0) jf_json_add(call, object, "reasoning", jf_json_borrow(call, answer->reasoning));
    return object;
}
