/* What the attacks share: how they are offered, and how they say what came of it.
 *
 * An attack that the host stops answers with a failure, or does not come to answer at all. One that gets what it wanted
 * answers with it, and the test fails. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin.h"

typedef exports_jackfield_plugin_extension_result_document_failure_t answer;
typedef exports_jackfield_plugin_extension_list_result_document_failure_t answers;

/* An attack, offered as an analyzer. It is made where the text that is read is `bad`. */
typedef struct attack {
    const char *name;
    /* Permissions that it asks for, with a space between them. */
    const char *asks;
    void (*run)(answer *);
    /* JSON Schema of its output, where that is not any object. */
    const char *output;
    /* Made while the instance is opened. */
    void (*open)(void);
    /* Made on every call, with all answers in hand. */
    void (*batch)(answers *);
} attack;

/* The option `target`; empty for none. */
extern const char *target;
/* The text of the request. */
extern const char *text;

/* Answers {"got": "..."}. */
__attribute__((format(printf, 2, 3))) void got(answer *, const char *format, ...);
/* Answers with these bytes as they are. */
void raw(answer *, void *bytes, size_t length);
/* Fails. */
__attribute__((format(printf, 3, 4))) void fail(answer *, uint8_t kind, const char *format, ...);
/* Hands on the host's failure. */
void refused(answer *, const jackfield_plugin_types_failure_t *);
/* Collects what was tried and what became of it; any success is an answer, none a failure. */
typedef struct tries {
    char said[2048];
    bool any;
} tries;
__attribute__((format(printf, 3, 4))) void tried(tries *, bool worked, const char *format, ...);
void told(answer *, const tries *);

plugin_string_t lent(const char *text);

extern const attack files[], network[], floods[], memory[], times[], replies[], keeping[], sockets[];

#endif
