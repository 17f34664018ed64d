/* JSON text, read into values. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct reader {
    jf_call *call;
    const unsigned char *at, *end;
    /* Where the next text goes: there is room for all that the document holds. */
    char *texts;
    /* What is wrong, at the byte where the reader stands. */
    const char *wrong;
};

static bool refuse(struct reader *in, const char *wrong) {
    in->wrong = wrong;
    return false;
}

/* The next byte; a zero at the end, which is not allowed anywhere in JSON. */
static unsigned char next(const struct reader *in) { return in->at < in->end ? *in->at : 0; }

static unsigned char next_after_space(struct reader *in) {
    while (next(in) == ' ' || next(in) == '\n' || next(in) == '\r' || next(in) == '\t') in->at++;
    return next(in);
}

/* Texts. */

/* How many bytes the character at `at`, which is before `end`, takes in UTF-8; 0 for what is not UTF-8. */
static size_t utf8_length(const unsigned char *at, const unsigned char *end) {
    unsigned char first = *at;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if ((size_t)(end - at) < length) return 0;
    for (size_t byte = 1; byte < length; byte++) {
        if ((at[byte] & 0xc0) != 0x80) return 0;
    }
    /* Longer than it has to be, a surrogate, and beyond U+10FFFF. */
    bool is_wrong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) || (first == 0xf0 && at[1] < 0x90) ||
                    (first == 0xf4 && at[1] > 0x8f);
    return is_wrong ? 0 : length;
}

/* Where the ASCII characters end that stand in a string as they are. */
static const unsigned char *end_of_ascii(const unsigned char *at, const unsigned char *end) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highest = 0x80 * ones;
    for (; end - at >= 8; at += 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        /* A difference has its highest bit set where the byte is less than what is taken from it, and perhaps in bytes beside
         * that, by what is borrowed: the loop below looks at each. */
        uint64_t is_quote = (bytes ^ '"' * ones) - ones, is_escape = (bytes ^ '\\' * ones) - ones;
        if (((bytes | (bytes - ' ' * ones) | is_quote | is_escape) & highest) != 0) break;
    }
    while (at < end && *at >= ' ' && *at < 0x80 && *at != '"' && *at != '\\') at++;
    return at;
}

const unsigned char *jf_end_of_plain(const unsigned char *at, const unsigned char *end) {
    for (;;) {
        at = end_of_ascii(at, end);
        if (at == end || *at < 0x80) return at;
        for (size_t length; at < end && *at >= 0x80; at += length) {
            length = utf8_length(at, end);
            if (length == 0) return at;
        }
    }
}

/* Reads four hexadecimal digits. */
static bool read_unit(struct reader *in, unsigned *unit) {
    *unit = 0;
    for (int digit = 0; digit < 4; digit++, in->at++) {
        unsigned char byte = next(in);
        if (byte >= '0' && byte <= '9') *unit = 16 * *unit + (byte - '0');
        else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') *unit = 16 * *unit + ((byte | 0x20) - 'a' + 10);
        else return refuse(in, "`\\u` without four hexadecimal digits");
    }
    return true;
}

