#include "cc_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cc_global.h"
#include "cc_text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Newer than the oldest curl.h that we take. */
#define PROXY          97
#define SSL_CLIENTCERT 98

/* What every message may need; made once per failure. */
typedef struct scene {
    cc_request *r;
    int code;        /* CURLcode */
    double elapsed;  /* seconds since it was submitted */
    char where[300]; /* host:port, of the proxy if libcurl speaks of one */
    char said[256];  /* libcurl's own words, fit to be shown */
} scene;

static void say(scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(scene *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->r->failure.message, CC_MESSAGE_SIZE, format, args);
    va_end(args);
}

/* ---- where and what ---- */

static void find_where(scene *s) {
    const char *url = NULL;
    char host[256];
    int port;
    curl_easy_getinfo(s->r->easy, CURLINFO_EFFECTIVE_URL, &url);
    cc_text_host_port(s->where, sizeof s->where, url ? url : "");
    if (sscanf(s->said, "Failed to connect to %255s port %d", host, &port) == 2) {
        snprintf(s->where, sizeof s->where, "%s:%d", host, port);
    }
}

static void find_words(scene *s, CURLcode rc) {
    const char *words = s->r->curl_message;
    cc_text_scrub(s->said, sizeof s->said, words[0] ? words : curl_easy_strerror(rc));
}

/* ---- one function for each thing that can go wrong ---- */

static void say_unresolved(scene *s) {
    char *colon = strrchr(s->where, ':');
    if (colon) *colon = '\0';
    say(s, "cannot resolve the host name \"%s\": check the URL and this machine's DNS", s->where);
}

static void say_unresolved_proxy(scene *s) {
    say(s, "cannot resolve the proxy's host name (%s): check proxy and the *_proxy environment",
        s->said);
}

static void say_unconnected(scene *s) {
    long number = 0;
    curl_easy_getinfo(s->r->easy, CURLINFO_OS_ERRNO, &number);
    say(s, "cannot connect to %s: %s", s->where, number ? strerror((int)number) : s->said);
}

static void say_connect_timeout(scene *s) {
    double limit = s->r->connect_timeout;
    if (limit > 0 && s->elapsed >= limit * 0.9) {
        say(s, "no connection to %s within %g s (connect_timeout)", s->where, limit);
    } else {
        say(s, "connecting to %s timed out after %.1f s", s->where, s->elapsed);
    }
}

static void say_timed_out(scene *s) {
    if (cc_request_unsent(s->r)) {
        say_connect_timeout(s);
    } else {
        say(s, "timed out talking to %s after %.1f s: %s", s->where, s->elapsed, s->said);
    }
}

static long long body_bytes(const cc_request *r) {
    return r->sink.begun ? (long long)r->sink.written : (long long)r->answer_body.len;
}

/* How far it had come: the difference between a slow server and a dead one. */
static void say_limit(scene *s, const char *name, double limit) {
    const cc_request *r = s->r;
    if (cc_request_unsent(r)) {
        say(s, "no connection to %s within %g s (%s)", s->where, limit, name);
    } else if (r->header_bytes == 0) {
        say(s, "no answer from %s within %g s (%s)", s->where, limit, name);
    } else {
        say(s, "the answer of %s was not complete within %g s (%s), %lld bytes of the body came",
            s->where, limit, name, body_bytes(r));
    }
}

static void say_idle(scene *s) {
    const cc_request *r = s->r;
    if (r->header_bytes == 0) {
        say(s, "no answer from %s, and no byte moved for %g s (idle_timeout)", s->where,
            r->idle_timeout);
    } else {
        say(s, "%s stopped sending for %g s (idle_timeout), %lld bytes into the body", s->where,
            r->idle_timeout, body_bytes(r));
    }
}

