#include "cc_json.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define TWO_53 ((uint64_t)1 << 53)

/* Digits that every double tells apart. */
#define SAFE_DIGITS 15
/* Up to this long, and with a two-digit exponent at most, no literal overflows a double. */
#define SAFE_LITERAL 200

enum { BAD, SPACE, COMMA, COLON, QUOTE, OPEN, CLOSE, DIGIT, WORD };

static const unsigned char CLASS[256] = {
    [' '] = SPACE, ['\t'] = SPACE, ['\n'] = SPACE, ['\r'] = SPACE, [','] = COMMA,
    [':'] = COLON, ['"'] = QUOTE,  ['['] = OPEN,   ['{'] = OPEN,   [']'] = CLOSE,
    ['}'] = CLOSE, ['-'] = DIGIT,  ['0'] = DIGIT,  ['1'] = DIGIT,  ['2'] = DIGIT,
    ['3'] = DIGIT, ['4'] = DIGIT,  ['5'] = DIGIT,  ['6'] = DIGIT,  ['7'] = DIGIT,
    ['8'] = DIGIT, ['9'] = DIGIT,  ['t'] = WORD,   ['f'] = WORD,   ['n'] = WORD,
};

static int class_of(const char *p) {
    return CLASS[(unsigned char)*p];
}

static const char *refuse(cc_json *g, cc_json_code code, const char *at) {
    g->code = code;
    g->fault = g->skipped + (size_t)(at - g->text);
    return NULL;
}

/* --- Writing the copy --- */

static int add(cc_json *g, const void *bytes, size_t n) {
    switch (cc_buf_add(&g->out, bytes, n)) {
    case CC_BUF_OK:
        return 1;
    case CC_BUF_FULL:
        g->code = CC_JSON_LARGE;
        return 0;
    default:
        g->code = CC_JSON_NOMEM;
        return 0;
    }
}

/* Notes where the wanted byte of the copy comes from, if it is in the stretch that ends at `to`. */
static void locate(cc_json *g, const char *to) {
    if (g->origin) return;
    if (g->wanted < g->out.len)
        g->origin = g->replaced;
    else if (g->wanted - g->out.len < (size_t)(to - g->copied))
        g->origin = g->copied + (g->wanted - g->out.len);
}

/* Copies what lies between the last replacement and `from`, and continues after `to`. */
static int catch_up(cc_json *g, const char *from, const char *to) {
    if (!g->rewritten) {
        size_t len = (size_t)(g->end - g->text);
        (void)cc_buf_reserve(&g->out, len + len / 8 + 64); /* a wish; add() reports what matters */
    }
    g->rewritten = 1;
    locate(g, from);
    if (!add(g, g->copied, (size_t)(from - g->copied))) return 0;
    g->copied = to;
    g->replaced = from;
    return 1;
}

/* Each of these returns `to`, from where to read on, or NULL. */
static const char *replace(cc_json *g, const char *from, const char *to, const char *by) {
    return catch_up(g, from, to) && add(g, by, strlen(by)) ? to : NULL;
}

static const char *quote(cc_json *g, const char *from, const char *to) {
    int ok = catch_up(g, from, to) && add(g, "\"", 1) && add(g, from, (size_t)(to - from)) &&
             add(g, "\"", 1);
    return ok ? to : NULL;
}

/* --- Tags --- */

/* Writes a tagged string that holds n bytes from `from` on, in place of from..to. */
static const char *tag(cc_json *g, const char *from, const char *to, size_t n, cc_json_step kind) {
    if (!g->tagged && !cc_json_choose_tag(g)) return NULL;
    g->tagged = 1;
    cc_json_path_mark(&g->path, kind);
    int ok = catch_up(g, from, to) && add(g, "\"", 1) && add(g, g->tag, g->tag_len) &&
             add(g, from, n) && add(g, "\"", 1);
    return ok ? to : NULL;
}

/* --- Strings --- */

static int is_plain(unsigned char c) {
    return c >= 0x20 && c != '"' && c != '\\';
}

