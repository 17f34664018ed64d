/* Between doubles and decimal digits, rounded exactly. The functions of the C library for that follow a locale, and bring
 * standard error along, which no plugin has. */
#include <float.h>
#include <string.h>

#include "internal.h"

/* Large natural numbers. */

enum {
    /* Digits of a number that are looked at: more can only tell on which side of a midpoint between two doubles it lies, and
     * no midpoint has more. */
    MOST_DIGITS = 800,
    /* Enough for that many digits, for 5^(MOST_DIGITS + 331), and for some bits more. */
    MOST_LIMBS = 88,
};

/* 32 bits a limb, the least first. The last one is not zero. */
struct large {
    size_t count;
    uint32_t limbs[MOST_LIMBS];
};

static void set(struct large *to, uint64_t value) {
    to->limbs[0] = (uint32_t)value;
    to->limbs[1] = (uint32_t)(value >> 32);
    to->count = to->limbs[1] != 0 ? 2 : value != 0;
}

static void multiply(struct large *number, uint32_t factor, uint32_t added) {
    uint64_t carried = added;
    for (size_t at = 0; at < number->count; at++) {
        carried += (uint64_t)number->limbs[at] * factor;
        number->limbs[at] = (uint32_t)carried;
        carried >>= 32;
    }
    if (carried != 0) number->limbs[number->count++] = (uint32_t)carried;
}

static void multiply_by_power_of_5(struct large *number, unsigned power) {
    for (; power >= 13; power -= 13) multiply(number, 1220703125, 0);
    for (; power > 0; power--) multiply(number, 5, 0);
}

static unsigned bits_of(const struct large *number) {
    return (unsigned)(32 * number->count) - (unsigned)__builtin_clz(number->limbs[number->count - 1]);
}

static void shift_left(struct large *number, unsigned bits) {
    if (number->count == 0 || bits == 0) return;
    size_t limbs = bits / 32, old = number->count;
    bits %= 32;
    number->count = old + limbs + 1;
    number->limbs[number->count - 1] = 0;
    for (size_t at = old; at-- > 0;) {
        uint64_t shifted = (uint64_t)number->limbs[at] << bits;
        number->limbs[at + limbs + 1] |= (uint32_t)(shifted >> 32);
        number->limbs[at + limbs] = (uint32_t)shifted;
    }
    memset(number->limbs, 0, limbs * sizeof *number->limbs);
    if (number->limbs[number->count - 1] == 0) number->count--;
}

static bool is_less(const struct large *one, const struct large *other) {
    if (one->count != other->count) return one->count < other->count;
    for (size_t at = one->count; at-- > 0;) {
        if (one->limbs[at] != other->limbs[at]) return one->limbs[at] < other->limbs[at];
    }
    return false;
}

/* Takes a number so many times from one that is not less than that. */
static void subtract(struct large *from, const struct large *number, uint32_t times) {
    uint64_t taken = 0;
    for (size_t at = 0; at < from->count; at++) {
        if (at < number->count) taken += (uint64_t)number->limbs[at] * times;
        uint32_t low = (uint32_t)taken;
        taken >>= 32;
        if (from->limbs[at] < low) taken++;
        from->limbs[at] -= low;
    }
    while (from->count > 0 && from->limbs[from->count - 1] == 0) from->count--;
}

/* The next 32 bits of a quotient, where `rest` is what is left of the dividend. The divisor's highest bit is that of a limb. */
static uint32_t next_bits(struct large *rest, const struct large *divisor) {
    shift_left(rest, 32);
    uint64_t leading = rest->count < divisor->count ? 0 : rest->limbs[divisor->count - 1];
    if (rest->count > divisor->count) leading |= (uint64_t)rest->limbs[divisor->count] << 32;
    /* At most a few too low, as the divisor's leading limb is at least 2^31. */
    uint32_t bits = (uint32_t)(leading / ((uint64_t)divisor->limbs[divisor->count - 1] + 1));
    for (subtract(rest, divisor, bits); !is_less(rest, divisor); bits++) subtract(rest, divisor, 1);
    return bits;
}

/* A positive number: `top` * 2^`exponent`, and less than 2^`exponent` more if it is inexact. The highest bit of `top` is 1. */
struct leading {
    uint64_t top;
    int exponent;
    bool is_inexact;
};

