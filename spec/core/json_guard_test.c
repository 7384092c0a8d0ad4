/* The guard alone: texts in, rewritten texts, steps and codes out. */
#include "cc_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static void check(int ok, int line, const char *format, ...) {
    va_list args;
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("line %d: ", line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}
#define CHECK(ok, ...) check((ok), __LINE__, __VA_ARGS__)

enum {
    PLAIN = CC_JSON_LISTS,                                        /* Lua 5.1, LuaJIT */
    INT64 = CC_JSON_LISTS | CC_JSON_INT64 | CC_JSON_WHOLE_FLOATS, /* Lua 5.3, 5.4 */
    NATIVE = CC_JSON_LISTS | CC_JSON_INT64_NATIVE,                /* the same, newer cjson */
    NEOVIM = CC_JSON_LISTS | CC_JSON_MAPS | CC_JSON_CONTROLS,
    COMMA_LOCALE = CC_JSON_LISTS | CC_JSON_ALL_NUMBERS
};

#define T "\xFF"

/* A copy of exactly len bytes, so that the sanitizer sees every byte read beyond them. */
static char *exact(const char *text, size_t len) {
    char *copy = malloc(len ? len : 1);
    if (!copy) abort();
    memcpy(copy, text, len);
    return copy;
}

typedef struct sample {
    int line;
    unsigned rules;
    const char *text;
    const char *expected; /* NULL: the text itself is decoded */
} sample;

#define S(rules, text, expected)                                                                   \
    { __LINE__, rules, text, expected }

