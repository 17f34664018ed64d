/* Texts made as printf does. C libraries for WebAssembly bring standard error along with theirs, which no plugin has. */
#include <stdarg.h>
#include <string.h>

#include "internal.h"

/* Where a text grows; only counted while there is nowhere. */
struct sink {
    char *to;
    size_t length;
};

static void put(struct sink *sink, const char *bytes, size_t count) {
    if (sink->to != NULL && count > 0) memcpy(sink->to + sink->length, bytes, count);
    sink->length += count;
}

size_t jf_write_integer(char *to, uint64_t value, unsigned base) {
    char digits[64];
    size_t at = sizeof digits;
    do {
        /* To divide by a number that is known takes far less time. */
        digits[--at] = "0123456789abcdef"[base == 10 ? value % 10 : value % base];
        value = base == 10 ? value / 10 : value / base;
    } while (value > 0);
    memcpy(to, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

static void put_integer(struct sink *sink, bool negative, uint64_t value, unsigned base) {
    char digits[24];
    if (negative) put(sink, "-", 1);
    put(sink, digits, jf_write_integer(digits, value, base));
}

static void put_number(struct sink *sink, double value) {
    if (value != value || value - value != 0) { /* which JSON has no words for */
        put(sink, value != value ? "nan" : value > 0 ? "inf" : "-inf", value < 0 ? 4 : 3);
        return;
    }
    char digits[32];
    put(sink, digits, jf_write_decimal(digits, value));
}

static void fill(struct sink *sink, const char *format, va_list arguments) {
    for (const char *at = format; *at != 0; at++) {
        if (*at != '%') {
            put(sink, at, 1);
            continue;
        }
        at++;
        size_t most = SIZE_MAX;
        if (at[0] == '.' && at[1] == '*') {
            int given = va_arg(arguments, int);
            most = given < 0 ? SIZE_MAX : (size_t)given;
            at += 2;
        }
        int longs = 0;
        bool is_size = false;
        for (; *at == 'l'; at++) longs++;
        for (; *at == 'z'; at++) is_size = true;
        switch (*at) {
        case 's': {
            const char *text = va_arg(arguments, const char *);
            size_t length = 0;
            while (length < most && text[length] != 0) length++;
            put(sink, text, length);
            break;
        }
        case 'c': {
            char character = (char)va_arg(arguments, int);
            put(sink, &character, 1);
            break;
        }
        case 'd':
        case 'i': {
            int64_t value = is_size       ? (int64_t)va_arg(arguments, ptrdiff_t)
                            : longs == 0 ? va_arg(arguments, int)
                            : longs == 1 ? va_arg(arguments, long)
                                         : va_arg(arguments, long long);
            put_integer(sink, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = is_size       ? va_arg(arguments, size_t)
                             : longs == 0 ? va_arg(arguments, unsigned)
                             : longs == 1 ? va_arg(arguments, unsigned long)
                                          : va_arg(arguments, unsigned long long);
            put_integer(sink, false, value, *at == 'x' ? 16 : 10);
            break;
        }
        case 'f':
        case 'g': put_number(sink, va_arg(arguments, double)); break;
        case '%': put(sink, "%", 1); break;
        default: /* whatever this is, its argument cannot be skipped: the rest stands as it is */
            put(sink, at - 1, strlen(at - 1));
            return;
        }
    }
}

jf_text jf_format_list(jf_call *call, const char *format, va_list arguments) {
    struct sink counted = { NULL, 0 };
    va_list again;
    va_copy(again, arguments);
    fill(&counted, format, again);
    va_end(again);
    struct sink sink = { jf_alloc(call, counted.length + 1), 0 };
    fill(&sink, format, arguments);
    return (jf_text){ sink.to, sink.length };
}

jf_text jf_format(jf_call *call, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    jf_text text = jf_format_list(call, format, arguments);
    va_end(arguments);
    return text;
}
