/* JSON values, as a part of jackfield.h: what a JF_JSON_IN holds, what a JF_JSON_OUT is given, and what text is read into.
 *
 *     for (size_t at = 0; at < jf_json_count(input->words); at++) {
 *         jf_text word;
 *         if (!jf_json_as_text(jf_json_item(input->words, at), &word)) return jf_fail(call, JF_INVALID_INPUT, "not a word");
 *         jf_json *length = jf_json_uint(call, word.length);
 *         jf_json_add_key(call, lengths, word, length);
 *     }
 *
 * A value lasts as long as the call that it was read or made for. It may stand in several places of other values. Lists and
 * objects together are nested at most 127 levels deep, which is what the host reads: a list of numbers has one level.
 */
#ifndef JACKFIELD_JSON_H
#define JACKFIELD_JSON_H

#include "jackfield.h"

typedef struct jf_json jf_json;

/* What a value is. */
typedef enum jf_json_type {
    JF_JSON_ABSENT, /* no value at all: NULL */
    JF_JSON_NULL,
    JF_JSON_BOOL,
    JF_JSON_UINT,   /* an integer from 0 to 2^64 - 1 */
    JF_JSON_INT,    /* an integer from -2^63 to -1 */
    JF_JSON_NUMBER, /* a number with a fraction or an exponent, -0, or an integer beyond those above; never infinite when read */
    JF_JSON_TEXT,
    JF_JSON_LIST,
    JF_JSON_OBJECT,
} jf_json_type;

/* ---- Looking at values: NULL is taken everywhere, as the value that is not there ------------------------------------- */

jf_json_type jf_json_type_of(const jf_json *value);

/* These give what a value holds. They give false, and leave `to` alone, where it is something else. */
bool jf_json_as_bool(const jf_json *value, bool *to);
/* Integers that the type can hold; 1.0 is not an integer. */
bool jf_json_as_int(const jf_json *value, int64_t *to);
bool jf_json_as_uint(const jf_json *value, uint64_t *to);
/* Any number, rounded to the nearest double if it is an integer beyond 2^53. */
bool jf_json_as_number(const jf_json *value, double *to);
/* A zero follows the bytes of a text that was read. */
bool jf_json_as_text(const jf_json *value, jf_text *to);

/* How many values a list or an object holds; 0 for anything else. */
size_t jf_json_count(const jf_json *value);
/* The value at a place of a list or an object, counted from 0; NULL beyond the end. */
const jf_json *jf_json_item(const jf_json *value, size_t index);
/* The key at a place of an object; empty for anything else. */
jf_text jf_json_key(const jf_json *object, size_t index);
/* The value of a key; NULL where there is none. It takes longer the more members the object has. */
const jf_json *jf_json_get(const jf_json *object, const char *key);
const jf_json *jf_json_get_key(const jf_json *object, jf_text key);

/* ---- Making values --------------------------------------------------------------------------------------------------- */

jf_json *jf_json_null(jf_call *call);
jf_json *jf_json_bool(jf_call *call, bool value);
jf_json *jf_json_int(jf_call *call, int64_t value);
jf_json *jf_json_uint(jf_call *call, uint64_t value);
/* The value cannot be written if it is infinite or not a number. */
jf_json *jf_json_number(jf_call *call, double value);
/* The bytes are copied. They cannot be written if they are not UTF-8. */
jf_json *jf_json_text(jf_call *call, jf_text text);
/* A text of a string literal or any other that ends with a zero. */
jf_json *jf_json_string(jf_call *call, const char *text);

/* An empty list, and an empty object. */
jf_json *jf_json_list(jf_call *call);
jf_json *jf_json_object(jf_call *call);
/* Adds a value at the end of a list or an object; NULL stands for null. The plugin ends if it is neither. A key is copied. Of
 * equal keys the last one counts, both for jf_json_get and for the host. */
void jf_json_push(jf_call *call, jf_json *list, const jf_json *value);
void jf_json_add(jf_call *call, jf_json *object, const char *key, const jf_json *value);
void jf_json_add_key(jf_call *call, jf_json *object, jf_text key, const jf_json *value);

/* ---- Text ------------------------------------------------------------------------------------------------------------ */

/* Reads a text as RFC 8259 has it, such as the answer of a model: UTF-8, surrogates in pairs, no number that a double cannot
 * hold. Of equal keys the last one is there. A failure of `kind` says what is wrong and at which byte. */
jf_result jf_json_read(jf_call *call, jf_failure_kind kind, jf_text text, const jf_json **value);
/* Writes a value without spaces. Numbers with a fraction or an exponent have as few of 15, 16 or 17 significant digits as give
 * the same number again. A zero follows the text. JF_INVALID_OUTPUT for a value that has no JSON form. */
jf_result jf_json_write(jf_call *call, const jf_json *value, jf_text *text);

#endif