static void say_untrusted(scene *s) {
    static const struct {
        const char *words, *advice;
    } known[] = {
        {"subject name", "the certificate belongs to another host; check the URL"},
        {"host name", "the certificate belongs to another host; check the URL"},
        {"does not match", "the certificate belongs to another host; check the URL"},
        {"expired", "the server needs a new certificate, or this machine's clock is wrong"},
        {"not yet valid",
         "the server's certificate is for later, or this machine's clock is wrong"},
        {"local issuer", "if the server uses a private CA, name its certificate in ca_file; else "
                         "the server does not send its intermediate certificates, or this system's "
                         "store is missing (package ca-certificates)"},
    };
    const char *advice = "if the server uses a private CA, name its certificate in ca_file; else "
                         "install the system's store (package ca-certificates)";
    for (size_t i = COUNT(known); i-- > 0;) {
        if (cc_text_has(s->said, known[i].words)) advice = known[i].advice;
    }
    say(s, "the certificate of %s is not accepted: %.120s; %s", s->where, s->said, advice);
}

/* What the other side says of a handshake: the advice, NULL if it may be better another time. */
static const char *handshake_advice(const char *said) {
    static const char old[] = "it offers no TLS 1.2 or newer, and nothing older is safe";
    static const char own[] = "it does not accept our client certificate: check cert_file";
    static const char plain[] = "it does not speak TLS there; check scheme and port of the URL";
    static const struct {
        const char *words, *advice;
    } known[] = {
        {"alert protocol version", old},
        {"unsupported protocol", old},
        {"wrong version number", plain},
        {"packet length too long", plain},
        {"certificate required",
         "it wants a client certificate: name it in cert_file and key_file"},
        {"alert handshake failure", "it shares none of our ciphers, or it wants a client "
                                    "certificate (cert_file and key_file)"},
        {"alert bad certificate", own},
        {"alert unknown ca", own},
        {"alert certificate unknown", own},
        {"alert unsupported certificate", own},
        {"alert certificate expired", own},
        {"alert certificate revoked", own},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        if (cc_text_has(said, known[i].words)) return known[i].advice;
    }
    return NULL;
}

static void say_tls(scene *s) {
    const char *advice = handshake_advice(s->said);
    say(s, "no TLS connection to %s: %.150s%s%s", s->where, s->said, advice ? "; " : "",
        advice ? advice : "");
}

static void say_bad_identity(scene *s) {
    say(s, "the client certificate cannot be used (%s): check cert_file, key_file and key_password",
        s->said);
}

static void say_bad_ca_file(scene *s) {
    say(s, "the CA certificates cannot be read (%s): check ca_file and ca_path", s->said);
}

static void say_closed(scene *s) {
    say(s, "%s closed the connection without an answer", s->where);
}

static void say_broken(scene *s) {
    say(s, "the connection to %s broke: %s", s->where, s->said);
}

static void say_cut(scene *s) {
    say(s, "the answer of %s is cut short: %s", s->where, s->said);
}

static void say_not_http(scene *s) {
    say(s, "%s did not answer in HTTP: %s", s->where, s->said);
}

static void say_undecodable(scene *s) {
    say(s, "the answer of %s cannot be decompressed: %s", s->where, s->said);
}

