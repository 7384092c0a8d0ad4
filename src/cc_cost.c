/* What a round of a transfer has cost. */
#include <string.h>

#include "cc_global.h"
#include "cc_request.h"

static int64_t number(CURL *easy, CURLINFO what) {
    curl_off_t n = 0;
    curl_easy_getinfo(easy, what, &n);
    return n > 0 ? (int64_t)n : 0;
}

/* Of a libcurl that does not say when it is about to send. */
static int64_t ready_by_libcurl(const cc_request *r) {
    return r->marks[CC_ANSWERING] - number(r->easy, CURLINFO_STARTTRANSFER_TIME_T) +
           number(r->easy, CURLINFO_PRETRANSFER_TIME_T);
}

/* By our own clock: libcurl's times leave out the wait for a connection. */
static void add_times(cc_request *r, int64_t now) {
    int64_t before = r->round;
    int stage = CC_QUEUED;
    for (int i = CC_QUEUED; i < CC_RECEIVING; i++) {
        if (r->marks[i] < before) continue; /* it was none, or has not ended */
        r->cost.time[stage] += r->marks[i] - before;
        before = r->marks[i];
        stage = i + 1;
    }
    r->cost.time[stage] += now - before;
}

void cc_request_begin_round(cc_request *r, int64_t now) {
    if (r->redirects == 0) r->cost.time[CC_QUEUED] = now - r->started; /* until the loop had it */
    r->round = now;
    memset(r->marks, 0, sizeof r->marks);
}

void cc_request_end_round(cc_request *r, int64_t now) {
    long connections = 0;
    if (!r->meter || !r->round) return; /* libcurl has not seen it */
    curl_easy_getinfo(r->easy, CURLINFO_NUM_CONNECTS, &connections);
    r->cost.connections += connections;
    r->cost.sent += number(r->easy, CURLINFO_SIZE_UPLOAD_T);
    r->cost.received += number(r->easy, CURLINFO_SIZE_DOWNLOAD_T);
    if (!cc_global_guards() && r->marks[CC_ANSWERING])
        r->marks[CC_CONNECTING] = ready_by_libcurl(r);
    add_times(r, now);
    r->round = 0;
}
