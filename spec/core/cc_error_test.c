/* The error table against curl.h, and the texts that it judges and makes. */
#include "cc_error.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "cc_message.h"
#include "cc_text.h"
#include "check.h"

/* Every code of libcurl 7.88.1, as its header lists them. */
#define CODES                                                                                       \
    X(UNSUPPORTED_PROTOCOL)                                                                         \
    X(FAILED_INIT) X(URL_MALFORMAT) X(NOT_BUILT_IN) X(COULDNT_RESOLVE_PROXY) X(                     \
        COULDNT_RESOLVE_HOST) X(COULDNT_CONNECT) X(WEIRD_SERVER_REPLY) X(REMOTE_ACCESS_DENIED)      \
        X(FTP_ACCEPT_FAILED) X(FTP_WEIRD_PASS_REPLY) X(FTP_ACCEPT_TIMEOUT) X(                       \
            FTP_WEIRD_PASV_REPLY) X(FTP_WEIRD_227_FORMAT) X(FTP_CANT_GET_HOST) X(HTTP2)             \
            X(FTP_COULDNT_SET_TYPE) X(PARTIAL_FILE) X(FTP_COULDNT_RETR_FILE) X(OBSOLETE20) X(       \
                QUOTE_ERROR) X(HTTP_RETURNED_ERROR) X(WRITE_ERROR) X(OBSOLETE24) X(UPLOAD_FAILED)   \
                X(READ_ERROR) X(OUT_OF_MEMORY) X(OPERATION_TIMEDOUT) X(OBSOLETE29) X(               \
                    FTP_PORT_FAILED) X(FTP_COULDNT_USE_REST) X(OBSOLETE32) X(RANGE_ERROR)           \
                    X(HTTP_POST_ERROR) X(SSL_CONNECT_ERROR) X(BAD_DOWNLOAD_RESUME) X(               \
                        FILE_COULDNT_READ_FILE) X(LDAP_CANNOT_BIND) X(LDAP_SEARCH_FAILED)           \
                        X(OBSOLETE40) X(FUNCTION_NOT_FOUND) X(ABORTED_BY_CALLBACK) X(               \
                            BAD_FUNCTION_ARGUMENT) X(OBSOLETE44) X(INTERFACE_FAILED) X(OBSOLETE46)  \
                            X(TOO_MANY_REDIRECTS) X(UNKNOWN_OPTION) X(SETOPT_OPTION_SYNTAX) X(      \
                                OBSOLETE50) X(OBSOLETE51) X(GOT_NOTHING) X(SSL_ENGINE_NOTFOUND)     \
                                X(SSL_ENGINE_SETFAILED) X(SEND_ERROR) X(RECV_ERROR) X(              \
                                    OBSOLETE57) X(SSL_CERTPROBLEM) X(SSL_CIPHER)                    \
                                    X(PEER_FAILED_VERIFICATION) X(BAD_CONTENT_ENCODING) X(          \
                                        OBSOLETE62) X(FILESIZE_EXCEEDED) X(USE_SSL_FAILED)          \
                                        X(SEND_FAIL_REWIND) X(SSL_ENGINE_INITFAILED) X(             \
                                            LOGIN_DENIED) X(TFTP_NOTFOUND) X(TFTP_PERM)             \
                                            X(REMOTE_DISK_FULL) X(TFTP_ILLEGAL) X(                  \
                                                TFTP_UNKNOWNID) X(REMOTE_FILE_EXISTS)               \
                                                X(TFTP_NOSUCHUSER) X(OBSOLETE75) X(OBSOLETE76) X(   \
                                                    SSL_CACERT_BADFILE) X(REMOTE_FILE_NOT_FOUND)    \
                                                    X(SSH) X(SSL_SHUTDOWN_FAILED) X(AGAIN) X(       \
                                                        SSL_CRL_BADFILE) X(SSL_ISSUER_ERROR)        \
                                                        X(FTP_PRET_FAILED) X(RTSP_CSEQ_ERROR) X(    \
                                                            RTSP_SESSION_ERROR)                     \
                                                            X(FTP_BAD_FILE_LIST) X(CHUNK_FAILED) X( \
                                                                NO_CONNECTION_AVAILABLE)            \
                                                                X(SSL_PINNEDPUBKEYNOTMATCH) X(      \
                                                                    SSL_INVALIDCERTSTATUS)          \
                                                                    X(HTTP2_STREAM) X(              \
                                                                        RECURSIVE_API_CALL)         \
                                                                        X(AUTH_ERROR) X(HTTP3) X(   \
                                                                            QUIC_CONNECT_ERROR)     \
                                                                            X(PROXY) X(             \
                                                                                SSL_CLIENTCERT)     \
                                                                                X(UNRECOVERABLE_POLL)

static void check_code(int code, const char *name) {
    const cc_transport_error *row = cc_transport_lookup(code);
    CHECK(row->code == code);
    CHECK_TEXT(row->name, name);
    CHECK(row->kind > CC_KIND_NONE && row->kind < CC_KIND_COUNT);
}

