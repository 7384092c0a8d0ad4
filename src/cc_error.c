#include "cc_error.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const KINDS[CC_KIND_COUNT] = {
    [CC_KIND_NONE] = "none",
    [CC_KIND_NETWORK] = "network",
    [CC_KIND_TIMEOUT] = "timeout",
    [CC_KIND_TLS] = "tls",
    [CC_KIND_CANCELLED] = "cancelled",
    [CC_KIND_TOO_LARGE] = "too_large",
    [CC_KIND_BAD_RESPONSE] = "bad_response",
    [CC_KIND_REDIRECT] = "redirect",
    [CC_KIND_BAD_REQUEST] = "bad_request",
    [CC_KIND_AUTHENTICATION] = "authentication",
    [CC_KIND_FORBIDDEN] = "forbidden",
    [CC_KIND_NOT_FOUND] = "not_found",
    [CC_KIND_RATE_LIMITED] = "rate_limited",
    [CC_KIND_PLAN_LIMIT] = "plan_limit",
    [CC_KIND_INSUFFICIENT_BALANCE] = "insufficient_balance",
    [CC_KIND_WORKER_FAILED] = "worker_failed",
    [CC_KIND_VERSION_UNAVAILABLE] = "version_unavailable",
    [CC_KIND_RUN_CONFLICT] = "run_conflict",
    [CC_KIND_NOT_IMPLEMENTED] = "not_implemented",
    [CC_KIND_SERVER_ERROR] = "server_error",
    [CC_KIND_API_ERROR] = "api_error",
    [CC_KIND_FILE] = "file",
    [CC_KIND_INTERNAL] = "internal",
};

/* Short spellings, so that a row stays a row. */
#define NO_RETRY false
#define RETRY    true
#define REFUSED  CC_SENT_REFUSED
#define UNKNOWN  CC_SENT_UNKNOWN
#define K(name)  CC_KIND_##name

