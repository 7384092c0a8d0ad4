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
static cc_sink_code check_range(cc_sink *s, const cc_buf *headers) {
    int64_t first, last;
    if (!cc_text_content_range(headers->data, headers->len, &first, &last, &s->total)) {
        return CC_SINK_RANGE;
    }
    return first == s->offset ? CC_SINK_OK : CC_SINK_RANGE;
}

static cc_sink_code check_answer(cc_sink *s, long status, const cc_buf *headers, int64_t length) {
    if (status == 206) return check_range(s, headers);
    s->total = length;
    return s->offset == 0 ? CC_SINK_OK : CC_SINK_WHOLE;
}

cc_sink_code cc_sink_begin(cc_sink *s, long status, const cc_buf *headers, int64_t length) {
    cc_sink_code code = check_answer(s, status, headers, length);
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
