/* JSON values: looking at them and making them. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Looking at values. */

jf_json_type jf_json_type_of(const jf_json *value) { return value == NULL ? JF_JSON_ABSENT : value->type; }

bool jf_json_as_bool(const jf_json *value, bool *to) {
    if (jf_json_type_of(value) != JF_JSON_BOOL) return false;
    *to = value->boolean;
    return true;
}

bool jf_is_false(const jf_json *value) {
    bool is_true = true;
    return jf_json_as_bool(value, &is_true) && !is_true;
}

bool jf_json_as_int(const jf_json *value, int64_t *to) {
    jf_json_type type = jf_json_type_of(value);
    if (type == JF_JSON_UINT && value->natural <= INT64_MAX) {
        *to = (int64_t)value->natural;
    } else if (type == JF_JSON_INT) {
        *to = value->integer;
    } else {
        return false;
    }
    return true;
}

bool jf_json_as_uint(const jf_json *value, uint64_t *to) {
    if (jf_json_type_of(value) != JF_JSON_UINT) return false;
    *to = value->natural;
    return true;
}

bool jf_json_as_number(const jf_json *value, double *to) {
    switch (jf_json_type_of(value)) {
    case JF_JSON_UINT: *to = (double)value->natural; return true;
    case JF_JSON_INT: *to = (double)value->integer; return true;
    case JF_JSON_NUMBER: *to = value->number; return true;
    default: return false;
    }
}

bool jf_json_as_text(const jf_json *value, jf_text *to) {
    if (jf_json_type_of(value) != JF_JSON_TEXT) return false;
    *to = (jf_text){ value->text, value->count };
    return true;
}

size_t jf_json_count(const jf_json *value) {
    jf_json_type type = jf_json_type_of(value);
    return type == JF_JSON_LIST || type == JF_JSON_OBJECT ? value->count : 0;
}

const jf_json *jf_json_item(const jf_json *value, size_t index) {
    return index < jf_json_count(value) ? value->members.values[index] : NULL;
}

jf_text jf_json_key(const jf_json *object, size_t index) {
    bool is_there = jf_json_type_of(object) == JF_JSON_OBJECT && index < object->count;
    return is_there ? object->members.keys[index] : (jf_text){ "", 0 };
}

const jf_json *jf_json_get_key(const jf_json *object, jf_text key) {
    if (jf_json_type_of(object) != JF_JSON_OBJECT) return NULL;
    for (size_t at = object->count; at-- > 0;) {
        if (jf_same_text(object->members.keys[at], key)) return object->members.values[at];
    }
    return NULL;
}

const jf_json *jf_json_get(const jf_json *object, const char *key) { return jf_json_get_key(object, jf_string(key)); }

/* Making values. */

/* Memory for a value or for what it holds, which are many and small: taken from larger pieces. */
static void *alloc_part(jf_call *call, size_t size) {
    enum { ALIGNMENT = 8, FIRST_PIECE = 512, LARGEST_PIECE = 32768 };
    if (size > LARGEST_PIECE / 4) return jf_alloc(call, size);
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > call->spare_length) {
        size_t piece = call->last_piece == 0 ? FIRST_PIECE : 2 * call->last_piece;
        while (piece < size) piece *= 2;
        if (piece > LARGEST_PIECE) piece = LARGEST_PIECE;
        call->spare = jf_alloc(call, piece);
        call->spare_length = call->last_piece = piece;
    }
    void *part = call->spare;
    call->spare += size;
    call->spare_length -= size;
    return part;
}

jf_json *jf_json_of(jf_call *call, jf_json_type type) {
    jf_json *value = alloc_part(call, sizeof *value);
    value->type = type;
    return value;
}

jf_json *jf_json_null(jf_call *call) { return jf_json_of(call, JF_JSON_NULL); }

jf_json *jf_json_bool(jf_call *call, bool boolean) {
    jf_json *value = jf_json_of(call, JF_JSON_BOOL);
    value->boolean = boolean;
    return value;
}

jf_json *jf_json_uint(jf_call *call, uint64_t natural) {
    jf_json *value = jf_json_of(call, JF_JSON_UINT);
    value->natural = natural;
    return value;
}

jf_json *jf_json_int(jf_call *call, int64_t integer) {
    if (integer >= 0) return jf_json_uint(call, (uint64_t)integer);
    jf_json *value = jf_json_of(call, JF_JSON_INT);
    value->integer = integer;
    return value;
}

jf_json *jf_json_number(jf_call *call, double number) {
    jf_json *value = jf_json_of(call, JF_JSON_NUMBER);
    value->number = number;
    return value;
}

jf_json *jf_json_borrow(jf_call *call, jf_text text) {
    jf_json *value = jf_json_of(call, JF_JSON_TEXT);
    value->text = text.data == NULL ? "" : text.data;
    value->count = text.length;
    return value;
}

static jf_text copy(jf_call *call, jf_text text) {
    char *bytes = alloc_part(call, text.length + 1);
    if (text.length > 0) memcpy(bytes, text.data, text.length);
    return (jf_text){ bytes, text.length };
}

jf_json *jf_json_text(jf_call *call, jf_text text) { return jf_json_borrow(call, copy(call, text)); }

jf_json *jf_json_string(jf_call *call, const char *text) { return jf_json_text(call, jf_string(text)); }

jf_json *jf_json_list(jf_call *call) { return jf_json_of(call, JF_JSON_LIST); }

jf_json *jf_json_object(jf_call *call) { return jf_json_of(call, JF_JSON_OBJECT); }

static void add_value(jf_call *call, jf_json *to, jf_text key, const jf_json *value) {
    size_t count = to->count;
    /* There is room for 4 values, then for 8, 16 and so on: it is used up whenever there are that many. */
    if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
        size_t room = count == 0 ? 4 : 2 * count;
        const jf_json **values = alloc_part(call, room * sizeof *values);
        if (count > 0) memcpy(values, to->members.values, count * sizeof *values);
        to->members.values = values;
        if (to->type == JF_JSON_OBJECT) {
            jf_text *keys = alloc_part(call, room * sizeof *keys);
            if (count > 0) memcpy(keys, to->members.keys, count * sizeof *keys);
            to->members.keys = keys;
        }
    }
    to->members.values[count] = value;
    if (to->type == JF_JSON_OBJECT) to->members.keys[count] = key;
    to->count++;
}

/* Ends the plugin if a value is not of the type that a function is for. */
static void expect(jf_call *call, const jf_json *value, jf_json_type type, const char *message) {
    if (jf_json_type_of(value) == type) return;
    call->host->log(call, JF_ERROR, jf_string(message));
    abort();
}

void jf_json_push(jf_call *call, jf_json *list, const jf_json *value) {
    expect(call, list, JF_JSON_LIST, "jf_json_push was called with a value that is not a list");
    add_value(call, list, (jf_text){ "", 0 }, value);
}

void jf_json_add_borrowed(jf_call *call, jf_json *object, jf_text key, const jf_json *value) {
    expect(call, object, JF_JSON_OBJECT, "jf_json_add was called with a value that is not an object");
    add_value(call, object, key, value);
}

void jf_json_add_key(jf_call *call, jf_json *object, jf_text key, const jf_json *value) {
    jf_json_add_borrowed(call, object, copy(call, key), value);
}

void jf_json_add(jf_call *call, jf_json *object, const char *key, const jf_json *value) {
    jf_json_add_key(call, object, jf_string(key), value);
}
