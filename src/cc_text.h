/* Text that comes from outside: is it fit to be sent, and is it fit to be shown?
 * Pure functions without allocation, so that they can be fuzzed alone. */
#ifndef CC_TEXT_H
#define CC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL if the n bytes are an http or https URL that may be sent as it is;
 * else a static text that finishes the sentence "url must ...". */
const char *cc_text_check_url(const char *url, size_t n);

/* NULL if the n bytes are one header line "Name: value" without any line break;
 * else a static text that finishes the sentence "a header must ...". */
const char *cc_text_check_header(const char *line, size_t n);

/* Does the header line carry that name? (lower case, without the colon; libcurl's
 * "Name;" for an empty header counts too) */
bool cc_text_header_is(const char *line, const char *name);

/* Does the line have nothing but blanks after the colon? */
bool cc_text_header_is_empty(const char *line);

/* The value of "Content-Range: bytes FIRST-LAST/TOTAL" in a block of n bytes of header lines; total
 * is -1 for "*". False if there is none or it makes no sense. */
bool cc_text_content_range(const char *block, size_t n, int64_t *first, int64_t *last,
                           int64_t *total);

/* Is there a header of that name ("etag:") with exactly that value in the block? */
bool cc_text_has_header(const char *block, size_t n, const char *name, const char *value);

bool cc_text_is_https(const char *url);

/* Copies "host:port" of a URL, the port also where it is the scheme's own. Never user or password.
 */
void cc_text_host_port(char *out, size_t size, const char *url);

/* Copies text so that it may be shown to anybody: credentials before an "@", everything after a "?"
 * and everything after a "#" inside a word are cut, control characters become "?". */
void cc_text_scrub(char *out, size_t size, const char *text);

/* Does text hold the words, whatever the case? */
bool cc_text_has(const char *text, const char *words);

#endif
