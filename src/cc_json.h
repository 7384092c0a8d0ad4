/* Lexical guard around a JSON library (lua-cjson, or Neovim's vim.json).
 *
 * The library does the JSON; what it would lose is taken care of here, in the text alone. One pass
 * over an answer finds the tokens that would not survive (big integers, empty arrays, floats that
 * look like integers, lone surrogates, NUL bytes) and writes a copy in which they are strings.
 * Where such a string must become a value again it begins with a tag: bytes that are proven
 * absent from the text, so no string of the server can pass for one.
 *
 * A text that holds nothing of that kind is not copied at all. Nothing here knows Lua, raises,
 * prints or exits; every text, of any bytes, ends in a code. */
#ifndef CC_JSON_H
#define CC_JSON_H

#include <stddef.h>

#include "cc_buf.h"
#include "cc_json_path.h"

/* lua-cjson counts bytes in an int and ends the process when that overflows. */
#define CC_JSON_MAX_TEXT ((size_t)1 << 30)

/* First byte of every tag, and on the way out the whole tag. Never part of UTF-8. */
#define CC_JSON_TAG      0xFF
#define CC_JSON_TAG_MAX  5
#define CC_JSON_TAG_LIST '[' /* after the tag: an empty array; otherwise the digits of a number */
#define CC_JSON_TAG_MAP  '{' /* after the tag: an empty object */

/* What the library at hand, and this Lua, would lose. */
typedef enum cc_json_rule {
    /* [] and {} are tagged. */
    CC_JSON_LISTS = 1,
    CC_JSON_MAPS = 2,
    /* The Lua has 64 bit integers: up to there they are tagged, beyond they are quoted. */
    CC_JSON_INT64 = 4,
    /* As before, and the library reads them: they are left alone. */
    CC_JSON_INT64_NATIVE = 8,
    /* Integers come back as floats: their places are noted, and floats without a fraction (4.0,
     * 1e3) are tagged. */
    CC_JSON_WHOLE_FLOATS = 16,
    /* Every number is tagged: the locale has a decimal comma, and the library would read the [2,5]
     * of a text as [2.5]. */
    CC_JSON_ALL_NUMBERS = 32,
    /* Raw control bytes inside strings are escaped. */
    CC_JSON_CONTROLS = 64
} cc_json_rule;

typedef enum cc_json_code {
    CC_JSON_OK = 0,
    CC_JSON_TOKEN,  /* a byte that begins no JSON token, or a word that is not true, false, null */
    CC_JSON_NUMBER, /* not a JSON number: 01, 1., +1, 0x10, -Infinity */
    CC_JSON_COLON,  /* a colon after something that is not a string */
    CC_JSON_STRING, /* the text ends inside a string */
    CC_JSON_DEPTH,  /* deeper than CC_JSON_MAX_DEPTH */
    CC_JSON_TAGS,   /* the text holds every tag we know: made by hand, and refused */
    CC_JSON_LARGE,  /* longer than CC_JSON_MAX_TEXT */
    CC_JSON_NOMEM
} cc_json_code;

typedef struct cc_json {
    unsigned rules;
    const char *text; /* borrowed; from cc_json_guard on without its byte order mark */
    const char *end;
    cc_buf out;        /* the rewritten text, if any */
    int rewritten;     /* out is to be decoded, not text */
    int tagged;        /* some strings of out carry the tag */
    int floats;        /* some of those are floats */
    cc_json_path path; /* the way to them, and to the integers under CC_JSON_WHOLE_FLOATS */
    char tag[CC_JSON_TAG_MAX];
    size_t tag_len; /* 0: none chosen yet */
    size_t skipped; /* bytes of byte order mark in front */
    size_t fault;   /* offset in the caller's text where a refusal happened */
    /* private */
    const char *copied;   /* everything before this is in out */
    const char *replaced; /* where the last replacement begins */
    size_t wanted;        /* offset in the rewritten text that cc_json_origin asks about */
    const char *origin;   /* its answer */
    cc_json_code code;
} cc_json;

/* Makes g ready for one text. Allocates nothing. */
void cc_json_init(cc_json *g, unsigned rules);

/* Reads text once; afterwards g says whether g->out or g->text is to be decoded.
 * Other than CC_JSON_OK: g->fault is where, and the text must not reach the library. */
cc_json_code cc_json_guard(cc_json *g, const char *text, size_t len);

/* Frees g->out and the steps. May be called twice. */
void cc_json_free(cc_json *g);

/* Private to the guard. Sets g->tag: 0xFF alone if the text has none, which is nearly always;
 * otherwise five bytes that are nowhere in it. 0 (and g->code) if there are no such five. */
int cc_json_choose_tag(cc_json *g);

/* One line, static, for people. */
const char *cc_json_reason(cc_json_code code);

/* The offset in text of what stands at offset `at` of the rewritten text: for error messages. */
size_t cc_json_origin(unsigned rules, const char *text, size_t len, size_t at);

/* Room for any number that cc_json_double and cc_json_int64 write, with the final zero. */
#define CC_JSON_NUMBER_MAX 40

typedef enum cc_json_range {
    CC_JSON_FITS = 0,
    CC_JSON_NOT_FINITE,
    CC_JSON_NOT_EXACT
} cc_json_range;

/* Writes the shortest text that reads back as x, with a point whatever the locale says; whole
 * numbers without a fraction. NOT_EXACT: whole, and 2^53 or more, where digits would be invented.
 */
cc_json_range cc_json_double(double x, char out[CC_JSON_NUMBER_MAX]);

void cc_json_int64(long long n, char out[CC_JSON_NUMBER_MAX]);

/* 1 if the bytes are -?(0|[1-9][0-9]*). */
int cc_json_is_integer(const char *s, size_t n);

/* Offset of the first byte that is not UTF-8 (RFC 3629: no surrogates, nothing overlong); n if all
 * is. */
size_t cc_json_utf8(const char *s, size_t n);

/* Takes the quotes and the one-byte tag off every tagged string of an encoded text. out is
 * untouched when there is none (returns CC_JSON_OK with out->len 0): the text is right as it is. */
cc_json_code cc_json_untag(const char *text, size_t len, cc_buf *out);

#endif
