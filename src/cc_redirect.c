/* From one round of a request to the next: whether, where to, with what, and on which handle. */
#include <string.h>

#include "cc_global.h"
#include "cc_request.h"
#include "cc_text.h"

static bool is_redirect(cc_request *r, const char **target) {
    long status = 0;
    *target = NULL;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(r->easy, CURLINFO_REDIRECT_URL, target);
    return status >= 300 && status < 400 && *target;
}

/* Only these say nothing about who asks. */
static bool may_travel(const char *line) {
    static const char *const names[] = {"accept",   "accept-encoding", "user-agent",   "range",
                                        "if-range", "expect",          "content-type", NULL};
    for (int i = 0; names[i]; i++) {
        if (cc_text_header_is(line, names[i])) return true;
    }
    return false;
}

static bool drop_credentials(cc_request *r) {
    struct curl_slist *kept = NULL;
    bool ok = true;
    for (struct curl_slist *h = r->headers; h && ok; h = h->next) {
        if (may_travel(h->data)) ok = cc_lines_append(&kept, h->data);
    }
    if (ok) ok = curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, kept) == CURLE_OK;
    cc_lines_free(cc_request_take_headers(r));
    r->headers = kept;
    r->sealed = false; /* all of them are its own */
    cc_request_forget_identity(r);
    return ok;
}

/* From https to http nobody is sent: what was private would not stay so. */
static bool may_go(cc_request *r, const char *target) {
    const char *here = "";
    curl_easy_getinfo(r->easy, CURLINFO_EFFECTIVE_URL, &here);
    if (r->sends || r->redirects >= CC_MAX_REDIRECTS) return false;
    if (cc_text_check_url(target, strlen(target)) != NULL) return false;
    return cc_text_is_https(target) || !cc_text_is_https(here);
}

bool cc_request_redirect(cc_request *r) {
    const char *target;
    if (!r->follow || !is_redirect(r, &target)) return false;
    if (!may_go(r, target)) {
        r->end = CC_END_REDIRECT;
        return false;
    }
    r->redirects++;
    if (curl_easy_setopt(r->easy, CURLOPT_URL, target) == CURLE_OK && drop_credentials(r))
        return true;
    r->end = CC_END_NOMEM;
    return false;
}

/* All options, nothing of the answer before. The share is not among the options. */
static CURL *copy_handle(const cc_request *r) {
    CURL *copy = curl_easy_duphandle(r->easy);
    if (!copy || !r->share) return copy;
    if (curl_easy_setopt(copy, CURLOPT_SHARE, r->share) == CURLE_OK) return copy;
    curl_easy_cleanup(copy);
    return NULL;
}

bool cc_request_renew(cc_request *r) {
    if (!cc_global_stale_headers()) return true;
    CURL *copy = copy_handle(r);
    if (!copy) return false;
    curl_easy_cleanup(r->easy);
    r->easy = copy;
    return true;
}
