#include "cc_secret.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SLASHES 8 /* a text of nothing else must not take for ever */

/* ---- wiping ---- */

void cc_wipe(void *bytes, size_t n) {
    if (!bytes || n == 0) return;
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 25)
    explicit_bzero(bytes, n);
#else
    volatile unsigned char *b = bytes;
    while (n--) *b++ = 0;
#endif
}

void cc_wipe_text(char *text) {
    if (text) cc_wipe(text, strlen(text));
}

/* ---- finding ---- */

bool cc_secret_is_key(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f) return false;
    }
    return n > 0;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Do the bytes say c, as prefix and two hexadecimal digits? How many they are, else 0. */
static size_t hex(const char *text, size_t n, const char *prefix, char c) {
    size_t p = strlen(prefix);
    if (n < p + 2 || memcmp(text, prefix, p) != 0) return 0;
    int high = digit(text[p]), low = digit(text[p + 1]);
    return high >= 0 && low >= 0 && high * 16 + low == (unsigned char)c ? p + 2 : 0;
}

/* Behind a backslash, or several: JSON inside of JSON has its backslashes escaped. */
static size_t escaped(const char *text, size_t n, char c) {
    size_t slashes = 1, length;
    if (n > 1 && text[1] == c && c == '\\') return 2;
    while (slashes < n && slashes < MOST_SLASHES && text[slashes] == '\\') slashes++;
    length = hex(text + slashes, n - slashes, "u00", c);
    if (!length) length = hex(text + slashes, n - slashes, "x", c);
    if (!length && slashes < n && text[slashes] == c && strchr("\"/", c)) length = 1;
    return length ? slashes + length : 0;
}

/* The longest way in which text begins with c, 0 if it does not. */
static size_t spelled(const char *text, size_t n, char c) {
    size_t length = 0;
    if (n == 0) return 0;
    if (*text == '\\') length = escaped(text, n, c);
    if (*text == '%') length = hex(text, n, "%25", c);
    if (*text == '%' && !length) length = hex(text, n, "%", c);
    return length ? length : *text == c;
}

/* How many bytes of text are the secret, 0 if it does not begin here. */
static size_t begins(const cc_secret *s, const char *text, size_t n) {
    size_t at = 0;
    if (n >= s->n && memcmp(text, s->bytes, s->n) == 0) return s->n;
    for (size_t i = 0; i < s->n; i++) {
        size_t length = spelled(text + at, n - at, s->bytes[i]);
        if (!length) return 0;
        at += length;
    }
    return at;
}

/* Where the bytes stand next with which it may begin. The C library looks for them, many times
 * faster than a loop, and for none of them again before its place has been passed. */
typedef struct hunt {
    char bytes[3];
    ptrdiff_t places[3]; /* the end of the text: nowhere any more */
} hunt;

static ptrdiff_t next_place(hunt *h, const char *text, ptrdiff_t n, ptrdiff_t from) {
    ptrdiff_t nearest = n;
    for (int i = 0; i < 3; i++) {
        if (h->places[i] < from) {
            const char *p = memchr(text + from, h->bytes[i], (size_t)(n - from));
            h->places[i] = p ? p - text : n;
        }
        if (h->places[i] < nearest) nearest = h->places[i];
    }
    return nearest;
}

bool cc_secret_find(const cc_secret *s, const char *text, size_t n, size_t *at, size_t *length) {
    if (!s->bytes || s->n == 0) return false;
    hunt h = {{s->bytes[0], '%', '\\'}, {-1, -1, -1}};
    ptrdiff_t end = (ptrdiff_t)n;
    for (ptrdiff_t i = next_place(&h, text, end, 0); i < end;
         i = next_place(&h, text, end, i + 1)) {
        *at = (size_t)i;
        *length = begins(s, text + i, n - *at);
        if (*length) return true;
    }
    return false;
}

/* ---- composing ---- */

char *cc_secret_header(const cc_secret *s, cc_auth how) {
    const char *prefix = how == CC_AUTH_BEARER ? "Authorization: Bearer " : "api-key: ";
    size_t n = strlen(prefix);
    char *line = malloc(n + s->n + 1);
    if (!line) return NULL;
    memcpy(line, prefix, n);
    memcpy(line + n, s->bytes, s->n + 1);
    return line;
}

static bool is_unreserved(char c) { /* RFC 3986, 2.3 */
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-._~", c));
}

static char *escape(char *to, const cc_secret *s) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s->n; i++) {
        unsigned char c = (unsigned char)s->bytes[i];
        if (is_unreserved((char)c)) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return to;
}

char *cc_secret_url(const cc_secret *s, const char *url) {
    static const char name[] = "?token=";
    size_t n = strlen(url);
    char *whole = malloc(n + sizeof name + 3 * s->n);
    if (!whole) return NULL;
    memcpy(whole, url, n);
    memcpy(whole + n, name, sizeof name - 1);
    if (memchr(url, '?', n)) whole[n] = '&';
    escape(whole + n + sizeof name - 1, s);
    return whole;
}