/* The leading bits of a quotient; changes both numbers. */
static struct leading divide(struct large *dividend, struct large *divisor) {
    /* First the quotient is made one from 1/2 to 2, by a power of two. */
    int power = (int)bits_of(dividend) - (int)bits_of(divisor);
    shift_left(power > 0 ? divisor : dividend, (unsigned)(power > 0 ? power : -power));
    unsigned unused = (unsigned)__builtin_clz(divisor->limbs[divisor->count - 1]);
    shift_left(divisor, unused);
    shift_left(dividend, unused);
    bool is_one_or_more = !is_less(dividend, divisor);
    if (is_one_or_more) subtract(dividend, divisor, 1);
    uint64_t top = (uint64_t)next_bits(dividend, divisor) << 32;
    top |= next_bits(dividend, divisor);
    struct leading quotient = { top, power - 64, dividend->count > 0 };
    if (is_one_or_more) {
        quotient.is_inexact = quotient.is_inexact || (top & 1) != 0;
        quotient.top = UINT64_C(1) << 63 | top >> 1;
        quotient.exponent++;
    }
    return quotient;
}

static const uint64_t powers_of_10[] = {
    UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000),
    UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
    UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
    UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};
enum { MOST_POWER = 19 };

/* Reading. */

/* The double that is nearest, the even one of two; false if that is infinite. */
static bool round_to_double(struct leading number, double *to) {
    /* 53 bits are kept, or fewer of a number so small that its lowest bit would be below 2^-1074. */
    int dropped = number.exponent + 11 < -1074 ? -1074 - number.exponent : 11;
    if (dropped > 64) {
        *to = 0;
        return true;
    }
    if (number.exponent + dropped > 1023 - 52) return false;
    uint64_t kept = dropped == 64 ? 0 : number.top >> dropped, rest = number.top << (64 - dropped), half = UINT64_C(1) << 63;
    if (rest > half || (rest == half && (number.is_inexact || (kept & 1) != 0))) kept++;
    /* The highest of 53 bits, which a double does not hold, adds one to the exponent; so does a carry. */
    uint64_t bits = ((uint64_t)(number.exponent + dropped + 1074) << 52) + kept;
    memcpy(to, &bits, sizeof *to);
    return bits < UINT64_C(0x7ff) << 52;
}

/* The double that is nearest to digits * 10^exponent; changes the digits. */
static bool nearest_to_large(struct large *digits, int exponent, double *to) {
    struct large divisor;
    set(&divisor, 1);
    multiply_by_power_of_5(exponent < 0 ? &divisor : digits, (unsigned)(exponent < 0 ? -exponent : exponent));
    struct leading number = divide(digits, &divisor);
    number.exponent += exponent;
    return round_to_double(number, to);
}

/* The same for digits that are at least 1. */
static bool nearest(uint64_t digits, int exponent, double *to) {
    /* Both are exact, so that the one operation rounds as it should. */
    if (FLT_EVAL_METHOD == 0 && digits < UINT64_C(1) << 53 && exponent >= -MOST_POWER && exponent <= MOST_POWER) {
        *to = exponent < 0 ? (double)digits / (double)powers_of_10[-exponent]
                           : (double)digits * (double)powers_of_10[exponent];
        return true;
    }
    if (exponent < 0 && exponent >= -MOST_POWER) {
        int shift = __builtin_clzll(digits);
        unsigned __int128 dividend = (unsigned __int128)(digits << shift) << 64;
        uint64_t divisor = powers_of_10[-exponent];
        unsigned __int128 quotient = dividend / divisor;
        /* It has more than 64 bits, as the dividend has 128 and the divisor at most 64, unless the two leave just that. */
        uint64_t above = (uint64_t)(quotient >> 64);
        int dropped = above == 0 ? 0 : 64 - __builtin_clzll(above);
        uint64_t top = (uint64_t)(quotient >> dropped);
        bool is_inexact = ((unsigned __int128)top << dropped) * divisor != dividend;
        return round_to_double((struct leading){ top, dropped - 64 - shift, is_inexact }, to);
    }
    struct large large;
    set(&large, digits);
    return nearest_to_large(&large, exponent, to);
}

bool jf_read_decimal(const char *text, size_t length, double *to) {
    enum { FEW = 19 };                /* as many digits as fit into 64 bits */
    uint64_t few = 0;                 /* the first digits that are not zeros in front */
    struct large many;                /* all of them, where there are more than FEW */
    size_t count = 0, at = 0;
    int64_t exponent = 0;
    bool after_point = false, is_more = false;
    for (; at < length && text[at] != 'e' && text[at] != 'E'; at++) {
        if (text[at] == '.') {
            after_point = true;
            continue;
        }
        unsigned digit = (unsigned)(text[at] - '0');
        if (after_point) exponent--;
        if (count == 0 && digit == 0) continue;
        if (count < FEW) {
            few = 10 * few + digit;
        } else if (count < MOST_DIGITS) {
            if (count == FEW) set(&many, few);
            multiply(&many, 10, digit);
        } else {
            is_more = is_more || digit != 0;
            exponent++;
            continue;
        }
        count++;
    }
    if (at < length) {
        bool is_negative = text[++at] == '-';
        int64_t power = 0;
        for (at += text[at] == '-' || text[at] == '+'; at < length; at++) {
            /* The length of a text is far less than this. */
            if (power < INT64_C(1000000000000000)) power = 10 * power + (text[at] - '0');
        }
        exponent += is_negative ? -power : power;
    }
    *to = 0;
    if (count == 0 || exponent + (int64_t)count < -330) return true;
    if (exponent + (int64_t)count > 310) return false;
    if (count <= FEW) return nearest(few, (int)exponent, to);
    if (is_more) {
        multiply(&many, 10, 1);
        exponent--;
    }
    return nearest_to_large(&many, (int)exponent, to);
}

