/* Lines of headers, and of addresses for hosts, as libcurl wants them.
 *
 * Those that many requests have in common are made once, never changed, and hang behind the lines
 * that a request has for itself. They are the caller's side's alone, as far as owners go. */
#ifndef CC_LINES_H
#define CC_LINES_H

#include <stdbool.h>

struct curl_slist;
typedef struct cc_lines cc_lines;

/* With one owner; NULL when memory is out. */
cc_lines *cc_lines_new(void);

/* One more owner. NULL is fine, here and below. */
cc_lines *cc_lines_share(cc_lines *l);

/* One less; the last one frees it. */
void cc_lines_drop(cc_lines *l);

struct curl_slist *cc_lines_first(const cc_lines *l);

/* To be used before it is shared. False when memory is out. */
bool cc_lines_add(cc_lines *l, const char *line);
bool cc_lines_add_header(cc_lines *l, const char *line);

/* The same for a list of one's own. */
bool cc_lines_append(struct curl_slist **list, const char *line);
bool cc_lines_append_header(struct curl_slist **list, const char *line);

/* Frees a list of one's own, of which one line may be secret. */
void cc_lines_free(struct curl_slist *list);

#endif