/* Reads what follows `\u`: one unit, or a pair of surrogates. */
static bool read_code_point(struct reader *in) {
    unsigned point, low;
    if (!read_unit(in, &point)) return false;
    if (point >= 0xdc00 && point <= 0xdfff) return refuse(in, "the second half of a surrogate pair without the first");
    if (point >= 0xd800 && point <= 0xdbff) {
        bool is_pair = in->end - in->at >= 2 && in->at[0] == '\\' && in->at[1] == 'u';
        if (is_pair) {
            in->at += 2;
            if (!read_unit(in, &low)) return false;
        }
        if (!is_pair || low < 0xdc00 || low > 0xdfff) return refuse(in, "the first half of a surrogate pair without the second");
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    if (point < 0x80) {
        *in->texts++ = (char)point;
        return true;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };
    *in->texts++ = (char)(leads[more] | point >> (6 * more));
    while (more-- > 0) *in->texts++ = (char)(0x80 | (point >> (6 * more) & 0x3f));
    return true;
}

static bool read_escape(struct reader *in) {
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    unsigned char name = next(in);
    const char *found = name == 0 ? NULL : strchr(names, name);
    if (found == NULL && name != 'u') return refuse(in, "an unknown escape");
    in->at++;
    if (found == NULL) return read_code_point(in);
    *in->texts++ = meant[found - names];
    return true;
}

/* Reads a text from the quotation mark on. What is read never takes more bytes than what stands there. */
static bool read_text(struct reader *in, jf_text *to) {
    in->at++;
    char *begin = in->texts;
    for (;;) {
        const unsigned char *from = in->at;
        in->at = jf_end_of_plain(in->at, in->end);
        memcpy(in->texts, from, (size_t)(in->at - from));
        in->texts += in->at - from;
        if (in->at == in->end) return refuse(in, "a string without an end");
        if (*in->at == '"') break;
        if (*in->at != '\\') return refuse(in, *in->at < ' ' ? "a control character in a string" : "bytes that are not UTF-8");
        in->at++;
        if (!read_escape(in)) return false;
    }
    in->at++;
    *to = (jf_text){ begin, (size_t)(in->texts - begin) };
    *in->texts++ = 0;
    return true;
}

/* Numbers. */

static bool skip_digits(struct reader *in) {
    if (next(in) < '0' || next(in) > '9') return refuse(in, "expected a digit");
    while (next(in) >= '0' && next(in) <= '9') in->at++;
    return true;
}

static bool read_number(struct reader *in, const jf_json **to) {
    bool is_negative = next(in) == '-', is_integer = true;
    if (is_negative) in->at++;
    const unsigned char *begin = in->at;
    if (next(in) == '0') in->at++; /* no digit may follow */
    else if (!skip_digits(in)) return false;
    const unsigned char *end_of_integer = in->at;
    if (next(in) == '.') {
        in->at++;
        is_integer = false;
        if (!skip_digits(in)) return false;
    }
    if (next(in) == 'e' || next(in) == 'E') {
        in->at++;
        is_integer = false;
        if (next(in) == '+' || next(in) == '-') in->at++;
        if (!skip_digits(in)) return false;
    }
    uint64_t integer = 0;
    for (const unsigned char *at = begin; is_integer && at < end_of_integer; at++) {
        is_integer = !__builtin_mul_overflow(integer, 10, &integer) && !__builtin_add_overflow(integer, *at - '0', &integer);
    }
    if (is_integer && !is_negative) {
        *to = jf_json_uint(in->call, integer);
    } else if (is_integer && integer > 0 && integer <= UINT64_C(1) << 63) {
        *to = jf_json_int(in->call, -(int64_t)(integer - 1) - 1);
    } else {
        double number;
        if (!jf_read_decimal((const char *)begin, (size_t)(in->at - begin), &number)) {
            return refuse(in, "a number that is too large");
        }
        *to = jf_json_number(in->call, is_negative ? -number : number);
    }
    return true;
}

/* Lists and objects. */

static int order_of(jf_text one, jf_text other) {
    if (one.length != other.length) return one.length < other.length ? -1 : 1;
    return memcmp(one.data, other.data, one.length);
}

/* Orders places of keys by key, and equal keys by place. */
static int order_of_places(const void *one, const void *other) {
    const jf_text *first = *(const jf_text *const *)one, *second = *(const jf_text *const *)other;
    int order = order_of(*first, *second);
    return order != 0 ? order : (first > second) - (first < second);
}

static bool has_equal_keys(const jf_json *object) {
    for (size_t at = 1; at < object->count; at++) {
        for (size_t before = 0; before < at; before++) {
            if (jf_same_text(object->members.keys[before], object->members.keys[at])) return true;
        }
    }
    return false;
}

/* Of equal keys, leaves the last value in the place of the first. */
static void keep_last_of_equal_keys(jf_call *call, jf_json *object) {
    enum { FEW = 16 }; /* so many are compared faster than they are sorted */
    size_t count = object->count;
    if (count <= FEW && !has_equal_keys(object)) return;
    jf_text *keys = object->members.keys;
    jf_text **places = jf_alloc(call, count * sizeof *places);
    for (size_t at = 0; at < count; at++) places[at] = &keys[at];
    qsort(places, count, sizeof *places, order_of_places);
    size_t first = 0;
    for (size_t at = 1; at < count; at++) {
        if (order_of(*places[first], *places[at]) != 0) {
            first = at;
            continue;
        }
        object->members.values[places[first] - keys] = object->members.values[places[at] - keys];
        places[at]->data = NULL;
    }
    object->count = 0;
    for (size_t at = 0; at < count; at++) {
        if (keys[at].data == NULL) continue;
        keys[object->count] = keys[at];
        object->members.values[object->count++] = object->members.values[at];
    }
}

static bool read_value(struct reader *in, unsigned levels, const jf_json **to);

/* Reads the rest of a list or an object, after the bracket. */
static bool read_members(struct reader *in, unsigned levels, jf_json *to) {
    bool is_object = to->type == JF_JSON_OBJECT;
    unsigned char close = is_object ? '}' : ']';
    if (next_after_space(in) == close) {
        in->at++;
        return true;
    }
    for (;;) {
        jf_text key = { "", 0 };
        const jf_json *value;
        if (is_object) {
            if (next_after_space(in) != '"') return refuse(in, "expected a key");
            if (!read_text(in, &key)) return false;
            if (next_after_space(in) != ':') return refuse(in, "expected a colon");
            in->at++;
        }
        if (!read_value(in, levels, &value)) return false;
        if (is_object) jf_json_add_borrowed(in->call, to, key, value);
        else jf_json_push(in->call, to, value);
        unsigned char after = next_after_space(in);
        if (after != ',' && after != close) return refuse(in, is_object ? "expected `,` or `}`" : "expected `,` or `]`");
        in->at++;
        if (after == close) break;
    }
    if (is_object) keep_last_of_equal_keys(in->call, to);
    return true;
}

/* Reads a word whose first letter is there. */
static bool read_word(struct reader *in, const char *word, jf_json *meant, const jf_json **to) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return refuse(in, "expected a value");
    in->at += length;
    *to = meant;
    return true;
}

