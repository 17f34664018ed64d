/* JSON values, written as text. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct writer {
    jf_call *call;
    char *bytes;
    size_t length, room;
    /* Why the value has no JSON form. */
    const char *wrong;
};

static bool refuse(struct writer *out, const char *wrong) {
    out->wrong = wrong;
    return false;
}

/* Room for so many bytes more; they are there once they are counted in `length`. */
static char *room_for(struct writer *out, size_t more) {
    if (more > out->room - out->length) {
        size_t least = out->length + more, room = least + least / 2 + 128;
        char *bytes = jf_alloc(out->call, room);
        if (out->length > 0) memcpy(bytes, out->bytes, out->length);
        out->bytes = bytes;
        out->room = room;
    }
    return out->bytes + out->length;
}

static void put(struct writer *out, const char *bytes, size_t length) {
    memcpy(room_for(out, length), bytes, length);
    out->length += length;
}

static void put_byte(struct writer *out, char byte) {
    *room_for(out, 1) = byte;
    out->length++;
}

/* How a byte is written that cannot stand in a string as it is: in two bytes, or in six. */
static void put_escape(struct writer *out, unsigned char byte) {
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt", digits[] = "0123456789ABCDEF";
    const char *found = byte == 0 ? NULL : strchr(named, byte);
    if (found != NULL) {
        put(out, (char[]){ '\\', names[found - named] }, 2);
    } else {
        put(out, (char[]){ '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] }, 6);
    }
}

static bool write_text(struct writer *out, jf_text text) {
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.length;
    put_byte(out, '"');
    while (at < end) {
        const unsigned char *from = at;
        at = jf_end_of_plain(at, end);
        put(out, (const char *)from, (size_t)(at - from));
        if (at == end) break;
        if (*at >= 0x80) return refuse(out, "a text is not UTF-8");
        put_escape(out, *at++);
    }
    put_byte(out, '"');
    return true;
}

static bool write_number(struct writer *out, double number) {
    if (number - number != 0) return refuse(out, "a number is infinite or not a number");
    out->length += jf_write_decimal(room_for(out, 32), number);
    return true;
}

static void write_integer(struct writer *out, bool is_negative, uint64_t natural) {
    if (is_negative) put_byte(out, '-');
    out->length += jf_write_integer(room_for(out, 24), natural, 10);
}

static bool write_value(struct writer *out, unsigned levels, const jf_json *value);

static bool write_members(struct writer *out, unsigned levels, const jf_json *value) {
    bool is_object = value->type == JF_JSON_OBJECT;
    put_byte(out, is_object ? '{' : '[');
    for (size_t at = 0; at < value->count; at++) {
        if (at > 0) put_byte(out, ',');
        if (is_object) {
            if (!write_text(out, value->members.keys[at])) return false;
            put_byte(out, ':');
        }
        if (!write_value(out, levels, value->members.values[at])) return false;
    }
    put_byte(out, is_object ? '}' : ']');
    return true;
}

/* Writes a value in which lists and objects are nested so many levels deep at most. */
static bool write_value(struct writer *out, unsigned levels, const jf_json *value) {
    switch (jf_json_type_of(value)) {
    case JF_JSON_ABSENT:
    case JF_JSON_NULL: put(out, "null", 4); return true;
    case JF_JSON_BOOL: put(out, value->boolean ? "true" : "false", value->boolean ? 4 : 5); return true;
    case JF_JSON_UINT: write_integer(out, false, value->natural); return true;
    case JF_JSON_INT: write_integer(out, true, 0 - (uint64_t)value->integer); return true;
    case JF_JSON_NUMBER: return write_number(out, value->number);
    case JF_JSON_TEXT: return write_text(out, (jf_text){ value->text, value->count });
    case JF_JSON_LIST:
    case JF_JSON_OBJECT: break;
    }
    if (levels == 0) return refuse(out, "lists and objects are nested too deep");
    return write_members(out, levels - 1, value);
}

jf_result jf_json_write(jf_call *call, const jf_json *value, jf_text *text) {
    struct writer out = { .call = call };
    if (!write_value(&out, JF_JSON_LEVELS, value)) {
        return jf_fail(call, JF_INVALID_OUTPUT, "the answer has no JSON form: %s", out.wrong);
    }
    *room_for(&out, 1) = 0;
    *text = (jf_text){ out.bytes, out.length };
    return JF_OK;
}
