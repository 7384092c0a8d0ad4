/* One multi handle of libcurl, driven by events of a cc_poll.
 *
 * An engine has two lanes. Requests that must be sent once have connections of their own, which
 * nobody else may join. And libcurl remembers of each host whether it speaks HTTP/2: one request
 * that insists on HTTP/1.1, as they do with an old libcurl, makes it forget, and what had run on one
 * connection lines up. */
#ifndef CC_LANE_H
#define CC_LANE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "cc_poll.h"

typedef struct cc_lane {
    CURLM *multi; /* NULL while closed */
    cc_poll *poll;
    int tag;     /* of the events that are for this lane */
    int64_t due; /* when libcurl wants to be asked, CC_NEVER if it does not */
    bool broken; /* libcurl had no memory to remember a socket: some transfer would wait for ever */
} cc_lane;

typedef struct cc_lane_limits {
    long connections, host_connections,
        idle; /* 0: libcurl's default, which is none for the first two */
} cc_lane_limits;

/* False when memory is out. The lane must stay where it is until it is closed. */
bool cc_lane_open(cc_lane *lane, cc_poll *poll, int tag, const cc_lane_limits *limits);

/* Changes them; connections that are over the new numbers live on until they are idle. */
void cc_lane_limit(cc_lane *lane, const cc_lane_limits *limits);

/* Every easy handle must have left. The poll must still be open. */
void cc_lane_close(cc_lane *lane);

/* Something happened to a socket of this lane. */
void cc_lane_act(cc_lane *lane, const cc_event *event);

/* Asks libcurl if its time has come. */
void cc_lane_tick(cc_lane *lane, int64_t now);

/* The next transfer that libcurl has ended, with its result, or NULL. It is still in the lane. */
CURL *cc_lane_ended(cc_lane *lane, CURLcode *rc);

#endif
