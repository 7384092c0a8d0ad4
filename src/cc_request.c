#include "cc_request.h"

#include <stdlib.h>
#include <string.h>

#include "cc_callback.h"
#include "cc_global.h"
#include "cc_message.h"
#include "cc_poll.h"
#include "cc_text.h"

#define RECEIVE_BUFFER  (128 * 1024L) /* paging is 1.6 times faster than with the default 16 KiB */
#define FILE_BUFFER     (512 * 1024L)
#define EXPLANATION_MAX (64u << 10)  /* what is kept of an answer that is not the file */
#define KEEP_CAPACITY   (256u << 10) /* buffers above it are not kept for the next request */
#define NUDGE           250000       /* microseconds; see cc_request_nudge */
#define SMALL_BODY      (16u << 10)  /* goes into the socket's buffer at once */

const char *const cc_request_methods[] = {"GET",   "HEAD",   "POST",    "PUT",
                                          "PATCH", "DELETE", "OPTIONS", NULL};

/* ---- options ---- */

/* The first refusal is kept, the rest is skipped: a request with half its options must not run. */
#define SET(easy, rc, option, value)                                                               \
    do {                                                                                           \
        if ((rc) == CURLE_OK) (rc) = curl_easy_setopt((easy), (option), (value));                  \
    } while (0)

static CURLcode set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* Wishes: nothing is wrong with a libcurl that lacks them. */
static void set_wishes(CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* or a slow lookup holds up cancel and close */
#endif
}