#ifdef __SSE2__
/* A bit for each of 16 bytes that is a quote, a backslash or below 0x20. */
static unsigned special16(const char *p) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i low = _mm_cmpeq_epi8(_mm_max_epu8(x, _mm_set1_epi8(0x1F)), _mm_set1_epi8(0x1F));
    __m128i quotes = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i slashes = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quotes, slashes)));
}

static const char *skip_plain(const char *p, const char *end) {
    for (; end - p >= 16; p += 16) {
        unsigned special = special16(p);
        if (special) return p + __builtin_ctz(special);
    }
    while (p < end && is_plain((unsigned char)*p)) p++;
    return p;
}
#else
#define ONES  (~(uint64_t)0 / 255)
#define HIGHS (ONES * 0x80)

/* Not zero if one of 8 bytes is a quote, a backslash or below 0x20. */
static uint64_t special8(const char *p) {
    uint64_t x, quotes, slashes;
    memcpy(&x, p, sizeof x);
    quotes = x ^ (ONES * '"');
    slashes = x ^ (ONES * '\\');
    return (((x - ONES * 0x20) & ~x) | ((quotes - ONES) & ~quotes) |
            ((slashes - ONES) & ~slashes)) &
           HIGHS;
}

static const char *skip_plain(const char *p, const char *end) {
    while (end - p >= 8 && !special8(p)) p += 8;
    while (p < end && is_plain((unsigned char)*p)) p++;
    return p;
}
#endif

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of the \uXXXX at p; -1 if there is none. */
static int escaped_unit(const char *p, const char *end) {
    int unit = 0;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex(p[i]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* p is at a backslash. A surrogate without its other half loses that one character, not the page;
 * all other mistakes are the library's to refuse. */
static const char *read_escape(cc_json *g, const char *p) {
    if (g->end - p < 2) return refuse(g, CC_JSON_STRING, g->end);
    if (p[1] != 'u') return p + 2;
    if (g->end - p >= 6 && (p[2] | 0x20) != 'd') return p + 6; /* no surrogate */
    int unit = escaped_unit(p, g->end);
    if (unit < 0) return p + 2;
    if ((unit & 0xF800) != 0xD800) return p + 6;
    int other = (unit & 0x400) ? -1 : escaped_unit(p + 6, g->end);
    if (other >= 0 && (other & 0xFC00) == 0xDC00) return p + 12;
    return replace(g, p, p + 6, "\\uFFFD");
}

/* A raw byte below 0x20: lua-cjson takes all but NUL, which it takes for the end. */
static const char *read_control(cc_json *g, const char *p) {
    static const char DIGITS[] = "0123456789abcdef";
    char escape[] = "\\u0000";
    unsigned char c = (unsigned char)*p;
    if (c != 0 && !(g->rules & CC_JSON_CONTROLS)) return p + 1;
    escape[4] = DIGITS[c >> 4];
    escape[5] = DIGITS[c & 15];
    return replace(g, p, p + 1, escape);
}

/* p is after the opening quote; returns after the closing one. */
static const char *read_string(cc_json *g, const char *p) {
    while (p) {
        p = skip_plain(p, g->end);
        if (p == g->end) return refuse(g, CC_JSON_STRING, p);
        if (*p == '"') return p + 1;
        p = *p == '\\' ? read_escape(g, p) : read_control(g, p);
    }
    return NULL;
}

/* --- Numbers --- */

/* What may follow a number or a word. */
static int is_delimiter(const cc_json *g, const char *p) {
    if (p == g->end) return 1;
    int c = class_of(p);
    return c == SPACE || c == COMMA || c == CLOSE;
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *p, const char *end) {
    while (p < end && is_digit(*p)) p++;
    return p;
}

/* The value of up to 19 digits, which fits. */
static uint64_t magnitude(const char *p, const char *end) {
    uint64_t n = 0;
    for (; p < end; p++) n = n * 10 + (uint64_t)(*p - '0');
    return n;
}

static int fits_int64(const char *digits, const char *end, int negative) {
    if (end - digits > 19) return 0;
    return magnitude(digits, end) <= (uint64_t)INT64_MAX + (uint64_t)negative;
}

/* An integer that a double holds. */
static const char *read_small(cc_json *g, const char *from, const char *digits, const char *to) {
    if (g->rules & CC_JSON_ALL_NUMBERS)
        return tag(g, from, to, (size_t)(to - from), CC_JSON_TAGGED);
    if (g->rules & CC_JSON_WHOLE_FLOATS) cc_json_path_mark(&g->path, CC_JSON_INTEGERS);
    if (digits != from && *digits == '0') return replace(g, from, to, "0"); /* -0 is an integer */
    return to;
}

static const char *read_large(cc_json *g, const char *from, const char *digits, const char *to) {
    unsigned wide = g->rules & (CC_JSON_INT64 | CC_JSON_INT64_NATIVE);
    if (!wide || !fits_int64(digits, to, digits != from)) return quote(g, from, to);
    if (wide == CC_JSON_INT64_NATIVE && !(g->rules & CC_JSON_ALL_NUMBERS)) return to;
    return tag(g, from, to, (size_t)(to - from), CC_JSON_TAGGED);
}

/* from..to is an integer literal; its digits begin at `digits`. */
static const char *read_integer(cc_json *g, const char *from, const char *digits, const char *to) {
    if (to - digits <= SAFE_DIGITS) return read_small(g, from, digits, to);
    if (to - digits <= 19 && magnitude(digits, to) <= TWO_53)
        return read_small(g, from, digits, to);
    return read_large(g, from, digits, to);
}

/* 1 if point..to, the fraction after `whole` digits, cannot round to nothing (or to one): a digit
 * from 1 to 8 early enough is farther from both than doubles are apart. */
static int has_fraction(ptrdiff_t whole, const char *point, const char *to) {
    const char *last = point + 1 + (SAFE_DIGITS - whole);
    int nines = 0;
    for (const char *p = point + 1; p < to && p < last; p++) {
        if (*p >= '1' && *p <= '8') return 1;
        nines |= *p == '9';
    }
    return nines && to <= last;
}

typedef struct literal {
    const char *from, *digits, *point, *exponent, *to; /* point, exponent: NULL if there is none */
    const char *power;                                 /* the exponent's digits */
} literal;

static const char *read_float(cc_json *g, const literal *n) {
    int whole = n->exponent || !has_fraction(n->point - n->digits, n->point, n->to);
    int huge = n->to - n->from > SAFE_LITERAL || (n->exponent && n->to - n->power > 2);
    if (!huge && !(g->rules & CC_JSON_ALL_NUMBERS) && !(whole && (g->rules & CC_JSON_WHOLE_FLOATS)))
        return n->to;
    g->floats = 1;
    return tag(g, n->from, n->to, (size_t)(n->to - n->from), CC_JSON_FLOAT);
}

/* Finds the parts of a number; 0 if it is none of JSON's. */
static int split_number(const cc_json *g, const char *p, literal *n) {
    n->from = p;
    n->point = n->exponent = n->power = NULL;
    n->digits = p += *p == '-';
    p = skip_digits(p, g->end);
    if (p == n->digits || (*n->digits == '0' && p - n->digits > 1)) return 0;
    if (p < g->end && *p == '.') {
        n->point = p;
        p = skip_digits(p + 1, g->end);
        if (p == n->point + 1) return 0;
    }
    if (p < g->end && (*p | 0x20) == 'e') {
        n->exponent = p++;
        if (p < g->end && (*p == '+' || *p == '-')) p++;
        n->power = p;
        p = skip_digits(p, g->end);
        if (p == n->power) return 0;
    }
    n->to = p;
    return is_delimiter(g, p);
}

static const char *read_number(cc_json *g, const char *p) {
    literal n;
    if (!split_number(g, p, &n)) return refuse(g, CC_JSON_NUMBER, p);
    if (n.point || n.exponent) return read_float(g, &n);
    return read_integer(g, n.from, n.digits, n.to);
}

/* --- The rest --- */

static const char *read_word(cc_json *g, const char *p) {
    const char *word = *p == 't' ? "true" : *p == 'f' ? "false" : "null";
    size_t n = strlen(word);
    if ((size_t)(g->end - p) < n || memcmp(p, word, n) != 0 || !is_delimiter(g, p + n))
        return refuse(g, CC_JSON_TOKEN, p);
    return p + n;
}

/* After the empty array or object that begins at p, if it is empty and must be tagged; else p + 1.
 */
static const char *read_open(cc_json *g, const char *p) {
    int list = *p == '[';
    if (g->path.depth == CC_JSON_MAX_DEPTH) return refuse(g, CC_JSON_DEPTH, p);
    if (g->rules & (unsigned)(list ? CC_JSON_LISTS : CC_JSON_MAPS)) {
        const char *q = p + 1;
        while (q < g->end && class_of(q) == SPACE) q++;
        if (q < g->end && *q == (list ? ']' : '}')) return tag(g, p, q + 1, 1, CC_JSON_TAGGED);
    }
    cc_json_path_open(&g->path);
    return p + 1;
}

/* p is at a quote. A colon is only ever taken here: a string that we wrote in place of a value must
 * not become a key. All other grammar is the library's. */
static const char *read_text(cc_json *g, const char *p) {
    const char *key = p + 1, *end = g->end;
    p = read_string(g, key);
    if (!p) return NULL;
    size_t len = (size_t)(p - key) - 1;
    while (p < end && class_of(p) == SPACE) p++;
    if (p == end || *p != ':') return p;
    cc_json_path_key(&g->path, key, len);
    return p + 1;
}

static void read_tokens(cc_json *g, const char *p) {
    while (p && p < g->end) {
        switch (class_of(p)) {
        case QUOTE:
            p = read_text(g, p);
            break;
        case COMMA:
            cc_json_path_comma(&g->path), p++;
            break;
        case SPACE:
            p++;
            break;
        case OPEN:
            p = read_open(g, p);
            break;
        case CLOSE:
            cc_json_path_close(&g->path), p++;
            break;
        case DIGIT:
            p = read_number(g, p);
            break;
        case WORD:
            p = read_word(g, p);
            break;
        case COLON:
            p = refuse(g, CC_JSON_COLON, p);
            break;
        default:
            p = refuse(g, CC_JSON_TOKEN, p);
        }
    }
}

void cc_json_init(cc_json *g, unsigned rules) {
    memset(g, 0, sizeof *g);
    g->rules = rules;
    cc_buf_init(&g->out, CC_JSON_MAX_TEXT);
}

void cc_json_free(cc_json *g) {
    cc_buf_free(&g->out);
    cc_buf_free(&g->path.ops);
}

cc_json_code cc_json_guard(cc_json *g, const char *text, size_t len) {
    cc_json_level levels[CC_JSON_MAX_DEPTH + 1];
    cc_json_path_init(&g->path, levels, len + 1024);
    g->skipped = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    g->text = g->copied = text + g->skipped;
    g->end = text + len;
    if (len > CC_JSON_MAX_TEXT) return CC_JSON_LARGE;
    read_tokens(g, g->text);
    g->path.levels = NULL;
    if (g->code == CC_JSON_OK && g->rewritten) catch_up(g, g->end, g->end);
    return g->code;
}

size_t cc_json_origin(unsigned rules, const char *text, size_t len, size_t at) {
    cc_json g;
    cc_json_init(&g, rules);
    g.wanted = at;
    (void)cc_json_guard(&g, text, len); /* it passed before */
    size_t origin = g.origin ? (size_t)(g.origin - text) : g.rewritten ? len : at + g.skipped;
    cc_json_free(&g);
    return origin < len ? origin : len;
}

const char *cc_json_reason(cc_json_code code) {
    switch (code) {
    case CC_JSON_OK:
        return "no error";
    case CC_JSON_TOKEN:
        return "unexpected character";
    case CC_JSON_NUMBER:
        return "malformed number";
    case CC_JSON_COLON:
        return "unexpected colon";
    case CC_JSON_STRING:
        return "unfinished string";
    case CC_JSON_DEPTH:
        return "nested deeper than 200 levels";
    case CC_JSON_TAGS:
        return "hostile sequence of bytes";
    case CC_JSON_LARGE:
        return "text longer than 1 GiB";
    case CC_JSON_NOMEM:
        return "not enough memory";
    }
    return "unknown error";
}
