#include "cc_lines.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "cc_secret.h"
#include "cc_text.h"

struct cc_lines {
    int owners;
    struct curl_slist *first;
};

/* ---- a list of one's own ---- */

bool cc_lines_append(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* libcurl writes an empty header as "Name;" */
bool cc_lines_append_header(struct curl_slist **list, const char *line) {
    if (!cc_lines_append(list, line)) return false;
    if (!cc_text_header_is_empty(line)) return true;
    struct curl_slist *last = *list;
    while (last->next) last = last->next;
    strcpy(strchr(last->data, ':'), ";");
    return true;
}

void cc_lines_free(struct curl_slist *list) {
    for (struct curl_slist *l = list; l; l = l->next) cc_wipe_text(l->data);
    curl_slist_free_all(list);
}

/* ---- in common ---- */

cc_lines *cc_lines_new(void) {
    cc_lines *l = calloc(1, sizeof *l);
    return cc_lines_share(l);
}

cc_lines *cc_lines_share(cc_lines *l) {
    if (l) l->owners++;
    return l;
}

void cc_lines_drop(cc_lines *l) {
    if (!l || --l->owners > 0) return;
    cc_lines_free(l->first);
    free(l);
}

struct curl_slist *cc_lines_first(const cc_lines *l) {
    return l ? l->first : NULL;
}

bool cc_lines_add(cc_lines *l, const char *line) {
    return cc_lines_append(&l->first, line);
}

bool cc_lines_add_header(cc_lines *l, const char *line) {
    return cc_lines_append_header(&l->first, line);
}