static const sample REWRITTEN[] = {
    S(PLAIN, "", NULL),
    S(PLAIN, "{\"a\":1,\"b\":[1,2.5,-3e2,true,false,null]}", NULL),
    S(PLAIN, "[]", "\"" T "[\""),
    S(PLAIN, "[ \t\r\n]", "\"" T "[\""),
    S(PLAIN, "{}", NULL),
    S(NEOVIM, "{ }", "\"" T "{\""),
    S(PLAIN, "[[],{}]", "[\"" T "[\",{}]"),
    S(NEOVIM, "[[],{}]", "[\"" T "[\",\"" T "{\"]"),
    S(PLAIN, "[0,-1,999999999999999]", NULL),
    S(PLAIN, "[9007199254740992]", NULL),
    S(PLAIN, "[-9007199254740992]", NULL),
    S(PLAIN, "[9007199254740993]", "[\"9007199254740993\"]"),
    S(PLAIN, "[-9007199254740993]", "[\"-9007199254740993\"]"),
    S(INT64, "[9007199254740992]", NULL),
    S(INT64, "[9007199254740993]", "[\"" T "9007199254740993\"]"),
    S(INT64, "[9223372036854775807]", "[\"" T "9223372036854775807\"]"),
    S(INT64, "[9223372036854775808]", "[\"9223372036854775808\"]"),
    S(INT64, "[-9223372036854775808]", "[\"" T "-9223372036854775808\"]"),
    S(INT64, "[-9223372036854775809]", "[\"-9223372036854775809\"]"),
    S(INT64, "[99999999999999999999]", "[\"99999999999999999999\"]"),
    S(NATIVE, "[9223372036854775807,-9223372036854775808]", NULL),
    S(NATIVE, "[9223372036854775808]", "[\"9223372036854775808\"]"),
    S(PLAIN, "[-0]", "[0]"),
    S(PLAIN, "[-0.0,4.0,1e3]", NULL),
    S(NATIVE, "[-0.0,4.0,1e3]", NULL),
    S(INT64, "[4.0]", "[\"" T "4.0\"]"),
    S(INT64, "[-0.0]", "[\"" T "-0.0\"]"),
    S(INT64, "[1E3]", "[\"" T "1E3\"]"),
    S(INT64, "[15e-1]", "[\"" T "15e-1\"]"),
    S(INT64, "[0.5,4.25,48.8583701,-73.98513040000001,9.99,0.000000001]", NULL),
    S(INT64, "[9.9999999999999999]", "[\"" T "9.9999999999999999\"]"),
    S(INT64, "[1.00000000000000001]", "[\"" T "1.00000000000000001\"]"),
    S(INT64, "[123456789012345678.5]", "[\"" T "123456789012345678.5\"]"),
    S(PLAIN, "[1e99,1e-99]", NULL),
    S(PLAIN, "[1e400]", "[\"" T "1e400\"]"),
    S(PLAIN, "[1e-400]", "[\"" T "1e-400\"]"),
    S(COMMA_LOCALE, "[1.5,2,-0]", "[\"" T "1.5\",\"" T "2\",\"" T "-0\"]"),
    S(COMMA_LOCALE | NATIVE, "[9223372036854775807]", "[\"" T "9223372036854775807\"]"),
    S(COMMA_LOCALE, "[9007199254740993]", "[\"9007199254740993\"]"),
    S(PLAIN, "\"a\001\n\x7f\xff\"", NULL),
    S(NEOVIM, "\"a\001\n\"", "\"a\\u0001\\u000a\""),
    S(PLAIN, "\"\\ud83d\\ude00\\u00e9\\n\"", NULL),
    S(PLAIN, "\"\\ud83d\"", "\"\\uFFFD\""),
    S(PLAIN, "\"\\uDE00\"", "\"\\uFFFD\""),
    S(PLAIN, "\"\\ud83d\\u0041\"", "\"\\uFFFD\\u0041\""),
    S(PLAIN, "\"\\ud83d\\ud83d\\ude00\"", "\"\\uFFFD\\ud83d\\ude00\""),
    S(PLAIN, "\"\\ud83d\\\\ude00\"", "\"\\uFFFD\\\\ude00\""),
    S(PLAIN, "{\"\\udc00\":1}", "{\"\\uFFFD\":1}"),
    S(PLAIN, "\"\\uD8zz\\q\"", NULL), /* the library refuses it */
    S(PLAIN, "\"\\\"[]\\\\\"", NULL),
    S(PLAIN, "\"0123456789012345678901234567890123456789\\\"[]\"", NULL),
    S(PLAIN, "[\"" T "\",[]]", "[\"" T "\",\"" T "\xC0\xC0\xC0\xC0[\"]"),
    S(PLAIN, "[\"" T "\xC0\xC0\xC0\xC0\",[]]",
      "[\"" T "\xC0\xC0\xC0\xC0\",\"" T "\xC0\xC0\xC0\xC1[\"]"),
    S(PLAIN, "\xEF\xBB\xBF[1]", NULL),
    S(PLAIN, "\xEF\xBB\xBF[[]]", "[\"" T "[\"]"),
};

static void test_rewriting(void) {
    for (size_t i = 0; i < sizeof REWRITTEN / sizeof *REWRITTEN; i++) {
        const sample *s = &REWRITTEN[i];
        size_t len = strlen(s->text);
        char *text = exact(s->text, len);
        cc_json g;
        cc_json_init(&g, s->rules);
        cc_json_code code = cc_json_guard(&g, text, len);
        int same = s->expected ? g.rewritten && g.out.len == strlen(s->expected) &&
                                     !memcmp(g.out.data, s->expected, g.out.len)
                               : !g.rewritten;
        check(code == CC_JSON_OK && same, s->line, "%s: code %d, got %.*s", s->text, code,
              (int)g.out.len, g.out.data ? g.out.data : "");
        cc_json_free(&g);
        cc_json_free(&g);
        free(text);
    }
}

typedef struct refusal {
    int line;
    const char *text;
    cc_json_code code;
    size_t fault;
} refusal;

#define R(text, code, fault)                                                                       \
    { __LINE__, text, code, fault }

