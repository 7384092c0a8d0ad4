/* Buffers against a model, and every check of text: what is let through is what may be sent, what
 * is shown shows no credential.
 *
 * Input: which function, its bytes. */
#include "cc_text.h"

#include <curl/curl.h>
#include <strings.h>

#include "cc_buf.h"
#include "fuzz.h"

/* ---- buffers ---- */

enum { MODEL = 1 << 16 };

typedef struct model {
    char bytes[MODEL];
    size_t len;
} model;

static void add(cc_buf *b, model *m, const void *bytes, size_t n) {
    cc_buf_code code = cc_buf_add(b, bytes, n);
    REQUIRE(code == (n > b->max - m->len ? CC_BUF_FULL : CC_BUF_OK));
    if (code != CC_BUF_OK) return;
    if (n) memcpy(m->bytes + m->len, bytes, n);
    m->len += n;
}

static void buffer_step(cc_buf *b, model *m, fuzz_input *in) {
    size_t n;
    switch (fuzz_byte(in) % 8) {
    case 0:
        cc_buf_clear(b);
        m->len = 0;
        break;
    case 1:
        cc_buf_free(b);
        m->len = 0;
        break;
    case 2:
        n = fuzz_byte(in) * 37;
        REQUIRE(cc_buf_reserve(b, n) == (n > b->max - m->len ? CC_BUF_FULL : CC_BUF_OK));
        break;
    case 3:
        REQUIRE(cc_buf_reserve(b, SIZE_MAX - fuzz_byte(in)) == CC_BUF_FULL);
        break;
    default:
        n = fuzz_byte(in);
        if (n > fuzz_left(in)) n = fuzz_left(in);
        add(b, m, in->at, n);
        in->at += n;
    }
}

static void buffers(fuzz_input *in) {
    static model m;
    cc_buf b;
    m.len = 0;
    cc_buf_init(&b, (fuzz_byte(in) | fuzz_byte(in) << 8) % MODEL);
    while (fuzz_left(in)) {
        buffer_step(&b, &m, in);
        REQUIRE(b.len == m.len && b.len <= b.cap && b.cap <= b.max);
        REQUIRE(b.len == 0 || memcmp(b.data, m.bytes, b.len) == 0);
    }
    cc_buf_free(&b);
    cc_buf_free(&b);
}

/* ---- what is sent ---- */

static int is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* "host:port" as libcurl reads the URL, or nothing where it takes none or writes the host anew. */
static int as_curl_reads(const char *url, char *out, size_t size) {
    char *host = NULL, *port = NULL;
    CURLU *u = curl_url();
    REQUIRE(u);
    int ok = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
             curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
             curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (ok)
        ok = strlen(host) < 200 && !strchr(url, '%') && host[0] != '[' &&
             !(host[0] >= '0' && host[0] <= '9');
    if (ok) snprintf(out, size, "%s:%s", host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return ok;
}

/* A message must name the machine that libcurl would talk to, and no other. */
static void check_named(const char *url) {
    char shown[300], real[300];
    cc_text_host_port(shown, sizeof shown, url);
    REQUIRE(strlen(shown) < sizeof shown && !strchr(shown, '@'));
    if (!as_curl_reads(url, real, sizeof real)) return;
    size_t host = (size_t)(strrchr(real, ':') - real);
    REQUIRE(strncasecmp(shown, real, host + 1) == 0);
    long port = strtol(shown + host + 1, NULL, 10); /* 0080 is 80 */
    REQUIRE(port == strtol(real + host + 1, NULL, 10));
}

static void urls(const char *bytes, size_t n) {
    char small[8], *url = fuzz_copy(bytes, n, 1);
    if (!cc_text_check_url(url, n)) {
        for (size_t i = 0; i < n; i++) REQUIRE(!is_control(url[i]) && url[i] != ' ');
        REQUIRE(strncasecmp(url, cc_text_is_https(url) ? "https://" : "http://",
                            cc_text_is_https(url) ? 8 : 7) == 0);
        check_named(url);
    }
    cc_text_host_port(small, sizeof small, url);
    REQUIRE(strlen(small) < sizeof small);
    free(url);
}

static void headers(const char *bytes, size_t n) {
    char *line = fuzz_copy(bytes, n, 1);
    if (!cc_text_check_header(line, n)) {
        char *colon = strchr(line, ':');
        REQUIRE(colon && colon > line && strlen(line) == n);
        for (char *c = line; *c; c++) REQUIRE(!is_control(*c) || (*c == '\t' && c > colon));
        REQUIRE(!cc_text_header_is(line, "") && !memchr(line, ' ', (size_t)(colon - line)));
        bool empty = cc_text_header_is_empty(line);
        REQUIRE(empty == (strspn(colon + 1, " \t") == strlen(colon + 1)));
    }
    (void)cc_text_header_is(line, "if-range");
    free(line);
}

/* ---- what came ---- */

static void blocks(const char *bytes, size_t n) {
    int64_t first = -7, last = -7, total = -7;
    char *block = n ? fuzz_copy(bytes, n, 0) : NULL; /* as an empty buffer is */
    if (cc_text_content_range(block, n, &first, &last, &total)) {
        REQUIRE(first >= 0 && first <= last && total >= -1);
        REQUIRE(total == -1 || last < total);
    }
    const char *value = cc_text_has_header(block, n, "etag:", "\"v1\"") ? "\"v1\"" : "";
    if (*value) REQUIRE(memmem(block, n, value, strlen(value)));
    (void)cc_text_has_header(block, n, "last-modified:", "");
    free(block);
}

static void words(const char *bytes, size_t n) {
    char *text = fuzz_copy(bytes, n, 1), *out = malloc(n + 4);
    size_t size = n % 7 == 0 ? 1 + n / 2 : n + 4;
    cc_text_scrub(out, size, text);
    REQUIRE(strlen(out) < size && !strchr(out, '@') && !strchr(out, '#'));
    for (char *c = out; *c; c++) REQUIRE(!is_control(*c));
    REQUIRE(cc_text_has(text, "") == (*text != '\0'));
    (void)cc_text_has(text, "too large response headers");
    free(out);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, data + size};
    unsigned what = fuzz_byte(&in) % 5;
    const char *text = (const char *)in.at;
    if (what == 0)
        buffers(&in);
    else if (what == 1)
        urls(text, fuzz_left(&in));
    else if (what == 2)
        headers(text, fuzz_left(&in));
    else if (what == 3)
        blocks(text, fuzz_left(&in));
    else
        words(text, fuzz_left(&in));
    return 0;
}
