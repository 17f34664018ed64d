/* HTTP through the host. The target is `METHOD URL`, and after a `|` a header,
 * as `NAME=VALUE`; in all of it, `~` stands for CR LF. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

static bool fetch(const char *method, const char *url, jackfield_plugin_http_list_header_t headers,
                  jackfield_plugin_http_http_response_t *response, jackfield_plugin_types_failure_t *failure) {
    jackfield_plugin_http_http_request_t request = {
        .method = lent(method), .url = lent(url), .headers = headers, .timeout_ms = { true, 2000 }
    };
    return jackfield_plugin_http_fetch(0, &request, response, failure);
}

static void fetches(answer *to) {
    char *method = calloc(strlen(target) * 2 + 1, 1), *end = method;
    for (const char *at = target; *at; at++) {
        if (*at == '~') *end++ = '\r';
        *end++ = *at == '~' ? '\n' : *at;
    }
    char *url = strchr(method, ' ');
    *url++ = 0;
    jackfield_plugin_http_header_t header[1];
    jackfield_plugin_http_list_header_t headers = { header, 0 };
    char *name = strchr(url, '|');
    if (name) {
        *name++ = 0;
        char *value = strchr(name, '=');
        *value++ = 0;
        header[headers.len++] = (jackfield_plugin_http_header_t){ lent(name), lent(value) };
    }
    jackfield_plugin_http_http_response_t response;
    jackfield_plugin_types_failure_t failure;
    if (fetch(method, url, headers, &response, &failure)) {
        got(to, "%d %.*s", response.status, (int)(response.body.len < 100 ? response.body.len : 100), response.body.ptr);
    } else {
        refused(to, &failure);
    }
}

/* Asks for ever, whatever is answered. */
static void for_ever(answer *to) {
    (void)to;
    for (;;) {
        jackfield_plugin_http_http_response_t response;
        jackfield_plugin_types_failure_t failure;
        jackfield_plugin_http_list_header_t none = { NULL, 0 };
        if (!fetch("GET", target, none, &response, &failure)) jackfield_plugin_types_failure_free(&failure);
    }
}

/* Sends all that it has. */
static void exfiltrates(answer *to) {
    static uint8_t body[8 << 20];
    jackfield_plugin_types_failure_t failure;
    for (int n = 0; n < 100; n++) {
        jackfield_plugin_http_http_request_t request = {
            .method = lent("POST"), .url = lent(target), .body = { body, sizeof body }
        };
        jackfield_plugin_http_http_response_t response;
        if (!jackfield_plugin_http_fetch(0, &request, &response, &failure)) return refused(to, &failure);
        jackfield_plugin_http_http_response_t *answered = &response;
        free(answered->body.ptr);
    }
    got(to, "sent 800 MiB");
}

/* Headers without end. */
static void header_flood(answer *to) {
    size_t count = 200000;
    jackfield_plugin_http_header_t *all = calloc(count, sizeof *all);
    for (size_t n = 0; n < count; n++) all[n] = (jackfield_plugin_http_header_t){ lent("x-flood"), lent("0123456789abcdef") };
    jackfield_plugin_http_list_header_t headers = { all, count };
    jackfield_plugin_http_http_response_t response;
    jackfield_plugin_types_failure_t failure;
    if (fetch("GET", target, headers, &response, &failure)) {
        got(to, "sent");
    } else {
        refused(to, &failure);
    }
}

const attack network[] = {
    { .name = "fetch", .asks = "http", .run = fetches },
    { .name = "fetch-one", .asks = "http:api.example.org", .run = fetches },
    { .name = "fetch-secret", .asks = "http secret", .run = fetches },
    { .name = "fetch-for-ever", .asks = "http", .run = for_ever },
    { .name = "fetch-headers", .asks = "http", .run = header_flood },
    { .name = "exfiltrate", .asks = "http", .run = exfiltrates },
    { 0 },
};
