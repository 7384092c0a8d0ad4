/* The way out: numbers as text, UTF-8, and tags taken off again. */
#include "cc_json.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_53 9007199254740992.0

void cc_json_int64(long long n, char out[CC_JSON_NUMBER_MAX]) {
    snprintf(out, CC_JSON_NUMBER_MAX, "%lld", n);
}

/* printf writes the decimal point of the locale, which may be several bytes. */
static void use_point(char *s) {
    const char *point = localeconv()->decimal_point;
    char *at = strcmp(point, ".") == 0 ? NULL : strstr(s, point);
    if (!at) return;
    size_t n = strlen(point);
    *at = '.';
    memmove(at + 1, at + n, strlen(at + n) + 1);
}

static void write_shortest(double x, char out[CC_JSON_NUMBER_MAX]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, CC_JSON_NUMBER_MAX, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break; /* before use_point: strtod reads the locale's too */
    }
    use_point(out);
}

cc_json_range cc_json_double(double x, char out[CC_JSON_NUMBER_MAX]) {
    if (!isfinite(x)) return CC_JSON_NOT_FINITE;
    if (x >= TWO_53 || x <= -TWO_53) return CC_JSON_NOT_EXACT;
    if (x != (double)(int64_t)x)
        write_shortest(x, out);
    else if (x == 0 && signbit(x))
        strcpy(out, "-0.0");
    else
        cc_json_int64((long long)x, out);
    return CC_JSON_FITS;
}

int cc_json_is_integer(const char *s, size_t n) {
    size_t i = n > 0 && s[0] == '-';
    if (i == n || (s[i] == '0' && n - i > 1)) return 0;
    for (; i < n; i++)
        if (s[i] < '0' || s[i] > '9') return 0;
    return 1;
}

/* How many bytes the lead byte announces, and the least and largest second byte; 0: not a lead
 * byte. */
static size_t sequence(unsigned char lead, unsigned char *least, unsigned char *most) {
    *least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80; /* below: overlong */
    *most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF; /* above: a surrogate, or too large */
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/* Length of the valid sequence at s; 0 if there is none. */
static size_t valid_sequence(const unsigned char *s, size_t n) {
    unsigned char least, most;
    size_t want = sequence(s[0], &least, &most);
    if (want < 2) return want;
    if (want > n || s[1] < least || s[1] > most) return 0;
    for (size_t i = 2; i < want; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    return want;
}

static int is_ascii8(const char *s) {
    uint64_t x;
    memcpy(&x, s, sizeof x);
    return (x & (~(uint64_t)0 / 255 * 0x80)) == 0;
}

size_t cc_json_utf8(const char *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        if (n - i >= 8 && is_ascii8(s + i)) {
            i += 8;
            continue;
        }
        size_t step = valid_sequence((const unsigned char *)s + i, n - i);
        if (step == 0) return i;
        i += step;
    }
    return n;
}

static cc_json_code code_of(cc_buf_code code) {
    return code == CC_BUF_OK ? CC_JSON_OK : code == CC_BUF_FULL ? CC_JSON_LARGE : CC_JSON_NOMEM;
}

/* Every tag stands after a quote, and its string holds neither quotes nor escapes. */
cc_json_code cc_json_untag(const char *text, size_t len, cc_buf *out) {
    const char *end = text + len, *copied = text;
    const char *at = memchr(text, CC_JSON_TAG, len);
    if (!at) return CC_JSON_OK;
    cc_buf_code code = cc_buf_reserve(out, len);
    for (; at && code == CC_BUF_OK; at = memchr(copied, CC_JSON_TAG, (size_t)(end - copied))) {
        const char *close = memchr(at, '"', (size_t)(end - at));
        if (at == copied || at[-1] != '"' || !close) return CC_JSON_TAGS;
        code = cc_buf_add(out, copied, (size_t)(at - 1 - copied));
        if (code == CC_BUF_OK) code = cc_buf_add(out, at + 1, (size_t)(close - at - 1));
        copied = close + 1;
    }
    if (code == CC_BUF_OK) code = cc_buf_add(out, copied, (size_t)(end - copied));
    return code_of(code);
}