static const refusal REFUSED[] = {
    R("<html>", CC_JSON_TOKEN, 0),        R("[1] // x", CC_JSON_TOKEN, 4),
    R("[tru]", CC_JSON_TOKEN, 1),         R("[truex]", CC_JSON_TOKEN, 1),
    R("[nul", CC_JSON_TOKEN, 1),          R("NaN", CC_JSON_TOKEN, 0),
    R("Infinity", CC_JSON_TOKEN, 0),      R("nan", CC_JSON_TOKEN, 0),
    R("[-Infinity]", CC_JSON_NUMBER, 1),  R("[01]", CC_JSON_NUMBER, 1),
    R("[-]", CC_JSON_NUMBER, 1),          R("[1.]", CC_JSON_NUMBER, 1),
    R("[.5]", CC_JSON_TOKEN, 1),          R("[+1]", CC_JSON_TOKEN, 1),
    R("[1e]", CC_JSON_NUMBER, 1),         R("[1e+]", CC_JSON_NUMBER, 1),
    R("[1e", CC_JSON_NUMBER, 1),          R("[0x10]", CC_JSON_NUMBER, 1),
    R("[1.5.5]", CC_JSON_NUMBER, 1),      R("[1-2]", CC_JSON_NUMBER, 1),
    R("[1\"\"]", CC_JSON_NUMBER, 1),      R("1[]", CC_JSON_NUMBER, 0),
    R("\"abc", CC_JSON_STRING, 4),        R("\"abc\\", CC_JSON_STRING, 5),
    R("\"abc\\\"", CC_JSON_STRING, 6),    R("\"\\ud83d", CC_JSON_STRING, 7),
    R("\"\\u12", CC_JSON_STRING, 5),      R("\"", CC_JSON_STRING, 1),
    R("{[]:1}", CC_JSON_COLON, 3),        R("{12345678901234567890:1}", CC_JSON_NUMBER, 1),
    R("{4.0 :1}", CC_JSON_COLON, 5),      R(":", CC_JSON_COLON, 0),
    R("{\"a\"::1}", CC_JSON_COLON, 5),    R("{\"a\",:1}", CC_JSON_COLON, 5),
    R("\xEF\xBB\xBFx", CC_JSON_TOKEN, 3), R("\xEF\xBB", CC_JSON_TOKEN, 0),
};

static void test_refusals(void) {
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        const refusal *r = &REFUSED[i];
        size_t len = strlen(r->text);
        char *text = exact(r->text, len);
        cc_json g;
        cc_json_init(&g, INT64);
        cc_json_code code = cc_json_guard(&g, text, len);
        check(code == r->code && g.fault == r->fault, r->line, "%s: code %d at %zu", r->text, code,
              g.fault);
        check(*cc_json_reason(code) != 0, r->line, "no reason for %d", code);
        cc_json_free(&g);
        free(text);
    }
}

static void test_nul_bytes(void) {
    cc_json g;
    cc_json_init(&g, PLAIN);
    CHECK(cc_json_guard(&g, "\"a\0b\"", 5) == CC_JSON_OK, "NUL in a string");
    CHECK(g.out.len == 10 && !memcmp(g.out.data, "\"a\\u0000b\"", 10), "NUL is escaped");
    cc_json_free(&g);
    cc_json_init(&g, PLAIN);
    CHECK(cc_json_guard(&g, "[1]\0x", 5) == CC_JSON_TOKEN && g.fault == 3, "NUL ends nothing");
    cc_json_free(&g);
}

static cc_json_code guard_nested(size_t depth, const char *inside) {
    char text[1024];
    cc_json g;
    memset(text, '[', depth);
    strcpy(text + depth, inside);
    size_t len = strlen(text);
    memset(text + len, ']', depth);
    cc_json_init(&g, INT64);
    cc_json_code code = cc_json_guard(&g, text, len + depth);
    cc_json_free(&g);
    return code;
}