/* libcurl speaks of the host behind it. */
static void name_proxy(scene *s, char *out, size_t size) {
    char *ip = NULL;
    long port = 0;
    curl_easy_getinfo(s->r->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(s->r->easy, CURLINFO_PRIMARY_PORT, &port);
    snprintf(out, size, "%.60s:%ld", ip ? ip : "?", port);
}

static void say_socks(scene *s) {
    char proxy[80];
    if (cc_text_has(s->said, "resolve host")) {
        say(s,
            "cannot resolve the host name of %s on this machine: check the URL, or let the proxy "
            "do "
            "it (socks5h://)",
            s->where);
        return;
    }
    name_proxy(s, proxy, sizeof proxy);
    say(s, "the proxy %s does not connect to %s: %s; check proxy and its user and password", proxy,
        s->where, s->said);
}

static long connect_code(const cc_request *r) {
    long code = 0;
    curl_easy_getinfo(r->easy, CURLINFO_HTTP_CONNECTCODE, &code);
    return code;
}

/* An answer to CONNECT that is no yes, which libcurl reports as if a connection had broken. */
static bool is_tunnel_refused(const cc_request *r, int code) {
    return code == CURLE_RECV_ERROR && r->header_bytes == 0 && connect_code(r) >= 300 &&
           cc_text_has(r->curl_message, "CONNECT");
}

static void say_no_tunnel(scene *s) {
    char proxy[80];
    long code = connect_code(s->r);
    name_proxy(s, proxy, sizeof proxy);
    say(s, "the proxy %s does not connect to %s: HTTP %ld%s", proxy, s->where, code,
        code == 407 ? ", it wants another user and password; check proxy" : "");
}

static void say_whatever(scene *s) {
    say(s, "%s: %s", s->where, s->said);
}

static const struct {
    int code;
    void (*tell)(scene *);
} WORDS[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, say_not_http},
    {CURLE_COULDNT_RESOLVE_PROXY, say_unresolved_proxy},
    {CURLE_COULDNT_RESOLVE_HOST, say_unresolved},
    {CURLE_COULDNT_CONNECT, say_unconnected},
    {CURLE_WEIRD_SERVER_REPLY, say_not_http},
    {CURLE_PARTIAL_FILE, say_cut},
    {CURLE_OPERATION_TIMEDOUT, say_timed_out},
    {CURLE_SSL_CONNECT_ERROR, say_tls},
    {CURLE_GOT_NOTHING, say_closed},
    {CURLE_SEND_ERROR, say_broken},
    {CURLE_RECV_ERROR, say_broken},
    {CURLE_SSL_CERTPROBLEM, say_bad_identity},
    {CURLE_PEER_FAILED_VERIFICATION, say_untrusted},
    {CURLE_BAD_CONTENT_ENCODING, say_undecodable},
    {CURLE_SSL_CACERT_BADFILE, say_bad_ca_file},
    {PROXY, say_socks},
    {SSL_CLIENTCERT, say_tls},
};

static void tell_curl(scene *s) {
    if (is_tunnel_refused(s->r, s->code)) {
        say_no_tunnel(s);
        return;
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (WORDS[i].code != s->code) continue;
        WORDS[i].tell(s);
        return;
    }
    say_whatever(s);
}

/* ---- what we ended ourselves ---- */

static void tell_end(scene *s, cc_end end) {
    cc_request *r = s->r;
    switch (end) {
    case CC_END_CURL:
    case CC_END_ENOUGH:
        tell_curl(s);
        break;
    case CC_END_CANCELLED:
        say(s, "cancelled");
        break;
    case CC_END_IDLE:
        say_idle(s);
        break;
    case CC_END_TOTAL:
        say_limit(s, "timeout", r->timeout);
        break;
    case CC_END_BODY_FULL:
        say(s, "the answer of %s is larger than max_body (%zu bytes)", s->where, r->max_body);
        break;
    case CC_END_HEADERS_FULL:
        say(s,
            "the headers of %s are larger than max_headers (%zu bytes) or than libcurl takes "
            "(100 KiB a line, 300 KiB in all)",
            s->where, r->max_headers);
        break;
    case CC_END_NOMEM:
        say(s, "out of memory while reading from %s", s->where);
        break;
    case CC_END_SECOND_TRY:
        say(s, "%s closed the connection without an answer; the request is not sent twice",
            s->where);
        break;
    case CC_END_REDIRECT:
        say(s, "%s redirects too often (more than %d times) or to where this request must not go",
            s->where, CC_MAX_REDIRECTS);
        break;
    case CC_END_RANGE:
        say(s, "%s answered with another part, or of another file, than was asked for", s->where);
        break;
    case CC_END_FILE:
        say(s, "cannot write the file: %s (after %lld bytes)", cc_file_message(r->sink.error),
            (long long)r->sink.at);
        break;
    }
}

static int code_of(cc_end end, CURLcode rc) {
    switch (end) {
    case CC_END_CURL:
    case CC_END_ENOUGH:
        break;
    case CC_END_CANCELLED:
        return CURLE_ABORTED_BY_CALLBACK;
    case CC_END_IDLE:
    case CC_END_TOTAL:
        return CURLE_OPERATION_TIMEDOUT;
    case CC_END_BODY_FULL:
    case CC_END_HEADERS_FULL:
        return CURLE_FILESIZE_EXCEEDED;
    case CC_END_NOMEM:
        return CURLE_OUT_OF_MEMORY;
    case CC_END_SECOND_TRY:
        return CURLE_GOT_NOTHING;
    case CC_END_REDIRECT:
        return CURLE_TOO_MANY_REDIRECTS;
    case CC_END_RANGE:
        return CURLE_RANGE_ERROR;
    case CC_END_FILE:
        return CURLE_WRITE_ERROR;
    }
    return (int)rc;
}

