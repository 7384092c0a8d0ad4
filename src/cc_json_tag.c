/* Bytes that a text does not have. */
#include "cc_json.h"

#include <string.h>

/* Bytes that UTF-8 never uses. No escape sequence decodes to them, so they are in a decoded string
 * exactly where they are in the text. */
static const unsigned char ALPHABET[] = {0xC0, 0xC1, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9,
                                         0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF};
enum { LETTERS = sizeof ALPHABET, TAIL = CC_JSON_TAG_MAX - 1 };
enum { TAGS = LETTERS * LETTERS * LETTERS * LETTERS };

static int letter(unsigned char byte) {
    const unsigned char *at = memchr(ALPHABET, byte, LETTERS);
    return at ? (int)(at - ALPHABET) : -1;
}

/* Which tag begins after the 0xFF before p; -1 if none. */
static long tag_number(const char *p, const char *end) {
    long number = 0;
    if (end - p < TAIL) return -1;
    for (int i = 0; i < TAIL; i++) {
        int l = letter((unsigned char)p[i]);
        if (l < 0) return -1;
        number = number * LETTERS + l;
    }
    return number;
}

static void note_tags(const cc_json *g, unsigned char used[TAGS / 8 + 1]) {
    const char *p = g->text;
    while (p < g->end && (p = memchr(p, CC_JSON_TAG, (size_t)(g->end - p)))) {
        long number = tag_number(++p, g->end);
        if (number >= 0) used[number / 8] |= (unsigned char)(1u << (number % 8));
    }
}

static void set_tag(cc_json *g, long number) {
    for (int i = TAIL; i > 0; i--, number /= LETTERS) g->tag[i] = (char)ALPHABET[number % LETTERS];
    g->tag_len = CC_JSON_TAG_MAX;
}

int cc_json_choose_tag(cc_json *g) {
    unsigned char used[TAGS / 8 + 1] = {0};
    g->tag[0] = (char)CC_JSON_TAG;
    g->tag_len = 1;
    if (!memchr(g->text, CC_JSON_TAG, (size_t)(g->end - g->text))) return 1;
    note_tags(g, used);
    for (long number = 0; number < TAGS; number++) {
        if (used[number / 8] & (1u << (number % 8))) continue;
        set_tag(g, number);
        return 1;
    }
    g->code = CC_JSON_TAGS;
    return 0;
}
