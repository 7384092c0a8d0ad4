/* The JSON guard: any bytes under any rules end in a code, what it rewrites passes it again, its
 * tag is nowhere in the text, its steps and offsets stay inside; and the small functions of the way
 * out.
 *
 * Input: rules, which function, the text. */
#include "cc_json.h"

#include <math.h>

#include "fuzz.h"

enum { ALL_RULES = 127 };

/* ---- decoding ---- */

static void check_steps(const cc_json *g) {
    const cc_json_op *ops = (const cc_json_op *)(const void *)g->path.ops.data;
    size_t n = g->path.ops.len / sizeof *ops;
    REQUIRE(g->path.ops.len % sizeof *ops == 0);
    for (size_t i = 0; i < n; i++) {
        if (!ops[i].key) continue;
        REQUIRE(ops[i].key >= g->text && ops[i].key + ops[i].at <= g->end);
    }
}

static void check_tag(const cc_json *g) {
    size_t n = (size_t)(g->end - g->text);
    if (!g->tagged) return;
    REQUIRE(g->rewritten && (g->tag_len == 1 || g->tag_len == CC_JSON_TAG_MAX));
    REQUIRE(!memmem(g->text, n, g->tag, g->tag_len));
    REQUIRE(memmem(g->out.data, g->out.len, g->tag, g->tag_len));
}

/* Strings that stand for numbers, escapes: nothing that would have to be replaced once more. */
static void check_rewritten(const cc_json *g, unsigned rules) {
    cc_json again;
    char *copy = fuzz_copy(g->out.data, g->out.len, 0);
    cc_json_init(&again, rules & ~(unsigned)CC_JSON_WHOLE_FLOATS);
    REQUIRE(cc_json_guard(&again, copy, g->out.len) == CC_JSON_OK);
    REQUIRE(!again.rewritten && !again.tagged);
    cc_json_free(&again);
    free(copy);
}

static void check_origin(const cc_json *g, unsigned rules, const char *text, size_t n) {
    size_t out = g->rewritten ? g->out.len : n, last = 0;
    for (size_t at = 0; at <= out; at += 1 + out / 8) {
        size_t origin = cc_json_origin(rules, text, n, at);
        REQUIRE(origin <= n && origin >= last);
        last = origin;
    }
}

static void guard(unsigned rules, const char *bytes, size_t n) {
    cc_json g;
    char *text = fuzz_copy(bytes, n, 0);
    cc_json_init(&g, rules);
    cc_json_code code = cc_json_guard(&g, text, n);
    REQUIRE(code == g.code && strcmp(cc_json_reason(code), "unknown error") != 0);
    REQUIRE(g.fault <= n && g.path.depth <= CC_JSON_MAX_DEPTH);
    check_steps(&g);
    if (code == CC_JSON_OK) {
        REQUIRE(g.out.len <= 8 * n + 8);
        check_tag(&g);
        if (g.rewritten) check_rewritten(&g, rules);
        check_origin(&g, rules, text, n);
    } else {
        REQUIRE(code <= CC_JSON_TAGS);
    }
    cc_json_free(&g);
    cc_json_free(&g);
    free(text);
}

/* ---- encoding ---- */

static void untag(const char *bytes, size_t n) {
    cc_buf out;
    char *text = fuzz_copy(bytes, n, 0);
    cc_buf_init(&out, CC_JSON_MAX_TEXT);
    cc_json_code code = cc_json_untag(text, n, &out);
    REQUIRE(code == CC_JSON_OK || code == CC_JSON_TAGS);
    REQUIRE(out.len <= n);
    if (code == CC_JSON_OK && !memchr(text, CC_JSON_TAG, n)) REQUIRE(out.len == 0);
    cc_buf_free(&out);
    free(text);
}

/* By the definition, one code point at a time. */
static size_t plain_utf8(const unsigned char *s, size_t n) {
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t i = 0;
    while (i < n) {
        size_t length = s[i] < 0x80 ? 1 : s[i] < 0xC0 ? 0 : s[i] < 0xE0 ? 2 : s[i] < 0xF0 ? 3 : 4;
        if (length == 0 || s[i] >= 0xF8 || length > n - i) return i;
        unsigned point = length == 1 ? s[i] : s[i] & (0x7Fu >> length);
        for (size_t k = 1; k < length; k++) {
            if ((s[i + k] & 0xC0) != 0x80) return i;
            point = point << 6 | (s[i + k] & 0x3F);
        }
        if (point < least[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            return i;
        i += length;
    }
    return n;
}

static void utf8(const char *bytes, size_t n) {
    char *text = fuzz_copy(bytes, n, 0);
    REQUIRE(cc_json_utf8(text, n) == plain_utf8((const unsigned char *)text, n));
    free(text);
}

static void require_number(const char *text) {
    cc_json g;
    size_t n = strlen(text);
    REQUIRE(n > 0 && n < CC_JSON_NUMBER_MAX);
    cc_json_init(&g, 0);
    REQUIRE(cc_json_guard(&g, text, n) == CC_JSON_OK);
    cc_json_free(&g);
}

static void numbers(const char *bytes, size_t n) {
    char out[CC_JSON_NUMBER_MAX];
    double x = 0;
    long long i = 0;
    char *text = fuzz_copy(bytes, n, 0);
    memcpy(&x, bytes, n < sizeof x ? n : sizeof x);
    memcpy(&i, bytes, n < sizeof i ? n : sizeof i);
    cc_json_range range = cc_json_double(x, out);
    REQUIRE((range == CC_JSON_NOT_FINITE) == !isfinite(x));
    REQUIRE((range == CC_JSON_NOT_EXACT) == (isfinite(x) && fabs(x) >= 9007199254740992.0));
    if (range == CC_JSON_FITS) {
        require_number(out);
        REQUIRE(strtod(out, NULL) == x && !!signbit(strtod(out, NULL)) == !!signbit(x));
    }
    cc_json_int64(i, out);
    require_number(out);
    REQUIRE(strtoll(out, NULL, 10) == i && cc_json_is_integer(out, strlen(out)));
    (void)cc_json_is_integer(text, n);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, data + size};
    unsigned rules = fuzz_byte(&in) & ALL_RULES;
    unsigned what = fuzz_byte(&in) % 8;
    const char *text = (const char *)in.at;
    size_t n = fuzz_left(&in);
    if (what == 1)
        untag(text, n);
    else if (what == 2)
        utf8(text, n);
    else if (what == 3)
        numbers(text, n);
    else
        guard(rules, text, n);
    return 0;
}
