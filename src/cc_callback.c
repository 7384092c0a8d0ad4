#include "cc_callback.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cc_block.h"
#include "cc_global.h"
#include "cc_sys.h"
#include "cc_text.h"

#define PREALLOCATE_MAX (8u << 20) /* a length that lies must not cost more than this */

/* The first time counts: libcurl may try addresses, and connections, one after the other. */
static void mark(cc_request *r, cc_stage stage, int64_t now) {
    if (!r->marks[stage]) r->marks[stage] = now;
}

/* ---- headers ---- */

/* Stops the transfer: libcurl reports CURLE_WRITE_ERROR, and end says what was meant. */
static size_t stop(cc_request *r, cc_end end) {
    r->end = end;
    return 0;
}

static cc_end end_of(cc_buf_code code, cc_end full) {
    return code == CC_BUF_FULL ? full : CC_END_NOMEM;
}

/* A new block replaces the one before: 1xx, a redirect, a proxy's answer. A status line can only
 * come where no block is open, so a header that looks like one does no harm. */
static void begin_block(cc_request *r) {
    cc_buf_clear(&r->answer_headers);
    cc_buf_clear(&r->answer_body);
    r->block_open = true;
    r->sized = false;
}

static bool is_blank(const char *line, size_t n) {
    return n == 0 || line[0] == '\r' || line[0] == '\n';
}

static size_t on_header(char *line, size_t size, size_t count, void *user) {
    cc_request *r = user;
    size_t n = size * count;
    r->moved = cc_now_us();
    mark(r, CC_ANSWERING, r->moved);
    if (n > r->max_headers - r->header_bytes) return stop(r, CC_END_HEADERS_FULL);
    r->header_bytes += n;
    if (!r->block_open) {
        if (n < 5 || strncmp(line, "HTTP/", 5) != 0) return n; /* a trailer */
        begin_block(r);
    }
    cc_buf_code code = cc_buf_add(&r->answer_headers, line, n);
    if (code != CC_BUF_OK) return stop(r, end_of(code, CC_END_HEADERS_FULL));
    if (is_blank(line, n)) r->block_open = false;
    return n;
}

/* ---- body ---- */

static int64_t length_of(cc_request *r) {
    curl_off_t length = -1;
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length;
}

/* A known length is worth one allocation, but only as far as we trust it. It is the compressed
 * length if there is an encoding, so it can only refuse what would be too large either way. */
static cc_end make_room(cc_request *r) {
    int64_t length = length_of(r);
    if (length <= 0 || r->sink.fd >= 0) return CC_END_CURL;
    if ((uint64_t)length > r->answer_body.max) return CC_END_BODY_FULL;
    size_t want = length > PREALLOCATE_MAX ? PREALLOCATE_MAX : (size_t)length;
    cc_buf_code code = cc_buf_reserve(&r->answer_body, want);
    return code == CC_BUF_OK ? CC_END_CURL : end_of(code, CC_END_BODY_FULL);
}

static cc_end end_of_sink(cc_sink_code code) {
    switch (code) {
    case CC_SINK_OK:
        break;
    case CC_SINK_WHOLE:
        return CC_END_ENOUGH;
    case CC_SINK_RANGE:
        return CC_END_RANGE;
    case CC_SINK_FULL:
        return CC_END_BODY_FULL;
    case CC_SINK_ERROR:
        return CC_END_FILE;
    }
    return CC_END_CURL;
}

/* What the caller made the range depend on, NULL if nothing. */
static const char *validator_of(const cc_request *r) {
    const struct curl_slist *h = r->headers;
    while (h && !cc_text_header_is(h->data, "if-range")) h = h->next;
    if (!h) return NULL;
    const char *value = h->data + strlen("if-range:");
    return value + strspn(value, " \t");
}

/* Where to with it? The status is only known now, and a redirect may have asked before. */
static cc_end begin_body(cc_request *r) {
    long status = 0;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    r->sized = true;
    if (!cc_sink_wants(&r->sink, status)) return make_room(r);
    return end_of_sink(
        cc_sink_begin(&r->sink, status, &r->answer_headers, length_of(r), validator_of(r)));
}