/* Writing. */

/* The integer below value * 2^exponent * 10^power, which is less than 10^19, and whether it is less. */
static uint64_t scale(uint64_t value, int exponent, int power, bool *is_less_than) {
    enum { MOST = 22 }; /* with 53 bits, a product of 127 */
    if (power >= 0 && power <= MOST) {
        int first = power > MOST_POWER ? MOST_POWER : power;
        unsigned __int128 product = (unsigned __int128)value * powers_of_10[first] * powers_of_10[power - first];
        uint64_t integer = (uint64_t)(exponent < 0 ? product >> -exponent : product << exponent);
        *is_less_than = exponent < 0 && (unsigned __int128)integer << -exponent != product;
        return integer;
    }
    struct large dividend, divisor;
    set(&dividend, value);
    set(&divisor, 1);
    multiply_by_power_of_5(power < 0 ? &divisor : &dividend, (unsigned)(power < 0 ? -power : power));
    struct leading number = divide(&dividend, &divisor);
    int dropped = -(number.exponent + exponent + power);
    uint64_t integer = number.top >> dropped;
    *is_less_than = number.is_inexact || integer << dropped != number.top;
    return integer;
}

/* As few of 15, 16 or 17 significant digits as give the number again, without zeros at the end: digits * 10^exponent. */
static uint64_t digits_of(double number, uint64_t bits, int *exponent) {
    int binary = (int)(bits >> 52);
    uint64_t value = bits & ((UINT64_C(1) << 52) - 1);
    if (binary > 0) value |= UINT64_C(1) << 52;
    binary = (binary > 0 ? binary : 1) - 1075;
    /* The power of ten of the first digit, or that below. */
    int log2 = binary + 63 - __builtin_clzll(value), scaled = log2 * 30103;
    int first = scaled >= 0 ? scaled / 100000 : -((99999 - scaled) / 100000);
    bool is_less_than;
    uint64_t digits = scale(value, binary, 17 - first, &is_less_than);
    if (digits >= powers_of_10[18]) {
        is_less_than = is_less_than || digits % 10 != 0;
        digits /= 10;
        first++;
    }
    uint64_t rounded = 0;
    for (int count = 15; count <= 17; count++) {
        uint64_t unit = powers_of_10[18 - count], rest = digits % unit, half = unit / 2;
        rounded = digits / unit;
        if (rest > half || (rest == half && (is_less_than || (rounded & 1) != 0))) rounded++;
        *exponent = first + 1 - count;
        double again;
        if (count < 17 && nearest(rounded, *exponent, &again) && again == number) break;
    }
    for (int zeros = 8; zeros > 0; zeros /= 2) {
        for (; rounded % powers_of_10[zeros] == 0; rounded /= powers_of_10[zeros]) *exponent += zeros;
    }
    return rounded;
}

size_t jf_write_decimal(char to[32], double number) {
    char *at = to;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (bits >> 63 != 0) {
        *at++ = '-';
        number = -number;
        bits &= ~(UINT64_C(1) << 63);
    }
    char digits[24] = "0";
    int exponent = 0, count = 1;
    if (bits != 0) count = (int)jf_write_integer(digits, digits_of(number, bits, &exponent), 10);
    /* Where the point stands, counted from the first digit. */
    int point = count + exponent;
    if (point <= -6 || point > 21) {
        *at++ = digits[0];
        if (count > 1) *at++ = '.';
        memcpy(at, digits + 1, (size_t)count - 1);
        at += count - 1;
        *at++ = 'e';
        if (point < 1) *at++ = '-';
        at += jf_write_integer(at, (uint64_t)(point < 1 ? 1 - point : point - 1), 10);
        return (size_t)(at - to);
    }
    for (int place = point < 1 ? point - 1 : 0; place < count || place <= point; place++) {
        if (place == point) *at++ = '.';
        *at++ = place < 0 || place >= count ? '0' : digits[place];
    }
    return (size_t)(at - to);
}
