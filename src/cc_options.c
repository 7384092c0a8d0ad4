#include "cc_options.h"

#include <stdlib.h>
#include <string.h>

#include "cc_callback.h"
#include "cc_global.h"
#include "cc_text.h"

#define RECEIVE_BUFFER (128 * 1024L) /* paging is 1.6 times faster than with the default 16 KiB */
#define FILE_BUFFER    (512 * 1024L)
#define SMALL_BODY     (16u << 10) /* goes into the socket's buffer at once */

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

CURLcode cc_options_constant(cc_request *r) {
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

/* The same for what a new handle has already: most requests want nothing but that. */
#define SET_UNLESS(usual, r, rc, option, value)                                                    \
    do {                                                                                           \
        if (!(usual) || (r)->past != CC_NEW) SET((r)->easy, (rc), (option), (value));              \
    } while (0)

/* Whether the verb carries a body is libcurl's business only as far as "Content-Length: 0" goes. */
static CURLcode set_method(cc_request *r, const char *method) {
    CURL *e = r->easy;
    CURLcode rc = CURLE_OK;
    bool head = strcmp(method, "HEAD") == 0, sends = r->sends;
    if (r->past == CC_NEW && strcmp(method, "GET") == 0 && !sends) return rc;
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
    SET_UNLESS(!s->insecure, r, rc, CURLOPT_SSL_VERIFYPEER, s->insecure ? 0L : 1L);
    SET_UNLESS(!s->insecure, r, rc, CURLOPT_SSL_VERIFYHOST, s->insecure ? 0L : 2L);
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
    if (r->past == CC_NEW && !s->cert_file) return rc;
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
    SET_UNLESS(!s->once, r, rc, CURLOPT_FRESH_CONNECT, s->once ? 1L : 0L);
    /* no other would use it: see cc_lane.h */
    SET_UNLESS(!s->once, r, rc, CURLOPT_FORBID_REUSE, s->once ? 1L : 0L);
    SET_UNLESS(!s->proxy, r, rc, CURLOPT_PROXY, s->proxy);
    SET_UNLESS(!s->no_proxy, r, rc, CURLOPT_NOPROXY, s->no_proxy);
    SET(e, rc, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->connect_timeout * 1000 + 0.999));
    if (rc == CURLE_OK && h2) {
        h2 = curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK;
    }
    if (!h2) SET(e, rc, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    r->may_stall = h2 && r->body_len > 0;
    bool waits = h2 && !s->once, watched = s->idle_timeout > 0 && r->body_len > SMALL_BODY;
    SET_UNLESS(!waits, r, rc, CURLOPT_PIPEWAIT, waits ? 1L : 0L);
    SET_UNLESS(!watched, r, rc, CURLOPT_NOPROGRESS, watched ? 0L : 1L);
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

static CURLcode set_url(cc_request *r, const cc_spec *s) {
    r->private_url = s->auth == CC_AUTH_QUERY;
    if (!r->private_url) return curl_easy_setopt(r->easy, CURLOPT_URL, s->url);
    char *url = cc_secret_url(&s->secret, s->url);
    CURLcode rc = url ? curl_easy_setopt(r->easy, CURLOPT_URL, url) : CURLE_OUT_OF_MEMORY;
    cc_wipe_text(url);
    free(url);
    return rc;
}

CURLcode cc_options_set(cc_request *r, const cc_spec *s, const char *bundle) {
    CURLcode rc = set_url(r, s);
    if (rc == CURLE_OK) rc = set_method(r, s->method);
    if (rc == CURLE_OK) rc = set_trust(r, s, bundle);
    if (rc == CURLE_OK) rc = set_identity(r, s);
    if (rc == CURLE_OK) rc = set_connection(r, s);
    if (rc == CURLE_OK) rc = set_receiving(r, s);
    return rc;
}
