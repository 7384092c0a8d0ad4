#include "cc_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* <ctype.h> asks the locale, and a client must not. */
static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_token(char c) { /* RFC 9110, 5.6.2 */
    return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Length of "http://" or "https://" at the start, else 0. */
static size_t scheme_length(const char *url) {
    if (strncasecmp(url, "http://", 7) == 0) return 7;
    if (strncasecmp(url, "https://", 8) == 0) return 8;
    return 0;
}

bool cc_text_is_https(const char *url) {
    return scheme_length(url) == 8;
}

/* Half the world takes one for the end of the host, libcurl for a part of the name in front of an "@":
 * nobody must be in doubt whom we talk to. */
static bool has_backslash(const char *authority) {
    return authority[strcspn(authority, "/?#\\")] == '\\';
}

/* Where the host stands: behind the scheme and behind any user:password@. */
static const char *find_host(const char *url, size_t *length) {
    const char *start = url + scheme_length(url);
    size_t n = strcspn(start, "/?#\\");
    for (size_t i = n; i > 0; i--) {
        if (start[i - 1] != '@') continue;
        *length = n - i;
        return start + i;
    }
    *length = n;
    return start;
}

const char *cc_text_check_url(const char *url, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (is_control(url[i]) || url[i] == ' ') {
            return "not hold spaces or control characters";
        }
    }
    if (!scheme_length(url)) return "begin with http:// or https://";
    if (has_backslash(url + scheme_length(url))) return "not hold a backslash before its path";
    size_t host;
    const char *at = find_host(url, &host);
    if (host == 0 || *at == ':') return "name a host";
    return NULL;
}

const char *cc_text_check_header(const char *line, size_t n) {
    size_t name = 0;
    while (name < n && is_token(line[name])) name++;
    if (name == 0 || name == n || line[name] != ':') return "have the form \"Name: value\"";
    for (size_t i = name; i < n; i++) {
        if (is_control(line[i]) && line[i] != '\t')
            return "not hold line breaks or control characters";
    }
    return NULL;
}

bool cc_text_header_is(const char *line, const char *name) {
    size_t n = strlen(name);
    return strncasecmp(line, name, n) == 0 && (line[n] == ':' || line[n] == ';');
}

bool cc_text_header_is_empty(const char *line) {
    const char *value = strchr(line, ':');
    return value && value[1 + strspn(value + 1, " \t")] == '\0';
}

/* The line that begins with prefix (without regard to case), behind it; NULL if there is none. */
static const char *find_line(const char *block, size_t n, const char *prefix) {
    size_t length = strlen(prefix);
    const char *end = n ? block + n : block;
    while (block && (size_t)(end - block) >= length) {
        if (strncasecmp(block, prefix, length) == 0) return block + length;
        block = memchr(block, '\n', (size_t)(end - block));
        if (block) block++;
    }
    return NULL;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool cc_text_has_header(const char *block, size_t n, const char *name, const char *value) {
    const char *at = find_line(block, n, name);
    size_t length = strlen(value);
    if (!at) return false;
    const char *end = block + n;
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    if ((size_t)(end - at) < length || memcmp(at, value, length) != 0) return false;
    for (at += length; at < end && *at != '\n'; at++) {
        if (!is_blank(*at)) return false;
    }
    return true;
}

/* Digits and then one of the characters of stop. */
static bool read_number(const char **at, const char *end, const char *stop, int64_t *out) {
    const char *c = *at;
    int64_t value = 0;
    for (; c < end && *c >= '0' && *c <= '9'; c++) {
        if (value > (INT64_MAX - 9) / 10) return false;
        value = value * 10 + (*c - '0');
    }
    if (c == *at || c == end || !*c || !strchr(stop, *c)) return false;
    *at = c + 1;
    *out = value;
    return true;
}

static bool read_total(const char *at, const char *end, int64_t *total) {
    *total = -1;
    if (end - at >= 2 && at[0] == '*' && strchr(" \t\r\n", at[1])) return true;
    return read_number(&at, end, " \t\r\n", total);
}

bool cc_text_content_range(const char *block, size_t n, int64_t *first, int64_t *last,
                           int64_t *total) {
    const char *at = find_line(block, n, "content-range:");
    if (!at) return false;
    const char *end = block + n; /* not before: to add to NULL is undefined even for nothing */
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    if (end - at < 6 || strncasecmp(at, "bytes ", 6) != 0) return false;
    at += 6;
    if (!read_number(&at, end, "-", first) || !read_number(&at, end, "/", last)) return false;
    if (!read_total(at, end, total)) return false;
    return *first <= *last && (*total < 0 || *last < *total);
}

static bool has_port(const char *host, size_t n) {
    while (n > 0 && host[n - 1] >= '0' && host[n - 1] <= '9') n--;
    return n > 0 && host[n - 1] == ':';
}

void cc_text_host_port(char *out, size_t size, const char *url) {
    size_t n;
    const char *host = find_host(url, &n);
    if (n > 0 && host[n - 1] == ':') n--; /* "host:" means the scheme's own, too */
    int shown = n > 255 ? 255 : (int)n;
    if (has_port(host, n)) {
        snprintf(out, size, "%.*s", shown, host);
    } else {
        snprintf(out, size, "%.*s:%s", shown, host, cc_text_is_https(url) ? "443" : "80");
    }
}

/* What may be shown of the word of n bytes; *at moves behind credentials. */
static size_t shown_part(const char **at, size_t n) {
    const char *word = *at;
    size_t end = strcspn(word, "?# "), start = n;
    while (start > 0 && word[start - 1] != '@') start--;
    if (end > n) end = n;
    if (start > end) return 0; /* a password with a ? in it, or a query with an @: show neither */
    *at = word + start;
    return end - start;
}

static size_t put(char *out, size_t size, size_t used, const char *bytes, size_t n) {
    for (size_t i = 0; i < n && used + 1 < size; i++)
        out[used++] = is_control(bytes[i]) ? '?' : bytes[i];
    return used;
}

void cc_text_scrub(char *out, size_t size, const char *text) {
    size_t used = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        const char *word = text;
        size_t shown = shown_part(&word, n);
        used = put(out, size, used, word, shown);
        if (word + shown < text + n) used = put(out, size, used, "...", 3);
        text += n;
        for (; *text == ' '; text++) used = put(out, size, used, " ", 1);
    }
    out[used] = '\0';
}

bool cc_text_has(const char *text, const char *words) {
    size_t n = strlen(words);
    for (; *text; text++) {
        if (strncasecmp(text, words, n) == 0) return true;
    }
    return false;
}