static void test_depth(void) {
    CHECK(guard_nested(CC_JSON_MAX_DEPTH, "1") == CC_JSON_OK, "the deepest that is allowed");
    CHECK(guard_nested(CC_JSON_MAX_DEPTH + 1, "1") == CC_JSON_DEPTH, "one level too deep");
    CHECK(guard_nested(CC_JSON_MAX_DEPTH, "{}") == CC_JSON_DEPTH, "an empty one counts");
    CHECK(guard_nested(CC_JSON_MAX_DEPTH, "[]") == CC_JSON_DEPTH, "an empty tagged one counts");
    cc_json g;
    cc_json_init(&g, INT64);
    CHECK(cc_json_guard(&g, "]]]]}}[1,[2", 11) == CC_JSON_OK, "too many ends are the library's");
    cc_json_free(&g);
}

/* Writes the steps as text: > into, < out, i integers, t tagged, f float, with key or index. */
static void write_steps(const cc_json *g, char *out, size_t size) {
    const cc_json_op *op = (const cc_json_op *)(const void *)g->path.ops.data;
    size_t n = g->path.ops.len / sizeof *op, at = 0;
    *out = 0;
    if (g->path.all) snprintf(out, size, "all");
    for (size_t i = 0; i < n && at < size; i++, op++) {
        char step = "><itf"[op->step];
        if (step == '<')
            at += (size_t)snprintf(out + at, size - at, "<");
        else if (op->key)
            at += (size_t)snprintf(out + at, size - at, "%c%.*s ", step, (int)op->at, op->key);
        else
            at += (size_t)snprintf(out + at, size - at, "%c%u+%u ", step, op->at, op->count);
    }
}

static const sample STEPS[] = {
    S(INT64, "7", "all"),
    S(PLAIN, "7", ""),
    S(PLAIN, "[]", "all"),
    S(PLAIN, "[1,2]", ""),
    S(INT64, "[1,2,3,\"x\",4]", "i1+3 i5+1 "),
    S(INT64, "[0.5,[1],2]", ">2+1 i1+1 <i3+1 "),
    S(INT64, "{\"a\":1,\"b\":\"1\",\"c\":{\"d\":[{\"e\":2}]}}", "ia >c >d >1+1 ie <<<"),
    S(INT64, "[{\"x\":{\"y\":\"1\"}},{\"x\":{\"y\":4.0}}]", ">2+1 >x fy <<"),
    S(PLAIN, "{\"a\":[{\"b\":[]},{\"b\":[]}]}", ">a >1+1 tb <>2+1 tb <<"),
    S(INT64, "{\"a\\n\":{\"b\":1}}", "all"),
    S(INT64, "{\"a\\n\":{\"b\":\"\"},\"c\":1}", "ic "),
    S(INT64, "{ \"a\" : 9007199254740993 , \"a\" : 1 }", "ta ia "),
};

static void test_steps(void) {
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        const sample *s = &STEPS[i];
        char got[256];
        cc_json g;
        cc_json_init(&g, s->rules);
        cc_json_code code = cc_json_guard(&g, s->text, strlen(s->text));
        write_steps(&g, got, sizeof got);
        check(code == CC_JSON_OK && !strcmp(got, s->expected), s->line, "%s: %s", s->text, got);
        cc_json_free(&g);
    }
}

/* Steps may not cost more than the text: then all values are looked at. */
static void test_steps_are_bounded(void) {
    size_t n = 20000;
    char *text = malloc(n);
    cc_json g;
    if (!text) abort();
    for (size_t i = 0; i < n; i += 5) memcpy(text + i, "\"\",1,", 5);
    text[0] = '[', text[1] = '1';
    memcpy(text + n - 2, "1]", 2);
    memcpy(text + n - 5, "\"\",", 3);
    cc_json_init(&g, INT64);
    cc_json_code code = cc_json_guard(&g, text, n);
    CHECK(code == CC_JSON_OK && g.path.all && g.path.ops.len == 0, "code %d", code);
    cc_json_free(&g);
    free(text);
}