static const cc_api_error V1[] = {
    {4000, "INVALID_PARAMETERS", K(BAD_REQUEST), NO_RETRY, REFUSED, {400, 0}},
    {4010, "UNAUTHORIZED", K(FORBIDDEN), NO_RETRY, REFUSED, {401, 0}},
    {4040, "NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {404, 0}},
    {4290, "RATE_LIMITED", K(RATE_LIMITED), RETRY, REFUSED, {429, 0}},
    {5000, "INTERNAL_ERROR", K(SERVER_ERROR), RETRY, UNKNOWN, {500, 0}},
    {10001, "USER_NOT_FOUND", K(AUTHENTICATION), NO_RETRY, REFUSED, {401, 0}},
    {10002, "USER_DISABLED", K(AUTHENTICATION), NO_RETRY, REFUSED, {401, 0}},
    {20001, "INVALID_API_KEY", K(AUTHENTICATION), NO_RETRY, REFUSED, {401, 0}},
    {20002, "API_KEY_EXPIRED", K(AUTHENTICATION), NO_RETRY, REFUSED, {401, 0}},
    {30001, "INSUFFICIENT_BALANCE", K(INSUFFICIENT_BALANCE), NO_RETRY, REFUSED, {0, 0}},
    {30002, "INSUFFICIENT_TRAFFIC", K(INSUFFICIENT_BALANCE), NO_RETRY, REFUSED, {0, 0}},
    {50001, "WORKER_NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {404, 0}},
    {50002, "WORKER_RUN_FAILED", K(WORKER_FAILED), NO_RETRY, UNKNOWN, {0, 0}},
    {50003, "WORKER_VERSION_UNAVAILABLE", K(VERSION_UNAVAILABLE), NO_RETRY, REFUSED, {0, 0}},
    {60001, "TASK_NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {404, 0}},
    {70001, "RUN_NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {404, 0}},
    {70002, "RUN_ABORT_FAILED", K(RUN_CONFLICT), NO_RETRY, UNKNOWN, {500, 0}},
};

static const cc_api_error V2[] = {
    {10000, "SYSTEM_ERROR", K(SERVER_ERROR), RETRY, UNKNOWN, {500, 0}},
    {11000, "INVALID_ARGUMENT", K(BAD_REQUEST), NO_RETRY, REFUSED, {400, 422}},
    {11004, "NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {404, 0}},
    {12001, "UNAUTHORIZED", K(AUTHENTICATION), NO_RETRY, REFUSED, {401, 0}},
    {12002, "INVALID_TOKEN", K(AUTHENTICATION), NO_RETRY, REFUSED, {401, 0}},
    {13000, "RATE_LIMITED", K(RATE_LIMITED), RETRY, REFUSED, {429, 0}},
    {14000, "DATABASE_ERROR", K(SERVER_ERROR), RETRY, UNKNOWN, {500, 0}},
    {16000, "NOT_IMPLEMENTED", K(NOT_IMPLEMENTED), NO_RETRY, REFUSED, {0, 0}},
    {30001, "INSUFFICIENT_BALANCE", K(INSUFFICIENT_BALANCE), NO_RETRY, REFUSED, {0, 0}},
    {30003, "PLAN_CONCURRENCY_LIMITED", K(PLAN_LIMIT), RETRY, REFUSED, {0, 0}},
    {50001, "WORKER_NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {400, 404}},
    {50002, "WORKER_RUN_FAILED", K(WORKER_FAILED), NO_RETRY, UNKNOWN, {400, 0}},
    {50003, "WORKER_VERSION_UNAVAILABLE", K(VERSION_UNAVAILABLE), NO_RETRY, REFUSED, {400, 0}},
    {60001, "TASK_NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {400, 404}},
    {70001, "RUN_NOT_FOUND", K(NOT_FOUND), NO_RETRY, REFUSED, {400, 404}},
    {70002, "RUN_FAILED", K(RUN_CONFLICT), NO_RETRY, UNKNOWN, {400, 0}},
};

/* In order of the code, from 1 without a gap: the lookup indexes it.
 * Codes of protocols that are not switched on cannot come; they are bugs of ours if they do. */
static const cc_transport_error TRANSPORT[] = {
    /* 1 is what libcurl says of an answer that is not HTTP ("HTTP/0.9 when not allowed");
     * schemes other than http and https are refused before libcurl sees them. */
    {1, "UNSUPPORTED_PROTOCOL", K(BAD_RESPONSE), NO_RETRY},
    {2, "FAILED_INIT", K(INTERNAL), NO_RETRY},
    {3, "URL_MALFORMAT", K(BAD_REQUEST), NO_RETRY},
    {4, "NOT_BUILT_IN", K(INTERNAL), NO_RETRY},
    {5, "COULDNT_RESOLVE_PROXY", K(NETWORK), RETRY},
    {6, "COULDNT_RESOLVE_HOST", K(NETWORK), RETRY},
    {7, "COULDNT_CONNECT", K(NETWORK), RETRY},
    {8, "WEIRD_SERVER_REPLY", K(BAD_RESPONSE), NO_RETRY},
    {9, "REMOTE_ACCESS_DENIED", K(FORBIDDEN), NO_RETRY},
    {10, "FTP_ACCEPT_FAILED", K(INTERNAL), NO_RETRY},
    {11, "FTP_WEIRD_PASS_REPLY", K(INTERNAL), NO_RETRY},
    {12, "FTP_ACCEPT_TIMEOUT", K(INTERNAL), NO_RETRY},
    {13, "FTP_WEIRD_PASV_REPLY", K(INTERNAL), NO_RETRY},
    {14, "FTP_WEIRD_227_FORMAT", K(INTERNAL), NO_RETRY},
    {15, "FTP_CANT_GET_HOST", K(INTERNAL), NO_RETRY},
    {16, "HTTP2", K(NETWORK), RETRY},
    {17, "FTP_COULDNT_SET_TYPE", K(INTERNAL), NO_RETRY},
    {18, "PARTIAL_FILE", K(NETWORK), RETRY},
    {19, "FTP_COULDNT_RETR_FILE", K(INTERNAL), NO_RETRY},
    {20, "OBSOLETE20", K(INTERNAL), NO_RETRY},
    {21, "QUOTE_ERROR", K(INTERNAL), NO_RETRY},
    {22, "HTTP_RETURNED_ERROR", K(BAD_RESPONSE), NO_RETRY},
    {23, "WRITE_ERROR", K(FILE), NO_RETRY},
    {24, "OBSOLETE24", K(INTERNAL), NO_RETRY},
    {25, "UPLOAD_FAILED", K(INTERNAL), NO_RETRY},
    {26, "READ_ERROR", K(INTERNAL), NO_RETRY},
    {27, "OUT_OF_MEMORY", K(INTERNAL), NO_RETRY},
    {28, "OPERATION_TIMEDOUT", K(TIMEOUT), RETRY},
    {29, "OBSOLETE29", K(INTERNAL), NO_RETRY},
    {30, "FTP_PORT_FAILED", K(INTERNAL), NO_RETRY},
    {31, "FTP_COULDNT_USE_REST", K(INTERNAL), NO_RETRY},
    {32, "OBSOLETE32", K(INTERNAL), NO_RETRY},
    {33, "RANGE_ERROR", K(BAD_RESPONSE), NO_RETRY},
    {34, "HTTP_POST_ERROR", K(INTERNAL), NO_RETRY},
    {35, "SSL_CONNECT_ERROR", K(TLS), RETRY},
    {36, "BAD_DOWNLOAD_RESUME", K(BAD_RESPONSE), NO_RETRY},
    {37, "FILE_COULDNT_READ_FILE", K(INTERNAL), NO_RETRY},
    {38, "LDAP_CANNOT_BIND", K(INTERNAL), NO_RETRY},
    {39, "LDAP_SEARCH_FAILED", K(INTERNAL), NO_RETRY},
    {40, "OBSOLETE40", K(INTERNAL), NO_RETRY},
    {41, "FUNCTION_NOT_FOUND", K(INTERNAL), NO_RETRY},
    {42, "ABORTED_BY_CALLBACK", K(CANCELLED), NO_RETRY},
    {43, "BAD_FUNCTION_ARGUMENT", K(INTERNAL), NO_RETRY},
    {44, "OBSOLETE44", K(INTERNAL), NO_RETRY},
    {45, "INTERFACE_FAILED", K(NETWORK), NO_RETRY},
    {46, "OBSOLETE46", K(INTERNAL), NO_RETRY},
    {47, "TOO_MANY_REDIRECTS", K(REDIRECT), NO_RETRY},
    {48, "UNKNOWN_OPTION", K(INTERNAL), NO_RETRY},
    {49, "SETOPT_OPTION_SYNTAX", K(INTERNAL), NO_RETRY},
    {50, "OBSOLETE50", K(INTERNAL), NO_RETRY},
    {51, "OBSOLETE51", K(INTERNAL), NO_RETRY},
    {52, "GOT_NOTHING", K(NETWORK), RETRY},
    {53, "SSL_ENGINE_NOTFOUND", K(TLS), NO_RETRY},
    {54, "SSL_ENGINE_SETFAILED", K(TLS), NO_RETRY},
    {55, "SEND_ERROR", K(NETWORK), RETRY},
    {56, "RECV_ERROR", K(NETWORK), RETRY},
    {57, "OBSOLETE57", K(INTERNAL), NO_RETRY},
    {58, "SSL_CERTPROBLEM", K(TLS), NO_RETRY},
    {59, "SSL_CIPHER", K(TLS), NO_RETRY},
    {60, "PEER_FAILED_VERIFICATION", K(TLS), NO_RETRY},
    {61, "BAD_CONTENT_ENCODING", K(BAD_RESPONSE), NO_RETRY},
    {62, "OBSOLETE62", K(INTERNAL), NO_RETRY},
    {63, "FILESIZE_EXCEEDED", K(TOO_LARGE), NO_RETRY},
    {64, "USE_SSL_FAILED", K(TLS), NO_RETRY},
    {65, "SEND_FAIL_REWIND", K(NETWORK), RETRY},
    {66, "SSL_ENGINE_INITFAILED", K(TLS), NO_RETRY},
    {67, "LOGIN_DENIED", K(AUTHENTICATION), NO_RETRY},
    {68, "TFTP_NOTFOUND", K(INTERNAL), NO_RETRY},
    {69, "TFTP_PERM", K(INTERNAL), NO_RETRY},
    {70, "REMOTE_DISK_FULL", K(INTERNAL), NO_RETRY},
    {71, "TFTP_ILLEGAL", K(INTERNAL), NO_RETRY},
    {72, "TFTP_UNKNOWNID", K(INTERNAL), NO_RETRY},
    {73, "REMOTE_FILE_EXISTS", K(INTERNAL), NO_RETRY},
    {74, "TFTP_NOSUCHUSER", K(INTERNAL), NO_RETRY},
    {75, "OBSOLETE75", K(INTERNAL), NO_RETRY},
    {76, "OBSOLETE76", K(INTERNAL), NO_RETRY},
    {77, "SSL_CACERT_BADFILE", K(TLS), NO_RETRY},
    {78, "REMOTE_FILE_NOT_FOUND", K(INTERNAL), NO_RETRY},
    {79, "SSH", K(INTERNAL), NO_RETRY},
    {80, "SSL_SHUTDOWN_FAILED", K(TLS), NO_RETRY},
    {81, "AGAIN", K(NETWORK), RETRY},
    {82, "SSL_CRL_BADFILE", K(TLS), NO_RETRY},
    {83, "SSL_ISSUER_ERROR", K(TLS), NO_RETRY},
    {84, "FTP_PRET_FAILED", K(INTERNAL), NO_RETRY},
    {85, "RTSP_CSEQ_ERROR", K(INTERNAL), NO_RETRY},
    {86, "RTSP_SESSION_ERROR", K(INTERNAL), NO_RETRY},
    {87, "FTP_BAD_FILE_LIST", K(INTERNAL), NO_RETRY},
    {88, "CHUNK_FAILED", K(INTERNAL), NO_RETRY},
    {89, "NO_CONNECTION_AVAILABLE", K(NETWORK), RETRY},
    {90, "SSL_PINNEDPUBKEYNOTMATCH", K(TLS), NO_RETRY},
    {91, "SSL_INVALIDCERTSTATUS", K(TLS), NO_RETRY},
    {92, "HTTP2_STREAM", K(NETWORK), RETRY},
    {93, "RECURSIVE_API_CALL", K(INTERNAL), NO_RETRY},
    {94, "AUTH_ERROR", K(AUTHENTICATION), NO_RETRY},
    {95, "HTTP3", K(NETWORK), RETRY},
    {96, "QUIC_CONNECT_ERROR", K(NETWORK), RETRY},
    {97, "PROXY", K(NETWORK), NO_RETRY},
    {98, "SSL_CLIENTCERT", K(TLS), NO_RETRY},
    {99, "UNRECOVERABLE_POLL", K(INTERNAL), NO_RETRY},
    {100, "TOO_LARGE", K(TOO_LARGE), NO_RETRY}, /* 8.6.0 */
    {101, "ECH_REQUIRED", K(TLS), NO_RETRY},    /* 8.8.0 */
};

static const cc_transport_error UNKNOWN_TRANSPORT = {-1, "UNKNOWN", K(INTERNAL), NO_RETRY};

/* What a status says where no known code does. Statuses not listed go by their hundred. */
static const struct {
    short status;
    cc_kind kind;
    bool retryable;
} STATUSES[] = {
    {400, K(BAD_REQUEST), NO_RETRY}, {401, K(AUTHENTICATION), NO_RETRY},
    {403, K(FORBIDDEN), NO_RETRY},   {404, K(NOT_FOUND), NO_RETRY},
    {405, K(BAD_REQUEST), NO_RETRY}, {406, K(BAD_REQUEST), NO_RETRY},
    {408, K(API_ERROR), RETRY},      {410, K(NOT_FOUND), NO_RETRY},
    {411, K(BAD_REQUEST), NO_RETRY}, {413, K(BAD_REQUEST), NO_RETRY},
    {414, K(BAD_REQUEST), NO_RETRY}, {415, K(BAD_REQUEST), NO_RETRY},
    {422, K(BAD_REQUEST), NO_RETRY}, {425, K(API_ERROR), RETRY},
    {429, K(RATE_LIMITED), RETRY},   {431, K(BAD_REQUEST), NO_RETRY},
    {500, K(SERVER_ERROR), RETRY},   {501, K(NOT_IMPLEMENTED), NO_RETRY},
    {502, K(SERVER_ERROR), RETRY},   {503, K(SERVER_ERROR), RETRY},
    {504, K(SERVER_ERROR), RETRY},
};

const char *cc_kind_name(cc_kind kind) {
    return KINDS[kind];
}

const char *cc_sent_name(cc_sent sent) {
    static const char *const names[] = {"no", "refused", "unknown"};
    return names[sent];
}

const cc_api_error *cc_api_errors(cc_api api, size_t *n) {
    *n = api == CC_API_V1 ? COUNT(V1) : COUNT(V2);
    return api == CC_API_V1 ? V1 : V2;
}

const cc_transport_error *cc_transport_errors(size_t *n) {
    *n = COUNT(TRANSPORT);
    return TRANSPORT;
}

const cc_transport_error *cc_transport_lookup(int curl_code) {
    if (curl_code < 1 || (size_t)curl_code > COUNT(TRANSPORT)) return &UNKNOWN_TRANSPORT;
    return &TRANSPORT[curl_code - 1];
}

static const cc_api_error *find_code(cc_api api, long long code) {
    size_t n;
    const cc_api_error *row = cc_api_errors(api, &n);
    for (size_t i = 0; i < n; i++) {
        if (row[i].code == code) return &row[i];
    }
    return NULL;
}

static cc_verdict by_hundred(long status) {
    cc_verdict v = {CC_KIND_API_ERROR, false, CC_SENT_UNKNOWN, NULL};
    if (status < 200) v.kind = CC_KIND_BAD_RESPONSE;
    if (status >= 300 && status < 400) v.kind = CC_KIND_REDIRECT;
    if (status >= 500 && status < 600) v.kind = CC_KIND_SERVER_ERROR;
    return v;
}

static cc_verdict by_status(long status) {
    cc_verdict v = by_hundred(status);
    for (size_t i = 0; i < COUNT(STATUSES); i++) {
        if (STATUSES[i].status != status) continue;
        v.kind = STATUSES[i].kind;
        v.retryable = STATUSES[i].retryable;
    }
    return v;
}

cc_verdict cc_classify(cc_api api, long http_status, bool has_code, long long code) {
    bool fine = http_status >= 200 && http_status < 300;
    if (has_code && code != 0) {
        const cc_api_error *row = find_code(api, code);
        /* 30002 is met on v2 as well; understanding the other table costs nothing */
        if (!row) row = find_code(api == CC_API_V1 ? CC_API_V2 : CC_API_V1, code);
        if (row) return (cc_verdict){row->kind, row->retryable, row->sent, row->key};
        return by_status(http_status);
    }
    if (fine && has_code) return (cc_verdict){CC_KIND_NONE, false, CC_SENT_UNKNOWN, NULL};
    cc_verdict v = by_status(http_status);
    if (fine) v.kind = CC_KIND_BAD_RESPONSE; /* a success that nobody can read is none */
    return v;
}
