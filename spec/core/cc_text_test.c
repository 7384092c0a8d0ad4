/* What the fuzz targets found in the checks of text, and what stands next to it. */
#include "cc_text.h"

#include <stdlib.h>

#include "check.h"

static const char *check_url(const char *url) {
    return cc_text_check_url(url, strlen(url));
}

/* libcurl and others differ about whose host that is. */
static void a_backslash_hides_no_host(void) {
    CHECK(check_url("http://a.test\\@b.test/") != NULL);
    CHECK(check_url("http://a.test\\b/") != NULL);
    CHECK(check_url("http://user:pass\\word@a.test/") != NULL);
    CHECK(check_url("http://a.test/b\\c") == NULL);
    CHECK(check_url("http://a.test?b\\c") == NULL);
}

static void check_shown(const char *url, const char *wanted) {
    char out[300];
    cc_text_host_port(out, sizeof out, url);
    CHECK_TEXT(out, wanted);
}

static void a_host_is_shown_with_its_port(void) {
    check_shown("http://a.test/x", "a.test:80");
    check_shown("https://u:p@a.test?x", "a.test:443");
    check_shown("https://a.test:/x", "a.test:443");
    check_shown("http://[::1]:8080/", "[::1]:8080");
    check_shown("http://[::1]/", "[::1]:80");
}

/* As an empty buffer is. For clang's sanitizer NULL + 0 is an error already. */
static void no_headers_are_no_headers(void) {
    int64_t first, last, total;
    CHECK(!cc_text_content_range(NULL, 0, &first, &last, &total));
    CHECK(!cc_text_has_header(NULL, 0, "etag:", "\"v1\""));
    CHECK(!cc_text_has_header(NULL, 0, "etag:", ""));
}

int main(void) {
    a_backslash_hides_no_host();
    a_host_is_shown_with_its_port();
    no_headers_are_no_headers();
    return CHECK_DONE;
}
