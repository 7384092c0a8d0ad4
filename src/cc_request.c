#include "cc_request.h"

#include <stdlib.h>
#include <string.h>

#include "cc_callback.h"
#include "cc_global.h"
#include "cc_message.h"
#include "cc_options.h"
#include "cc_poll.h"
#include "cc_text.h"

#define EXPLANATION_MAX (64u << 10)  /* what is kept of an answer that is not the file */
#define KEEP_CAPACITY   (256u << 10) /* buffers above it are not kept for the next request */
#define NUDGE           250000       /* microseconds; see cc_request_nudge */

const char *const cc_request_methods[] = {"GET",   "HEAD",   "POST",    "PUT",
                                          "PATCH", "DELETE", "OPTIONS", NULL};

/* ---- life ---- */

static void drop_handle(cc_request *r) {
    if (r->easy) curl_easy_cleanup(r->easy);
    r->easy = NULL;
    r->past = CC_NEW;
}

static bool make_handle(cc_request *r) {
    if (r->easy) return true;
    r->easy = curl_easy_init();
    if (r->easy && cc_options_constant(r) == CURLE_OK) return true;
    drop_handle(r);
    return false;
}

cc_request *cc_request_new(CURLSH *share, cc_poll *poll) {
    cc_request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    cc_sink_init(&r->sink);
    r->share = share;
    r->poll = poll;
    if (make_handle(r)) return r;
    cc_request_free(r);
    return NULL;
}

void cc_request_equip(cc_request *r) {
    make_handle(r);
}

static int64_t microseconds(double seconds) {
    if (seconds > 1e9 || seconds <= 0) return 0; /* thirty years are no limit */
    int64_t us = (int64_t)(seconds * 1e6 + 0.5);
    return us > 0 ? us : 1; /* little is not none */
}

static void set_limits(cc_request *r, const cc_spec *s) {
    r->max_headers = s->max_headers;
    r->answer_headers.max = s->max_headers; /* both may hold memory of the request before */
    r->answer_body.max = s->file ? EXPLANATION_MAX : s->max_body;
    r->max_body = s->max_body;
    r->connect_timeout = s->connect_timeout;
    r->idle_timeout = s->idle_timeout;
    r->timeout = s->timeout;
    r->follow = s->follow;
    r->once = s->once;
    r->apart = s->apart;
    r->meter = cc_meter_share(s->meter);
    r->common_headers = cc_lines_share(s->headers);
    r->common_addresses = cc_lines_share(s->addresses);
}

/* These say "Content-Length: 0" when they carry nothing. */
static bool may_carry_body(const char *method) {
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static bool copy_body(cc_request *r, const cc_spec *s) {
    r->body_len = s->body ? s->body_len : 0;
    r->sends = s->body || may_carry_body(s->method);
    if (!s->body) return true;
    r->body = malloc(r->body_len + 1); /* so that an empty body is a body too */
    if (r->body) memcpy(r->body, s->body, r->body_len);
    return r->body != NULL;
}

static bool open_sink(cc_request *r, const cc_spec *s) {
    int64_t max = s->max_body < (uint64_t)INT64_MAX ? (int64_t)s->max_body : INT64_MAX;
    return !s->file || cc_sink_open(&r->sink, s->file, s->offset, max);
}

static bool add_secret(cc_request *r, const cc_spec *s) {
    if (s->auth == CC_AUTH_NONE || s->auth == CC_AUTH_QUERY) return true;
    char *line = cc_secret_header(&s->secret, s->auth);
    bool ok = line && cc_lines_append(&r->headers, line);
    cc_wipe_text(line);
    free(line);
    return ok;
}

cc_code cc_request_prepare(cc_request *r, const cc_spec *s, const char *bundle) {
    set_limits(r, s);
    if (!make_handle(r) || !copy_body(r, s) || !add_secret(r, s)) return CC_NOMEM;
    if (!open_sink(r, s)) return CC_NO_FD;
    CURLcode rc = cc_options_set(r, s, bundle);
    r->past = CC_SET;
    switch (rc) {
    case CURLE_OK:
        return CC_OK;
    case CURLE_OUT_OF_MEMORY:
        return CC_NOMEM;
    default:
        return CC_REFUSED;
    }
}

bool cc_request_add_address(cc_request *r, const char *line) {
    return cc_lines_append(&r->connect_to, line);
}

bool cc_request_add_header(cc_request *r, const char *line) {
    return cc_lines_append_header(&r->headers, line);
}

static bool has(const struct curl_slist *h, const char *name) {
    while (h && !cc_text_header_is(h->data, name)) h = h->next;
    return h != NULL;
}

/* Adds a line unless there is one of that name. */
static bool default_to(cc_request *r, const char *name, const char *line) {
    return has(r->headers, name) || has(cc_lines_first(r->common_headers), name) ||
           cc_lines_append(&r->headers, line);
}

/* Headers that libcurl would add on its own to a request with a body. */
static bool refuse_defaults(cc_request *r) {
    return default_to(r, "expect", "Expect:") && default_to(r, "content-type", "Content-Type:");
}

/* A file as it is, everything else in any coding. */
static bool offer_encodings(cc_request *r) {
    const char *line = r->sink.fd >= 0 ? "Accept-Encoding: identity" : cc_global_encodings();
    return !line || default_to(r, "accept-encoding", line);
}

static void append_common(cc_request *r) {
    struct curl_slist *common = cc_lines_first(r->common_headers);
    r->last = r->headers;
    while (r->last && r->last->next) r->last = r->last->next;
    if (r->last)
        r->last->next = common;
    else
        r->headers = common;
    r->sealed = true;
}

struct curl_slist *cc_request_take_headers(cc_request *r) {
    struct curl_slist *own = r->last || !r->sealed ? r->headers : NULL;
    if (r->last) r->last->next = NULL;
    r->headers = r->last = NULL;
    return own;
}

static bool set_lines(cc_request *r) {
    struct curl_slist *to = r->connect_to ? r->connect_to : cc_lines_first(r->common_addresses);
    append_common(r);
    return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK &&
           curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, to) == CURLE_OK;
}

