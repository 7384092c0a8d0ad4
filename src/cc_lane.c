#include "cc_lane.h"

#include <stddef.h>

#include "cc_sys.h"

#define MAX_STREAMS 250L /* on one HTTP/2 connection */

/* Callbacks of the multi handle: epoll and a number, nothing else. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
    (void)easy;
    cc_lane *lane = user;
    bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    cc_poll_watch(lane->poll, fd, lane->tag, in, out, known != NULL);
    if (!known) curl_multi_assign(lane->multi, fd, lane); /* any pointer: it is known now */
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
    (void)multi;
    cc_lane *lane = user;
    lane->due = ms < 0 ? CC_NEVER : cc_now_us() + (int64_t)ms * 1000;
    return 0;
}

void cc_lane_limit(cc_lane *lane, const cc_lane_limits *limits) {
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, limits->idle);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, limits->connections);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_HOST_CONNECTIONS, limits->host_connections);
}

bool cc_lane_open(cc_lane *lane, cc_poll *poll, int tag, const cc_lane_limits *limits) {
    CURLM *m = curl_multi_init();
    *lane = (cc_lane){m, poll, tag, CC_NEVER, false};
    if (!m) return false;
    curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, (void *)lane);
    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(m, CURLMOPT_TIMERDATA, (void *)lane);
    curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    cc_lane_limit(lane, limits);
#if LIBCURL_VERSION_NUM >= 0x074300
    curl_multi_setopt(m, CURLMOPT_MAX_CONCURRENT_STREAMS, MAX_STREAMS);
#endif
    return true;
}

void cc_lane_close(cc_lane *lane) {
    if (lane->multi) curl_multi_cleanup(lane->multi);
    lane->multi = NULL;
}

static void act(cc_lane *lane, curl_socket_t fd, int what) {
    int running;
    CURLMcode code = curl_multi_socket_action(lane->multi, fd, what, &running);
    if (code != CURLM_OK) lane->broken = true;
}

void cc_lane_act(cc_lane *lane, const cc_event *e) {
    int what = (e->in ? CURL_CSELECT_IN : 0) | (e->out ? CURL_CSELECT_OUT : 0) |
               (e->broken ? CURL_CSELECT_ERR : 0);
    act(lane, e->fd, what);
}

/* libcurl is asked only when its own time has come: it looks at every timer then. */
void cc_lane_tick(cc_lane *lane, int64_t now) {
    if (now < lane->due) return;
    lane->due = CC_NEVER; /* the callback sets the next one */
    act(lane, CURL_SOCKET_TIMEOUT, 0);
}

CURL *cc_lane_ended(cc_lane *lane, CURLcode *rc) {
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(lane->multi, &left))) {
        *rc = m->data.result;
        if (m->msg == CURLMSG_DONE) return m->easy_handle;
    }
    return NULL;
}