static void every_code_of_the_header_is_in_the_table(void) {
#if LIBCURL_VERSION_NUM >= 0x075800
#define X(name) check_code(CURLE_##name, #name);
    CODES
#undef X
#endif
    size_t n;
    cc_transport_errors(&n);
    CHECK(n >= 99);
    CHECK((int)n + 1 >= (int)CURL_LAST || LIBCURL_VERSION_NUM > 0x080800);
}

static void codes_that_nobody_knows_are_internal(void) {
    int codes[] = {0, -1, 102, 100000, -2147483647};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        CHECK(cc_transport_lookup(codes[i])->kind == CC_KIND_INTERNAL);
        CHECK_TEXT(cc_transport_lookup(codes[i])->name, "UNKNOWN");
    }
}

static void every_kind_has_a_name_of_its_own(void) {
    for (int a = 0; a < CC_KIND_COUNT; a++) {
        CHECK(cc_kind_name((cc_kind)a) && cc_kind_name((cc_kind)a)[0]);
        for (int b = 0; b < a; b++) {
            CHECK(strcmp(cc_kind_name((cc_kind)a), cc_kind_name((cc_kind)b)) != 0);
        }
    }
}

/* Whatever came: a kind, and "refused" only on the platform's own word. */
static void every_answer_is_judged(void) {
    for (long status = -1; status < 1000; status++) {
        for (long long code = -1; code < 80000; code += 10000) {
            cc_verdict v = cc_classify(CC_API_V2, status, true, code);
            bool fine = status >= 200 && status < 300;
            CHECK((v.kind == CC_KIND_NONE) == (fine && code == 0));
            CHECK(v.sent == CC_SENT_UNKNOWN || (v.key && v.sent == CC_SENT_REFUSED));
        }
        cc_verdict v = cc_classify(CC_API_V1, status, false, 0);
        CHECK(v.kind != CC_KIND_NONE && v.sent == CC_SENT_UNKNOWN);
    }
}

/* ---- texts ---- */

static void check_scrub(const char *in, const char *out) {
    char got[200];
    cc_text_scrub(got, sizeof got, in);
    CHECK_TEXT(got, out);
}

static void secrets_are_cut_from_texts(void) {
    check_scrub("", "");
    check_scrub("Could not resolve host: example.org", "Could not resolve host: example.org");
    check_scrub("a  b ", "a  b ");
    check_scrub("bad http://u:p@h/x?token=1 here", "bad h/x... here");
    check_scrub("u:p@h", "h");
    check_scrub("u:p@q@h", "h");
    check_scrub("http://h/?token=a@b", "...");
    check_scrub("http://h/?a=1&token=2", "http://h/...");
    check_scrub("'http://h/#token'", "'http://h/...");
    check_scrub("http://u:p?w@h/", "...");
    check_scrub("token@", "");
    check_scrub("?", "...");
    check_scrub("a\r\nb\x01\x7f", "a??b??");
}

static void long_texts_are_cut_short(void) {
    char small[5];
    cc_text_scrub(small, sizeof small, "123456789");
    CHECK_TEXT(small, "1234");
    cc_text_scrub(small, 1, "123456789");
    CHECK_TEXT(small, "");
}

static void check_host(const char *url, const char *wanted) {
    char got[300];
    cc_text_host_port(got, sizeof got, url);
    CHECK_TEXT(got, wanted);
}

static void hosts_are_found(void) {
    check_host("http://a", "a:80");
    check_host("https://a/b:1", "a:443");
    check_host("HTTPS://a?x", "a:443");
    check_host("http://a:81/", "a:81");
    check_host("http://u:p@a:81/", "a:81");
    check_host("http://u:p@q@a#x", "a:80");
    check_host("http://[::1]/", "[::1]:80");
    check_host("http://[::1]:8080/", "[::1]:8080");
    check_host("", ":80");
}

static const char *url_error(const char *url) {
    return cc_text_check_url(url, strlen(url));
}

static const char *header_error(const char *line) {
    return cc_text_check_header(line, strlen(line));
}

static void urls_and_headers_are_checked(void) {
    CHECK(!url_error("http://a") && !url_error("HTTPS://a/?q=%20#f") &&
          !url_error("http://\xc3\xa4/"));
    CHECK(url_error("") && url_error("http") && url_error("http://") && url_error("ftp://a"));
    CHECK(url_error("http://a b") && url_error("http://a\n") && url_error("https://:1/"));
    CHECK(cc_text_check_url("http://a\0b", 10));
    CHECK(!header_error("A: b") && !header_error("A:") && !header_error("A:\tb \xff"));
    CHECK(header_error("") && header_error(":") && header_error("A") && header_error("A b: c"));
    CHECK(header_error("A: b\nC: d") && header_error("A: b\r") && header_error("A\n: b"));
    CHECK(cc_text_check_header("A: \0", 4));
    CHECK(cc_text_header_is("Content-TYPE: x", "content-type"));
    CHECK(!cc_text_header_is("Content-Types: x", "content-type"));
    CHECK(cc_text_header_is_empty("A: \t") && !cc_text_header_is_empty("A: b"));
}