bool cc_request_seal(cc_request *r, int64_t now) {
    int64_t total = microseconds(r->timeout);
    if (r->sends && !refuse_defaults(r)) return false;
    if (!offer_encodings(r)) return false;
    r->started = now;
    r->deadline = total ? now + total : CC_NEVER;
    r->idle_limit = microseconds(r->idle_timeout);
    r->moved = cc_global_guards() ? 0 : now;
    r->view.bytes = r->sink.offset;
    r->view.total = -1;
    r->counted = true;
    cc_meter_begin(r->meter);
    return set_lines(r);
}

/* ---- limits in time ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t cc_request_due(const cc_request *r, int64_t now) {
    int64_t due = r->may_stall ? earlier(r->deadline, now + NUDGE) : r->deadline;
    if (!r->idle_limit) return due;
    return earlier(due, (r->moved ? r->moved : now) + r->idle_limit);
}

void cc_request_nudge(cc_request *r, int64_t now) {
    bool answered = r->header_bytes > 0 && !r->block_open;
    if (!r->may_stall || !answered || now < r->moved + NUDGE) return;
    curl_easy_pause(r->easy, CURLPAUSE_RECV); /* going on is what makes it read */
    curl_easy_pause(r->easy, CURLPAUSE_CONT);
}

/* Connecting and queueing have limits of their own: the clock runs from the first try to send. */
static bool is_idle(const cc_request *r, int64_t now) {
    return r->idle_limit && r->moved && now >= r->moved + r->idle_limit;
}

cc_end cc_request_expired(const cc_request *r, int64_t now) {
    if (now >= r->deadline) return CC_END_TOTAL;
    return is_idle(r, now) ? CC_END_IDLE : CC_END_CURL;
}

/* ---- how far it is ---- */

bool cc_request_unsent(const cc_request *r) {
    return cc_global_guards() && r->tries == 0;
}

static int64_t expected(const cc_request *r) {
    curl_off_t length = -1;
    if (!r->sized) return -1;
    if (r->ended) return r->failure.kind == CC_KIND_NONE ? (int64_t)r->answer_body.len : -1;
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length;
}

void cc_request_progress(const cc_request *r, cc_progress *p) {
    const cc_sink *s = &r->sink;
    if (s->begun)
        *p = (cc_progress){s->at, s->total, &r->answer_headers};
    else if (s->max > 0) /* a file, of which nothing more has come */
        *p = (cc_progress){s->offset, -1, NULL};
    else
        *p = (cc_progress){(int64_t)r->answer_body.len, expected(r), NULL};
}