static void test_origin(void) {
    CHECK(cc_json_origin(PLAIN, "[1,2", 4, 3) == 3, "nothing was rewritten");
    CHECK(cc_json_origin(PLAIN, "[1,2", 4, 9) == 4, "the end");
    const char *text = "\xEF\xBB\xBF[[],\"\\ud83d\",12345678901234567890,1";
    size_t len = strlen(text);
    /*              out: ["T[","\uFFFD","12345678901234567890",1 */
    CHECK(cc_json_origin(PLAIN, text, len, 0) == 3, "the byte order mark counts");
    CHECK(cc_json_origin(PLAIN, text, len, 1) == 4, "begin of a replacement");
    CHECK(cc_json_origin(PLAIN, text, len, 3) == 4, "inside of it");
    CHECK(cc_json_origin(PLAIN, text, len, 5) == 6, "after it");
    CHECK(cc_json_origin(PLAIN, text, len, 6) == 7, "an opening quote");
    CHECK(cc_json_origin(PLAIN, text, len, 15) == 16, "the integer");
    CHECK(cc_json_origin(PLAIN, text, len, 38) == 37, "the last byte");
    CHECK(cc_json_origin(PLAIN, text, len, 39) == len, "beyond");
}

/* Every tag of the second kind is in the text: it is refused, not decoded wrongly. */
static void test_all_tags_taken(void) {
    static const unsigned char LETTERS[] = "\xC0\xC1\xF5\xF6\xF7\xF8\xF9\xFA\xFB\xFC\xFD\xFE\xFF";
    size_t n = 0, max = 13 * 13 * 13 * 13 * 5 + 16;
    char *text = malloc(max);
    cc_json g;
    if (!text) abort();
    memcpy(text, "[\"", 2), n = 2;
    for (int i = 0; i < 13 * 13 * 13 * 13; i++) {
        text[n++] = (char)0xFF;
        for (int k = 0, rest = i; k < 4; k++, rest /= 13) text[n++] = (char)LETTERS[rest % 13];
    }
    memcpy(text + n, "\",[]]", 5);
    cc_json_init(&g, PLAIN);
    CHECK(cc_json_guard(&g, text, n + 5) == CC_JSON_TAGS, "a text with every tag");
    cc_json_free(&g);
    text[4] = 'x'; /* one of them is free again */
    cc_json_init(&g, PLAIN);
    CHECK(cc_json_guard(&g, text, n + 5) == CC_JSON_OK, "a text with all tags but one");
    cc_json_free(&g);
    free(text);
}

static void check_double(int line, double x, cc_json_range range, const char *expected) {
    char out[CC_JSON_NUMBER_MAX] = "";
    cc_json_range got = cc_json_double(x, out);
    check(got == range && (range || !strcmp(out, expected)), line, "%.17g: %d %s", x, got, out);
}
#define DOUBLE(x, range, text) check_double(__LINE__, x, range, text)

static void test_numbers(void) {
    double zero = 0, huge = 1e308;
    DOUBLE(5.0, CC_JSON_FITS, "5");
    DOUBLE(-0.0, CC_JSON_FITS, "-0.0");
    DOUBLE(0.1, CC_JSON_FITS, "0.1");
    DOUBLE(1.0 / 3, CC_JSON_FITS, "0.3333333333333333");
    DOUBLE(0.1 + 0.2, CC_JSON_FITS, "0.30000000000000004");
    DOUBLE(5e-324, CC_JSON_FITS, "4.94065645841247e-324");
    DOUBLE(9007199254740991.0, CC_JSON_FITS, "9007199254740991");
    DOUBLE(-9007199254740991.0, CC_JSON_FITS, "-9007199254740991");
    DOUBLE(9007199254740992.0, CC_JSON_NOT_EXACT, "");
    DOUBLE(-1e300, CC_JSON_NOT_EXACT, "");
    DOUBLE(huge * 10, CC_JSON_NOT_FINITE, "");
    DOUBLE(zero / zero, CC_JSON_NOT_FINITE, "");
    CHECK(cc_json_is_integer("0", 1) && cc_json_is_integer("-12", 3), "integers");
    CHECK(!cc_json_is_integer("", 0) && !cc_json_is_integer("-", 1), "no digits");
    CHECK(!cc_json_is_integer("01", 2) && !cc_json_is_integer("1.0", 3), "no integers");
}

