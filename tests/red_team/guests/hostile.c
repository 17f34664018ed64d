/* Offers the attacks, and leads calls to them. */
#include "hostile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bindings ask for an object that holds the type of the component; the linker takes it from the WIT instead. */
void __component_type_object_force_link_plugin(void) {}

static void echo(answer *to) { got(to, "%s", text); }

static const attack plain[] = { { .name = "echo", .run = echo }, { 0 } };
static const attack *const all[] = { plain, files, network, floods, memory, times, replies, keeping, sockets };

static const attack *chosen = plain;
const char *target = "";
const char *text = "";

plugin_string_t lent(const char *text) { return (plugin_string_t){ (uint8_t *)text, strlen(text) }; }

static plugin_string_t owned(const char *text) {
    plugin_string_t copy;
    plugin_string_dup(&copy, text);
    return copy;
}

void raw(answer *to, void *bytes, size_t length) {
    *to = (answer){ .is_err = false };
    to->val.ok.json = (plugin_list_u8_t){ bytes, length };
}

void got(answer *to, const char *format, ...) {
    char said[4096];
    va_list values;
    va_start(values, format);
    vsnprintf(said, sizeof said, format, values);
    va_end(values);
    char *json = malloc(2 * sizeof said + 16), *end = json;
    end += sprintf(end, "{\"got\":\"");
    for (const char *at = said; *at; at++) {
        if (*at == '"' || *at == '\\') *end++ = '\\';
        *end++ = (unsigned char)*at < ' ' ? ' ' : *at;
    }
    end += sprintf(end, "\"}");
    raw(to, json, (size_t)(end - json));
}

void fail(answer *to, uint8_t kind, const char *format, ...) {
    char said[4096];
    va_list values;
    va_start(values, format);
    vsnprintf(said, sizeof said, format, values);
    va_end(values);
    *to = (answer){ .is_err = true };
    to->val.err.tag = kind;
    to->val.err.val.internal = owned(said);
}

void refused(answer *to, const jackfield_plugin_types_failure_t *failure) {
    *to = (answer){ .is_err = true };
    to->val.err = *failure;
}

void tried(tries *so_far, bool worked, const char *format, ...) {
    size_t length = strlen(so_far->said);
    char *end = so_far->said + length;
    size_t left = sizeof so_far->said - length;
    int reason = errno;
    va_list values;
    va_start(values, format);
    int more = vsnprintf(end, left, format, values);
    va_end(values);
    snprintf(end + more, left - (size_t)more, ": %s; ", worked ? "DONE" : strerror(reason));
    so_far->any |= worked;
}

void told(answer *to, const tries *all) {
    if (all->any) {
        got(to, "%s", all->said);
    } else {
        fail(to, JACKFIELD_PLUGIN_TYPES_FAILURE_INTERNAL, "%s", all->said);
    }
}

void exports_jackfield_plugin_meta_describe(exports_jackfield_plugin_meta_list_descriptor_t *ret) {
    size_t count = 0;
    for (size_t group = 0; group < sizeof all / sizeof *all; group++)
        for (const attack *one = all[group]; one->name; one++) count++;
    jackfield_plugin_types_descriptor_t *offers = calloc(count, sizeof *offers), *to = offers;
    for (size_t group = 0; group < sizeof all / sizeof *all; group++) {
        for (const attack *one = all[group]; one->name; one++, to++) {
            to->kind = owned("analyzer");
            to->name = owned(one->name);
            to->version = owned("1.0.0");
            to->summary = owned("Means harm");
            to->config_schema = owned("{\"type\":\"object\"}");
            to->input_schema = owned("{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"},\"after\":{}}}");
            to->output_schema = owned(one->output ? one->output : "{\"type\":\"object\",\"properties\":{\"got\":{\"type\":\"string\"}}}");
            char *asks = strdup(one->asks ? one->asks : "");
            to->permissions.ptr = calloc(8, sizeof *to->permissions.ptr);
            for (char *ask = strtok(asks, " "); ask; ask = strtok(NULL, " ")) {
                to->permissions.ptr[to->permissions.len++] =
                    (jackfield_plugin_types_permission_t){ owned(ask), owned("to do harm") };
            }
        }
    }
    *ret = (exports_jackfield_plugin_meta_list_descriptor_t){ offers, count };
}

/* The value of a string in JSON that this plugin's own tests write: without escapes. */
static const char *member(const uint8_t *json, size_t length, const char *name) {
    char *copy = calloc(length + 1, 1), key[64];
    memcpy(copy, json, length);
    snprintf(key, sizeof key, "\"%s\":\"", name);
    char *at = strstr(copy, key);
    if (!at) return "";
    at += strlen(key);
    char *end = strchr(at, '"');
    if (end) *end = 0;
    return at;
}

bool exports_jackfield_plugin_extension_open(plugin_string_t *kind, plugin_string_t *name, plugin_string_t *config,
                                             exports_jackfield_plugin_extension_failure_t *err) {
    (void)kind;
    (void)err;
    for (size_t group = 0; group < sizeof all / sizeof *all; group++)
        for (const attack *one = all[group]; one->name; one++)
            if (strlen(one->name) == name->len && memcmp(one->name, name->ptr, name->len) == 0) chosen = one;
    target = member(config->ptr, config->len, "target");
    if (chosen->open) chosen->open();
    return true;
}

void exports_jackfield_plugin_extension_call(exports_jackfield_plugin_extension_list_request_t *batch, answers *ret) {
    ret->len = batch->len;
    ret->ptr = calloc(batch->len + 1, sizeof *ret->ptr);
    for (size_t n = 0; n < batch->len; n++) {
        plugin_list_u8_t json = batch->ptr[n].document.json;
        text = member(json.ptr, json.len, "text");
        if (chosen->run && strcmp(text, "bad") == 0) {
            chosen->run(&ret->ptr[n]);
        } else {
            echo(&ret->ptr[n]);
        }
    }
    if (chosen->batch) chosen->batch(ret);
}