void cc_request_show(cc_request *r) {
    cc_progress p;
    cc_request_progress(r, &p);
    r->view.asked = false;
    r->view.bytes = p.bytes;
    r->view.total = p.total;
    if (!p.headers || r->view.headers.len > 0) return;
    r->view.headers.max = p.headers->len; /* without memory they are not shown */
    cc_buf_add(&r->view.headers, p.headers->data, p.headers->len);
}

/* ---- the end ---- */

/* libcurl takes an "HTTP/2 6" for an answer, and a header that is none for our mistake. */
static CURLcode truth_of(const cc_request *r, CURLcode rc) {
    bool odd = rc == CURLE_OK && (r->status < 100 || r->status > 999);
    bool headless = rc == CURLE_BAD_FUNCTION_ARGUMENT && r->header_bytes > 0;
    return odd || headless ? CURLE_WEIRD_SERVER_REPLY : rc;
}

void cc_request_finish(cc_request *r, cc_end end, CURLcode rc, int64_t now) {
    if (end == CC_END_CURL) end = r->end;
    if (end == CC_END_CURL && rc == CURLE_OK) end = cc_callback_complete(r);
    if (r->header_bytes > 0) {
        curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &r->status);
        curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &r->retry_after); /* seconds or date */
        if (r->retry_after < 0) r->retry_after = 0;                        /* a date gone by */
    }
    cc_message_fill(r, end, truth_of(r, rc), now);
    cc_request_end_round(r, now);
    r->ended = true;
    cc_sink_close(&r->sink); /* at once, with its lock: the answer may wait long to be taken */
}

static void trim(cc_buf *b) {
    if (b->cap > KEEP_CAPACITY) cc_buf_free(b);
    cc_buf_clear(b);
}

static void settle(cc_request *r) {
    if (r->counted) cc_meter_end(r->meter, &r->cost);
    cc_meter_drop(r->meter);
    r->meter = NULL;
}

static void drop_input(cc_request *r) {
    cc_lines_free(cc_request_take_headers(r));
    curl_slist_free_all(r->connect_to);
    cc_lines_drop(r->common_headers);
    cc_lines_drop(r->common_addresses);
    free(r->body);
    r->connect_to = NULL;
    r->common_headers = r->common_addresses = NULL;
    r->body = NULL;
}

void cc_request_retire(cc_request *r) {
    if (r->private_url || (r->past == CC_CARRIED && cc_global_stale_headers())) drop_handle(r);
}

/* It must not point to what is freed now, and it remembers the URL. */
static void clear_handle(cc_request *r) {
    if (r->past == CC_NEW || r->past == CC_CLEARED) return;
    cc_request_retire(r);
    if (!r->easy) return;
    r->past = CC_CLEARED;
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, NULL);
    curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(r->easy, CURLOPT_PROXY, NULL); /* may hold a password */
    cc_request_forget_identity(r);
}

void cc_request_forget_identity(cc_request *r) {
    static const CURLoption options[] = {CURLOPT_SSLCERT, CURLOPT_SSLKEY, CURLOPT_KEYPASSWD};
    for (int i = 0; i < 3; i++) curl_easy_setopt(r->easy, options[i], NULL);
}

void cc_request_reset(cc_request *r) {
    clear_handle(r);
    CURL *easy = r->easy;
    cc_past past = r->past;
    CURLSH *share = r->share;
    cc_poll *poll = r->poll;
    cc_buf headers = r->answer_headers, body = r->answer_body;
    settle(r);
    drop_input(r);
    cc_sink_close(&r->sink);
    cc_buf_free(&r->view.headers);
    trim(&headers);
    trim(&body);
    memset(r, 0, sizeof *r);
    cc_sink_init(&r->sink);
    r->easy = easy;
    r->past = past;
    r->share = share;
    r->poll = poll;
    r->answer_headers = headers;
    r->answer_body = body;
}

void cc_request_abandon(cc_request *r) {
    drop_handle(r);
    cc_sink_close(&r->sink);
    r->orphan = true;
}

void cc_request_free(cc_request *r) {
    if (!r) return;
    drop_handle(r);
    cc_sink_close(&r->sink);
    settle(r);
    drop_input(r);
    cc_buf_free(&r->view.headers);
    cc_buf_free(&r->answer_headers);
    cc_buf_free(&r->answer_body);
    free(r);
}
