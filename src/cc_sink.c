#include "cc_sink.h"

#include <unistd.h>

#include "cc_text.h"

void cc_sink_init(cc_sink *s) {
    *s = (cc_sink){.fd = -1, .total = -1};
}

bool cc_sink_open(cc_sink *s, const cc_file *file, int64_t offset, int64_t max) {
    cc_sink_init(s);
    s->fd = cc_file_share(file);
    s->offset = s->at = offset;
    s->max = max;
    return s->fd >= 0;
}

bool cc_sink_wants(const cc_sink *s, long status) {
    return s->fd >= 0 && (status == 200 || status == 206);
}

/* What a 206 says of itself must be what was asked for. */
static bool is_range(cc_sink *s, const cc_buf *headers) {
    int64_t first, last;
    return cc_text_content_range(headers->data, headers->len, &first, &last, &s->total) &&
           first == s->offset;
}

/* Not every server heeds If-Range; then its answer tells. */
static bool is_same_file(const cc_buf *headers, const char *validator) {
    return !validator || cc_text_has_header(headers->data, headers->len, "etag:", validator) ||
           cc_text_has_header(headers->data, headers->len, "last-modified:", validator);
}

static cc_sink_code check_answer(cc_sink *s, long status, const cc_buf *headers, int64_t length,
                                 const char *validator) {
    if (status == 206) {
        bool good = is_range(s, headers) && is_same_file(headers, validator);
        return good ? CC_SINK_OK : CC_SINK_RANGE;
    }
    s->total = length;
    return s->offset == 0 ? CC_SINK_OK : CC_SINK_WHOLE;
}

cc_sink_code cc_sink_begin(cc_sink *s, long status, const cc_buf *headers, int64_t length,
                           const char *validator) {
    cc_sink_code code = check_answer(s, status, headers, length, validator);
    if (code != CC_SINK_OK) return code;
    if (s->total > s->max) return CC_SINK_FULL;
    s->error = cc_file_truncate(&(cc_file){s->fd}, s->offset);
    if (s->error) return CC_SINK_ERROR;
    s->begun = true;
    return CC_SINK_OK;
}

cc_sink_code cc_sink_write(cc_sink *s, const char *bytes, size_t n) {
    if ((int64_t)n > s->max - s->at) return CC_SINK_FULL;
    s->error = cc_file_write(s->fd, bytes, n, s->at);
    if (s->error) return CC_SINK_ERROR;
    s->at += (int64_t)n;
    s->written += (int64_t)n;
    return CC_SINK_OK;
}

void cc_sink_close(cc_sink *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}