/* What is the same for every request that this handle will carry. */
static CURLcode set_constants(cc_request *r) {
    CURL *e = r->easy;
    CURLcode rc = set_protocols(e);
    SET(e, rc, CURLOPT_PRIVATE, (void *)r);
    SET(e, rc, CURLOPT_NOSIGNAL, 1L);
    SET(e, rc, CURLOPT_ERRORBUFFER, r->curl_message);
    SET(e, rc, CURLOPT_FOLLOWLOCATION, 0L); /* cc_request_redirect does it, without credentials */
    SET(e, rc, CURLOPT_HTTP09_ALLOWED, 0L);
    SET(e, rc, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(e, rc, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* the key is not for the proxy */
    if (rc == CURLE_OK) rc = cc_callback_install(r);
    if (r->share) SET(e, rc, CURLOPT_SHARE, r->share);
    if (rc == CURLE_OK) set_wishes(e);
    return rc;
}

/* Whether the verb carries a body is libcurl's business only as far as "Content-Length: 0" goes. */
static CURLcode set_method(cc_request *r, const char *method) {
    CURL *e = r->easy;
    CURLcode rc = CURLE_OK;
    bool head = strcmp(method, "HEAD") == 0, sends = r->sends;
    SET(e, rc, CURLOPT_NOBODY, 0L);
    SET(e, rc, CURLOPT_HTTPGET, 1L);
    SET(e, rc, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    SET(e, rc, CURLOPT_POSTFIELDS, sends ? (r->body ? r->body : "") : NULL);
    SET(e, rc, CURLOPT_POST, sends ? 1L : 0L);
    if (!sends) SET(e, rc, CURLOPT_HTTPGET, 1L);
    if (head) SET(e, rc, CURLOPT_NOBODY, 1L);
    SET(e, rc, CURLOPT_CUSTOMREQUEST, head ? NULL : method);
    return rc;
}

/* A CA path would switch off libcurl's cache of the CA store (24 ms of CPU for each connection). */
static CURLcode set_trust(cc_request *r, const cc_spec *s, const char *bundle) {
    CURL *e = r->easy;
    CURLcode rc = CURLE_OK;
    const char *file = s->ca_file || s->ca_path ? s->ca_file : bundle;
    SET(e, rc, CURLOPT_SSL_VERIFYPEER, s->insecure ? 0L : 1L);
    SET(e, rc, CURLOPT_SSL_VERIFYHOST, s->insecure ? 0L : 2L);
    if (!file && !s->ca_path) return rc; /* no bundle found: libcurl's own default must do */
    SET(e, rc, CURLOPT_CAINFO, file);
    SET(e, rc, CURLOPT_CAPATH, s->ca_path);
    return rc;
}

/* The password is "" rather than absent: without one OpenSSL would ask for it at the terminal. */
static CURLcode set_identity(cc_request *r, const cc_spec *s) {
    CURL *e = r->easy;
    CURLcode rc = CURLE_OK;
    const char *password = s->key_password ? s->key_password : "";
    SET(e, rc, CURLOPT_SSLCERT, s->cert_file);
    SET(e, rc, CURLOPT_SSLKEY, s->cert_file ? s->key_file : NULL);
    SET(e, rc, CURLOPT_KEYPASSWD, s->cert_file ? password : NULL);
    return rc;
}

/* libcurl sends again what a reused connection lost, hence the fresh one, and what an HTTP/2 server
 * refused (REFUSED_STREAM, GOAWAY), which on_prereq stops: where it cannot, HTTP/1.1 must do.
 * Without TLS there is nothing to negotiate, and waiting for another connection's answer only costs
 * time. */
static CURLcode set_connection(cc_request *r, const cc_spec *s) {
    CURL *e = r->easy;
    CURLcode rc = CURLE_OK;
    bool h2 = cc_text_is_https(s->url) && (!s->once || cc_global_guards());
    SET(e, rc, CURLOPT_FRESH_CONNECT, s->once ? 1L : 0L);
    SET(e, rc, CURLOPT_FORBID_REUSE, s->once ? 1L : 0L); /* no other would use it: see cc_lane.h */
    SET(e, rc, CURLOPT_PROXY, s->proxy);
    SET(e, rc, CURLOPT_NOPROXY, s->no_proxy);
    SET(e, rc, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->connect_timeout * 1000 + 0.999));
    if (rc == CURLE_OK && h2) {
        h2 = curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK;
    }
    if (!h2) SET(e, rc, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    r->may_stall = h2 && r->body_len > 0;
    SET(e, rc, CURLOPT_PIPEWAIT, h2 && !s->once ? 1L : 0L);
    SET(e, rc, CURLOPT_NOPROGRESS, s->idle_timeout > 0 && r->body_len > SMALL_BODY ? 0L : 1L);
    return rc;
}

/* Compressed is what is read at once: "" stands for everything that this libcurl can undo. A file
 * comes as it is, so that lengths and ranges mean what they say. */
static CURLcode set_receiving(cc_request *r, const cc_spec *s) {
    CURL *e = r->easy;
    CURLcode rc = CURLE_OK;
    SET(e, rc, CURLOPT_ACCEPT_ENCODING, s->file ? NULL : "");
    /* only a wish: refused by a handle whose last transfer was taken from it half done */
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, s->file ? FILE_BUFFER : RECEIVE_BUFFER);
    return rc;
}

/* ---- life ---- */

static void drop_handle(cc_request *r) {
    if (r->easy) curl_easy_cleanup(r->easy);
    r->easy = NULL;
}

static bool make_handle(cc_request *r) {
    if (r->easy) return true;
    r->easy = curl_easy_init();
    if (r->easy && set_constants(r) == CURLE_OK) return true;
    drop_handle(r);
    return false;
}

cc_request *cc_request_new(CURLSH *share) {
    cc_request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    cc_sink_init(&r->sink);
    r->share = share;
    if (make_handle(r)) return r;
    cc_request_free(r);
    return NULL;
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

static CURLcode set_url(cc_request *r, const cc_spec *s) {
    r->private_url = s->auth == CC_AUTH_QUERY;
    if (!r->private_url) return curl_easy_setopt(r->easy, CURLOPT_URL, s->url);
    char *url = cc_secret_url(&s->secret, s->url);
    CURLcode rc = url ? curl_easy_setopt(r->easy, CURLOPT_URL, url) : CURLE_OUT_OF_MEMORY;
    cc_wipe_text(url);
    free(url);
    return rc;
}

static CURLcode set_all(cc_request *r, const cc_spec *s, const char *bundle) {
    CURLcode rc = set_url(r, s);
    if (rc == CURLE_OK) rc = set_method(r, s->method);
    if (rc == CURLE_OK) rc = set_trust(r, s, bundle);
    if (rc == CURLE_OK) rc = set_identity(r, s);
    if (rc == CURLE_OK) rc = set_connection(r, s);
    if (rc == CURLE_OK) rc = set_receiving(r, s);
    return rc;
}

static bool open_sink(cc_request *r, const cc_spec *s) {
    int64_t max = s->max_body < (uint64_t)INT64_MAX ? (int64_t)s->max_body : INT64_MAX;
    return !s->file || cc_sink_open(&r->sink, s->file, s->offset, max);
}

static bool append_to(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

static bool add_secret(cc_request *r, const cc_spec *s) {
    if (s->auth == CC_AUTH_NONE || s->auth == CC_AUTH_QUERY) return true;
    char *line = cc_secret_header(&s->secret, s->auth);
    bool ok = line && append_to(&r->headers, line);
    cc_wipe_text(line);
    free(line);
    return ok;
}

cc_code cc_request_prepare(cc_request *r, const cc_spec *s, const char *bundle) {
    set_limits(r, s);
    if (!make_handle(r) || !copy_body(r, s) || !add_secret(r, s)) return CC_NOMEM;
    if (!open_sink(r, s)) return CC_NO_FD;
    switch (set_all(r, s, bundle)) {
    case CURLE_OK:
        return CC_OK;
    case CURLE_OUT_OF_MEMORY:
        return CC_NOMEM;
    default:
        return CC_REFUSED;
    }
}

static bool append(cc_request *r, const char *line) {
    return append_to(&r->headers, line);
}

bool cc_request_add_address(cc_request *r, const char *line) {
    return append_to(&r->connect_to, line);
}

static struct curl_slist *find_header(cc_request *r, const char *name) {
    struct curl_slist *h = r->headers;
    while (h && !cc_text_header_is(h->data, name)) h = h->next;
    return h;
}

bool cc_request_add_header(cc_request *r, const char *line) {
    if (!append(r, line)) return false;
    if (!cc_text_header_is_empty(line)) return true;
    struct curl_slist *last = r->headers; /* libcurl writes an empty header as "Name;" */
    while (last->next) last = last->next;
    strcpy(strchr(last->data, ':'), ";");
    return true;
}

/* Headers that libcurl would add on its own to a request with a body. */
static bool refuse_defaults(cc_request *r) {
    bool ok = find_header(r, "expect") || append(r, "Expect:");
    return ok && (find_header(r, "content-type") || append(r, "Content-Type:"));
}

static bool ask_for_identity(cc_request *r) {
    return find_header(r, "accept-encoding") || append(r, "Accept-Encoding: identity");
}

bool cc_request_seal(cc_request *r, int64_t now) {
    int64_t total = microseconds(r->timeout);
    if (r->sends && !refuse_defaults(r)) return false;
    if (r->sink.fd >= 0 && !ask_for_identity(r)) return false;
    r->started = now;
    r->deadline = total ? now + total : CC_NEVER;
    r->idle_limit = microseconds(r->idle_timeout);
    r->moved = cc_global_guards() ? 0 : now;
    r->view.bytes = r->sink.offset;
    r->view.total = -1;
    return curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK &&
           curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, r->connect_to) == CURLE_OK;
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
    if (r->sized) {
        curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    }
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
    }
    cc_message_fill(r, end, truth_of(r, rc), now);
    cc_sink_close(&r->sink); /* at once, with its lock: the answer may wait long to be taken */
}

static void trim(cc_buf *b) {
    if (b->cap > KEEP_CAPACITY) cc_buf_free(b);
    cc_buf_clear(b);
}

void cc_request_drop_lines(struct curl_slist *lines) {
    for (struct curl_slist *l = lines; l; l = l->next) cc_wipe_text(l->data);
    curl_slist_free_all(lines);
}

static void drop_input(cc_request *r) {
    cc_request_drop_lines(r->headers);
    curl_slist_free_all(r->connect_to);
    free(r->body);
    r->headers = r->connect_to = NULL;
    r->body = NULL;
}

/* It must not point to what is freed now, and it remembers the URL. */
static void clear_handle(cc_request *r) {
    if (r->private_url || cc_global_stale_headers()) drop_handle(r);
    if (!r->easy) return;
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
    CURLSH *share = r->share;
    cc_buf headers = r->answer_headers, body = r->answer_body;
    drop_input(r);
    cc_sink_close(&r->sink);
    cc_buf_free(&r->view.headers);
    trim(&headers);
    trim(&body);
    memset(r, 0, sizeof *r);
    cc_sink_init(&r->sink);
    r->easy = easy;
    r->share = share;
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
    drop_input(r);
    cc_buf_free(&r->view.headers);
    cc_buf_free(&r->answer_headers);
    cc_buf_free(&r->answer_body);
    free(r);
}