static bool range(const char *block, int64_t *first, int64_t *last, int64_t *total) {
    return cc_text_content_range(block, strlen(block), first, last, total);
}

static void ranges_are_read(void) {
    int64_t a, b, n;
    CHECK(range("HTTP/1.1 206 X\r\ncontent-RANGE:  bytes 5-9/10\r\n\r\n", &a, &b, &n));
    CHECK(a == 5 && b == 9 && n == 10);
    CHECK(range("Content-Range: bytes 0-0/*\r\n", &a, &b, &n) && n == -1);
    CHECK(range("Content-Range: bytes 0-8999999999/9000000000 \r\n", &a, &b, &n));
    CHECK(n == 9000000000);
    static const char *const bad[] = {
        "",
        "\n",
        "Content-Range:",
        "Content-Range: \r\n",
        "Content-Range: bytes 5-9/10",
        "Content-Range: bytes 5-9/10x\r\n",
        "Content-Range: bytes 9-5/10\r\n",
        "Content-Range: bytes 5-10/10\r\n",
        "Content-Range: bytes */10\r\n",
        "Content-Range: bytes 5-9\r\n",
        "Content-Range: bytes -9/10\r\n",
        "Content-Range: lines 5-9/10\r\n",
        "X-Content-Range: bytes 5-9/10\r\n",
        "Content-Range: bytes 5-9/*x\r\n",
        "Content-Range: bytes 5-9/*",
        "Content-Range: bytes 5-99999999999999999999/999999999999999999999\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!range(bad[i], &a, &b, &n));
    CHECK(!cc_text_content_range(NULL, 0, &a, &b, &n));
}

/* Every length of a block that is cut: the sanitizers watch the bytes behind it. */
static void cut_blocks_are_read_to_their_end_only(void) {
    static const char block[] = "Content-Range: bytes 5-9/10\r\nETag: \"x\"\r\n";
    int64_t a, b, n;
    for (size_t i = 0; i < sizeof block; i++) {
        char *copy = malloc(i ? i : 1);
        memcpy(copy, block, i);
        CHECK(cc_text_content_range(copy, i, &a, &b, &n) == (i > 27));
        CHECK(cc_text_has_header(copy, i, "etag:", "\"x\"") == (i > 37));
        free(copy);
    }
}

static bool has(const char *block, const char *name, const char *value) {
    return cc_text_has_header(block, strlen(block), name, value);
}

static void headers_are_compared(void) {
    static const char *const block = "A: 1\r\nETag:\t\"v1\" \r\nB: 2\r\n";
    CHECK(has(block, "etag:", "\"v1\"") && has(block, "b:", "2"));
    CHECK(!has(block, "etag:", "\"v\"") && !has(block, "etag:", "\"v11\""));
    CHECK(!has(block, "etag:", "") && !has(block, "tag:", "\"v1\""));
    CHECK(!cc_text_has_header(NULL, 0, "etag:", "x"));
}

/* ---- messages that no server on loopback provokes ---- */

static const char *message_of(cc_request *r, CURLcode rc, const char *words) {
    snprintf(r->curl_message, sizeof r->curl_message, "%s", words);
    cc_message_fill(r, CC_END_CURL, rc, 1000000);
    return r->failure.message;
}

static void advice_fits_the_certificate(void) {
    cc_request *r = cc_request_new(NULL, NULL);
    CURLcode bad = CURLE_PEER_FAILED_VERIFICATION;
    CHECK(strstr(message_of(r, bad, "SSL certificate problem: certificate has expired"), "clock"));
    CHECK(strstr(message_of(r, bad, "certificate is not yet valid"), "clock"));
    CHECK(strstr(message_of(r, bad, "no alternative certificate subject name matches"),
                 "check the URL"));
    CHECK(strstr(message_of(r, bad, "unable to get local issuer certificate"), "ca_file"));
    CHECK(r->failure.kind == CC_KIND_TLS && r->failure.sent == CC_SENT_NO);
    cc_request_free(r);
}

/* Each code gets a message, and none ever holds more than fits. */
static void every_code_has_a_message(void) {
    cc_request *r = cc_request_new(NULL, NULL);
    char words[CURL_ERROR_SIZE];
    memset(words, 'w', sizeof words);
    words[sizeof words - 1] = '\0';
    for (int code = 1; code < 110; code++) {
        const char *text = message_of(r, (CURLcode)code, code % 2 ? words : "");
        CHECK(strlen(text) > 5 && strlen(text) < CC_MESSAGE_SIZE);
        CHECK(r->failure.name != NULL && r->failure.kind != CC_KIND_NONE);
    }
    cc_request_free(r);
}

int main(void) {
    every_code_of_the_header_is_in_the_table();
    codes_that_nobody_knows_are_internal();
    every_kind_has_a_name_of_its_own();
    every_answer_is_judged();
    secrets_are_cut_from_texts();
    long_texts_are_cut_short();
    hosts_are_found();
    urls_and_headers_are_checked();
    ranges_are_read();
    cut_blocks_are_read_to_their_end_only();
    headers_are_compared();
    advice_fits_the_certificate();
    every_code_has_a_message();
    return CHECK_DONE;
}
