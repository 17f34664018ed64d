/* What is asked of a model and what it answers, from JSON and to it. */
#include <string.h>

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

static jf_text text_of(yyjson_val *value) { return (jf_text){ yyjson_get_str(value), yyjson_get_len(value) }; }

/* The place of a name in a list of three; -1 where it is none of them. */
static int place_in(const char *const names[3], yyjson_val *value) {
    for (int at = 0; at < 3; at++) {
        if (yyjson_equals_str(value, names[at])) return at;
    }
    return -1;
}

static jf_result read_messages(jf_call *call, yyjson_val *from, jf_completion_request *request) {
    if (!yyjson_is_arr(from)) return jf_fail(call, JF_INVALID_INPUT, "missing `messages`");
    jf_message *messages = jf_alloc(call, yyjson_arr_size(from) * sizeof *messages);
    size_t index, count;
    yyjson_val *one;
    yyjson_arr_foreach(from, index, count, one) {
        int role = place_in(roles, yyjson_obj_get(one, "role"));
        yyjson_val *content = yyjson_obj_get(one, "content");
        if (role < 0 || !yyjson_is_str(content)) {
            return jf_fail(call, JF_INVALID_INPUT, "`messages[%zu]` has no `role` and `content`", index);
        }
        messages[index] = (jf_message){ (jf_role)role, text_of(content) };
    }
    request->messages = messages;
    request->message_count = count;
    return JF_OK;
}

jf_result jf_read_request(jf_call *call, yyjson_val *from, jf_completion_request *request) {
    if (!yyjson_is_obj(from)) return jf_fail(call, JF_INVALID_INPUT, "expected an object");
    *request = (jf_completion_request){ 0 };
    JF_TRY(read_messages(call, yyjson_obj_get(from, "messages"), request));
    yyjson_val *schema = yyjson_obj_get(from, "schema");
    if (schema != NULL && !yyjson_is_null(schema)) {
        JF_TRY(jf_write(call, yyjson_val_mut_copy(jf_json(call), schema), &request->schema));
    }
    request->not_validated = yyjson_is_false(yyjson_obj_get(from, "validate"));
    request->not_cached = yyjson_is_false(yyjson_obj_get(from, "cached"));
    yyjson_val *max_tokens = yyjson_obj_get(from, "max_tokens");
    if ((request->has_max_tokens = yyjson_is_uint(max_tokens))) {
        uint64_t most = yyjson_get_uint(max_tokens);
        request->max_tokens = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
    }
    yyjson_val *temperature = yyjson_obj_get(from, "temperature");
    if ((request->has_temperature = yyjson_is_num(temperature))) request->temperature = yyjson_get_num(temperature);
    yyjson_val *stop = yyjson_obj_get(from, "stop");
    jf_text *stops = jf_alloc(call, yyjson_arr_size(stop) * sizeof *stops);
    size_t index, count;
    yyjson_val *one;
    yyjson_arr_foreach(stop, index, count, one) {
        if (yyjson_is_str(one)) stops[request->stop_count++] = text_of(one);
    }
    request->stop = stops;
    yyjson_val *seed = yyjson_obj_get(from, "seed");
    if ((request->has_seed = yyjson_is_uint(seed))) request->seed = yyjson_get_uint(seed);
    request->replicate = (uint32_t)yyjson_get_uint(yyjson_obj_get(from, "replicate"));
    return JF_OK;
}

static yyjson_mut_val *text_to(yyjson_mut_doc *doc, jf_text text) {
    return yyjson_mut_strn(doc, text.data == NULL ? "" : text.data, text.length);
}

jf_result jf_write_request(jf_call *call, const jf_completion_request *request, yyjson_mut_val **to) {
    yyjson_mut_doc *doc = jf_json(call);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_val *messages = yyjson_mut_obj_add_arr(doc, object, "messages");
    for (size_t at = 0; at < request->message_count; at++) {
        yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, messages);
        yyjson_mut_obj_add_str(doc, message, "role", roles[request->messages[at].role]);
        yyjson_mut_obj_add_val(doc, message, "content", text_to(doc, request->messages[at].content));
    }
    if (request->schema.length > 0) {
        yyjson_val *schema;
        JF_TRY(jf_parse(call, JF_INVALID_INPUT, request->schema, &schema));
        yyjson_mut_obj_add_val(doc, object, "schema", yyjson_val_mut_copy(doc, schema));
    }
    if (request->not_validated) yyjson_mut_obj_add_bool(doc, object, "validate", false);
    if (request->not_cached) yyjson_mut_obj_add_bool(doc, object, "cached", false);
    if (request->has_max_tokens) yyjson_mut_obj_add_uint(doc, object, "max_tokens", request->max_tokens);
    if (request->has_temperature) yyjson_mut_obj_add_real(doc, object, "temperature", request->temperature);
    if (request->stop_count > 0) {
        yyjson_mut_val *stop = yyjson_mut_obj_add_arr(doc, object, "stop");
        for (size_t at = 0; at < request->stop_count; at++) yyjson_mut_arr_append(stop, text_to(doc, request->stop[at]));
    }
    if (request->has_seed) yyjson_mut_obj_add_uint(doc, object, "seed", request->seed);
    yyjson_mut_obj_add_uint(doc, object, "replicate", request->replicate);
    *to = object;
    return JF_OK;
}

jf_result jf_read_completion(jf_call *call, yyjson_val *from, jf_completion *answer) {
    yyjson_val *text = yyjson_obj_get(from, "text");
    if (!yyjson_is_str(text)) return jf_fail(call, JF_INTERNAL, "the host's answer is no completion");
    int finish = place_in(finishes, yyjson_obj_get(from, "finish"));
    yyjson_val *usage = yyjson_obj_get(from, "usage");
    yyjson_val *model = yyjson_obj_get(from, "model"), *reasoning = yyjson_obj_get(from, "reasoning");
    *answer = (jf_completion){
        .text = text_of(text),
        .finish = finish < 0 ? JF_FINISH_STOP : (jf_finish)finish,
        .has_usage = yyjson_is_obj(usage),
        .input_tokens = yyjson_get_uint(yyjson_obj_get(usage, "input")),
        .output_tokens = yyjson_get_uint(yyjson_obj_get(usage, "output")),
        .model = yyjson_is_str(model) ? text_of(model) : (jf_text){ "", 0 },
        .reasoning = yyjson_is_str(reasoning) ? text_of(reasoning) : (jf_text){ "", 0 },
        .cached = yyjson_get_bool(yyjson_obj_get(from, "cached")),
        .usd = yyjson_get_num(yyjson_obj_get(from, "usd")),
    };
    return JF_OK;
}

yyjson_mut_val *jf_write_completion(jf_call *call, const jf_completion *answer) {
    yyjson_mut_doc *doc = jf_json(call);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_val(doc, object, "text", text_to(doc, answer->text));
    yyjson_mut_obj_add_str(doc, object, "finish", finishes[answer->finish]);
    if (answer->has_usage) {
        yyjson_mut_val *usage = yyjson_mut_obj_add_obj(doc, object, "usage");
        yyjson_mut_obj_add_uint(doc, usage, "input", answer->input_tokens);
        yyjson_mut_obj_add_uint(doc, usage, "output", answer->output_tokens);
    }
    if (answer->model.length > 0) yyjson_mut_obj_add_val(doc, object, "model", text_to(doc, answer->model));
    if (answer->reasoning.length > 0) {
        yyjson_mut_obj_add_val(doc, object, "reasoning", text_to(doc, answer->reasoning));
    }
    return object;
}