/* libcurl has ceilings of its own for headers: 100 KiB a line, reported as if memory were out,
 * and 300 KiB in all, reported as a broken connection. */
static cc_end see_through(const cc_request *r, cc_end end, CURLcode rc) {
    if (end != CC_END_CURL) return end;
    bool line =
        rc == CURLE_OUT_OF_MEMORY && !cc_request_unsent(r) && (r->block_open || !r->header_bytes);
    bool all = rc == CURLE_RECV_ERROR && cc_text_has(r->curl_message, "too large response headers");
    return line || all ? CC_END_HEADERS_FULL : end;
}

/* libcurl has odd words for what it cannot undo: chunks that are none are an "argument" of its own
 * function, compressed bytes with a tail an error of "writing", which is ours alone. */
static CURLcode mend_code(const cc_request *r, cc_end end, CURLcode rc) {
    if (end != CC_END_CURL) return rc;
    if (rc == CURLE_BAD_FUNCTION_ARGUMENT && r->header_bytes > 0) return CURLE_WEIRD_SERVER_REPLY;
    return rc == CURLE_WRITE_ERROR ? CURLE_BAD_CONTENT_ENCODING : rc;
}

/* With TLS 1.3 a server refuses our certificate, or that there is none, after its own part of the
 * handshake: to libcurl the connection breaks while the answer is awaited. */
static int see_alert(const scene *s) {
    bool broken = s->code == CURLE_RECV_ERROR || s->code == CURLE_SEND_ERROR;
    return broken && cc_text_has(s->said, "SSL") && handshake_advice(s->said) ? SSL_CLIENTCERT
                                                                              : s->code;
}

/* Said by a libcurl that does not ask before it sends, of a connection that nobody used before: so
 * it was never finished, and has carried nothing. */
static bool is_unmade(const cc_request *r, int code) {
    static const int codes[] = {
        CURLE_COULDNT_RESOLVE_PROXY,    CURLE_COULDNT_RESOLVE_HOST,
        CURLE_COULDNT_CONNECT,          CURLE_SSL_CONNECT_ERROR,
        CURLE_SSL_CERTPROBLEM,          CURLE_SSL_CIPHER,
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_ISSUER_ERROR,         PROXY,
    };
    for (size_t i = 0; i < COUNT(codes); i++) {
        if (codes[i] == code) return true;
    }
    return is_tunnel_refused(r, code);
}

/* "No" only where it is certain. */
static cc_sent sent_of(const cc_request *r, int code) {
    bool no = cc_global_guards() ? cc_request_unsent(r) : r->once && is_unmade(r, code);
    return no ? CC_SENT_NO : CC_SENT_UNKNOWN;
}

/* The same again would be refused again. */
static bool is_final(const scene *s) {
    if (s->code == CURLE_SSL_CONNECT_ERROR) return handshake_advice(s->said) != NULL;
    return is_tunnel_refused(s->r, s->code) && connect_code(s->r) < 500;
}

void cc_message_fill(cc_request *r, cc_end end, CURLcode rc, int64_t now) {
    cc_failure *f = &r->failure;
    if (end == CC_END_ENOUGH || (end == CC_END_CURL && rc == CURLE_OK)) return;
    end = see_through(r, end, rc);
    rc = mend_code(r, end, rc);
    scene s = {.r = r, .code = code_of(end, rc), .elapsed = (double)(now - r->started) * 1e-6};
    find_words(&s, rc);
    find_where(&s);
    s.code = see_alert(&s);
    const cc_transport_error *row = cc_transport_lookup(s.code);
    f->kind = row->kind;
    f->retryable = row->retryable && !is_final(&s);
    f->name = row->name;
    f->code = s.code;
    f->status = r->status;
    f->sent = sent_of(r, s.code);
    tell_end(&s, end);
}