/* Of an answer that is no file only what explains it is wanted. */
static cc_end add_explanation(cc_request *r, const char *bytes, size_t n) {
    cc_buf *b = &r->answer_body;
    size_t room = b->max - b->len;
    cc_buf_code code = cc_buf_add(b, bytes, n < room ? n : room);
    if (code != CC_BUF_OK) return CC_END_NOMEM;
    return n < room ? CC_END_CURL : CC_END_ENOUGH;
}

static cc_end add_body(cc_request *r, const char *bytes, size_t n) {
    if (r->sink.begun) return end_of_sink(cc_sink_write(&r->sink, bytes, n));
    if (r->sink.fd >= 0) return add_explanation(r, bytes, n);
    cc_buf_code code = cc_buf_add(&r->answer_body, bytes, n);
    return code == CC_BUF_OK ? CC_END_CURL : end_of(code, CC_END_BODY_FULL);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
    cc_request *r = user;
    size_t n = size * count;
    r->moved = cc_now_us();
    cc_block_note(bytes, n, r->header_bytes);
    cc_end end = r->sized ? CC_END_CURL : begin_body(r);
    if (end == CC_END_CURL) end = add_body(r, bytes, n);
    return end == CC_END_CURL ? n : stop(r, end);
}

cc_end cc_callback_complete(cc_request *r) {
    return r->sized || r->sink.fd < 0 ? CC_END_CURL : begin_body(r);
}

/* ---- sending ---- */

#if CC_HAVE_PREREQ
/* The connection stands, nothing of the request has been sent: never called means nothing left. */
static int on_prereq(void *user, char *ip, char *local_ip, int port, int local_port) {
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    cc_request *r = user;
    r->tries++;
    r->moved = cc_now_us();
    mark(r, CC_CONNECTING, r->moved);
    if (r->tries == 1 || !r->once) return CURL_PREREQFUNC_OK;
    r->end = CC_END_SECOND_TRY;
    return CURL_PREREQFUNC_ABORT;
}
#endif

/* Uploading calls nobody else back; only set for bodies that one write cannot take. */
static int on_progress(void *user, curl_off_t a, curl_off_t down, curl_off_t b, curl_off_t up) {
    (void)a, (void)b;
    cc_request *r = user;
    if (up + down == r->moved_bytes) return 0;
    r->moved_bytes = up + down;
    r->moved = cc_now_us();
    return 0;
}

/* libcurl opens sockets that every program started meanwhile inherits, and a connection that such
 * a program holds stays open for the server after we have closed it. */
static int open_socket(const struct curl_sockaddr *a) {
#ifdef SOCK_CLOEXEC
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
#else
    int fd = socket(a->family, a->socktype, a->protocol);
    if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
#endif
}

static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
    (void)purpose;
    cc_request *r = user;
    mark(r, CC_QUEUED, cc_now_us());
    int fd = open_socket(a);
    if (fd >= 0 && r->poll) cc_poll_adopt(r->poll, fd);
    return fd;
}

/* The connection may have outlived the request that opened it, not its loop. */
static int on_close(void *user, curl_socket_t fd) {
    if (user) cc_poll_leave(user, fd);
    return close(fd);
}

/* ---- setting them ---- */

/* The first refusal is kept: a handle without one of them must not run. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (rc == CURLE_OK) rc = curl_easy_setopt(r->easy, (option), (value));                     \
    } while (0)

CURLcode cc_callback_install(cc_request *r) {
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, (void *)r);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, (void *)r);
#if CC_HAVE_PREREQ
    if (cc_global_guards()) {
        SET(CURLOPT_PREREQFUNCTION, on_prereq);
        SET(CURLOPT_PREREQDATA, (void *)r);
    }
#endif
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, (void *)r);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
    SET(CURLOPT_CLOSESOCKETDATA, (void *)r->poll);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, (void *)r);
    return rc;
}