/* Reads a value in which lists and objects are nested so many levels deep at most. */
static bool read_value(struct reader *in, unsigned levels, const jf_json **to) {
    unsigned char first = next_after_space(in);
    switch (first) {
    case '{':
    case '[': {
        if (levels == 0) return refuse(in, "lists and objects that are nested too deep");
        in->at++;
        jf_json *list_or_object = jf_json_of(in->call, first == '{' ? JF_JSON_OBJECT : JF_JSON_LIST);
        *to = list_or_object;
        return read_members(in, levels - 1, list_or_object);
    }
    case '"': {
        jf_text text;
        if (!read_text(in, &text)) return false;
        *to = jf_json_borrow(in->call, text);
        return true;
    }
    case 'n': return read_word(in, "null", jf_json_null(in->call), to);
    case 't': return read_word(in, "true", jf_json_bool(in->call, true), to);
    case 'f': return read_word(in, "false", jf_json_bool(in->call, false), to);
    default:
        if (first == '-' || (first >= '0' && first <= '9')) return read_number(in, to);
        return refuse(in, "expected a value");
    }
}

jf_result jf_json_read(jf_call *call, jf_failure_kind kind, jf_text text, const jf_json **value) {
    const unsigned char *begin = (const unsigned char *)(text.length > 0 ? text.data : "");
    struct reader in = { .call = call, .at = begin, .end = begin + text.length };
    in.texts = jf_alloc(call, text.length + 1);
    bool is_read = read_value(&in, JF_JSON_LEVELS, value);
    next_after_space(&in);
    if (is_read && in.at < in.end) is_read = refuse(&in, "more after the end");
    return is_read ? JF_OK : jf_fail(call, kind, "not valid JSON: %s, at byte %zu", in.wrong, (size_t)(in.at - begin));
}
