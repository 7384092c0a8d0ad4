/* What transfers cost, in numbers: counted for whoever submits them with a meter.
 *
 * A meter is the caller's side's alone. A request brings what it has cost when it is taken, or
 * freed without that. */
#ifndef CC_METER_H
#define CC_METER_H

#include <stdint.h>

/* Where the time of a transfer goes, in this order. */
typedef enum cc_stage {
    CC_QUEUED,     /* in line for a connection; looking the name up, where a new one is needed */
    CC_CONNECTING, /* TCP and TLS */
    CC_ANSWERING,  /* from when it may be sent to the first byte of the answer */
    CC_RECEIVING,
    CC_STAGES
} cc_stage;

typedef struct cc_cost {
    int64_t connections;     /* opened */
    int64_t sent, received;  /* bytes of bodies, as they travelled */
    int64_t time[CC_STAGES]; /* microseconds */
} cc_cost;

typedef struct cc_meter {
    int owners;
    int64_t requests, ended;
    cc_cost sum; /* of those that have ended */
} cc_meter;

/* With one owner; NULL when memory is out. */
cc_meter *cc_meter_new(void);

/* One more owner. NULL is fine, here and below. */
cc_meter *cc_meter_share(cc_meter *m);

/* One less; the last one frees it. */
void cc_meter_drop(cc_meter *m);

void cc_meter_begin(cc_meter *m);
void cc_meter_end(cc_meter *m, const cc_cost *cost);

#endif
