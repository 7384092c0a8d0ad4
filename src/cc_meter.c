#include "cc_meter.h"

#include <stdlib.h>

cc_meter *cc_meter_new(void) {
    cc_meter *m = calloc(1, sizeof *m);
    return cc_meter_share(m);
}

cc_meter *cc_meter_share(cc_meter *m) {
    if (m) m->owners++;
    return m;
}

void cc_meter_drop(cc_meter *m) {
    if (m && --m->owners == 0) free(m);
}

void cc_meter_begin(cc_meter *m) {
    if (m) m->requests++;
}

void cc_meter_end(cc_meter *m, const cc_cost *cost) {
    if (!m) return;
    m->ended++;
    m->sum.connections += cost->connections;
    m->sum.sent += cost->sent;
    m->sum.received += cost->received;
    for (int i = 0; i < CC_STAGES; i++) m->sum.time[i] += cost->time[i];
}