static void test_utf8(void) {
    static const struct {
        const char *text;
        size_t good;
    } CASES[] = {
        {"", 0},
        {"plain ascii, longer than eight", 30},
        {"caf\xC3\xA9", 5},
        {"\xE2\x82\xAC", 3},
        {"\xF0\x9F\x98\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
        {"\xF4\x90\x80\x80", 0},
        {"\x80", 0},
        {"a\xC0\x80", 1},
        {"ab\xE0\x80\x80", 2},
        {"\xED\xA0\x80", 0},
        {"\xED\x9F\xBF", 3},
        {"\xF0\x80\x80\x80", 0},
        {"12345678\xFF", 8},
        {"1234567\xC3", 7},
        {"\xE2\x82", 0},
        {"\xE2\x82\x41", 0},
        {"\xF5\x80\x80\x80", 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t n = strlen(CASES[i].text);
        char *text = exact(CASES[i].text, n);
        CHECK(cc_json_utf8(text, n) == CASES[i].good, "case %zu", i);
        free(text);
    }
}

static void check_untag(int line, const char *text, cc_json_code code, const char *expected) {
    cc_buf out;
    cc_buf_init(&out, 1000);
    cc_json_code got = cc_json_untag(text, strlen(text), &out);
    int same = out.len == strlen(expected) && (!out.len || !memcmp(out.data, expected, out.len));
    check(got == code && (code || same), line, "%s: %d %.*s", text, got, (int)out.len,
          out.data ? out.data : "");
    cc_buf_free(&out);
}

static void test_untag(void) {
    check_untag(__LINE__, "[1,\"x\"]", CC_JSON_OK, "");
    check_untag(__LINE__, "\"" T "[]\"", CC_JSON_OK, "[]");
    check_untag(__LINE__, "[\"" T "0.5\",\"x\",{\"a\":\"" T "{}\"}]", CC_JSON_OK,
                "[0.5,\"x\",{\"a\":{}}]");
    check_untag(__LINE__, "\"" T "12", CC_JSON_TAGS, "");
    check_untag(__LINE__, T "12\"", CC_JSON_TAGS, "");
    check_untag(__LINE__, "\"" T "1\"" T "2\"", CC_JSON_TAGS, "");
    check_untag(__LINE__, "[" T "12\"]", CC_JSON_TAGS, "");
}

/* Every prefix of a text with everything in it, and every byte of it changed to some others. */
static void test_mutations(void) {
    static const char TEXT[] =
        "\xEF\xBB\xBF{\"a\":[1,-2.5e10,4.0,[],{}],\"b\\n\":{\"\\ud83d\\ude00\":"
        "\"\\udc00 long enough for a vector\"},\"c\":[true,false,null,"
        "123456789012345678901234567890,9007199254740993]} ";
    static const char BYTES[] = "\"\\[]{}:,0-.eutn \xFF\x01";
    static const unsigned RULES[] = {PLAIN, INT64, NATIVE, NEOVIM, COMMA_LOCALE};
    size_t len = sizeof TEXT - 1, runs = 0;
    for (size_t i = 0; i <= len; i++) {
        for (size_t b = 0; b < sizeof BYTES; b++, runs++) {
            char *text = exact(TEXT, b ? len : i);
            cc_json g;
            cc_json_init(&g, RULES[(i + b) % 5]);
            if (b && i < len) text[i] = BYTES[b - 1];
            cc_json_code code = cc_json_guard(&g, text, b ? len : i);
            if (code != CC_JSON_OK && g.fault > len) CHECK(0, "fault %zu of %zu", g.fault, len);
            cc_json_free(&g);
            free(text);
        }
    }
    CHECK(runs > 3000, "only %zu mutations", runs);
}

int main(void) {
    test_rewriting();
    test_refusals();
    test_nul_bytes();
    test_depth();
    test_steps();
    test_steps_are_bounded();
    test_origin();
    test_all_tags_taken();
    test_numbers();
    test_utf8();
    test_untag();
    test_mutations();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
