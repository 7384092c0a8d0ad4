/* The few things the core needs from the system: clocks and a little randomness. */
#ifndef CC_SYS_H
#define CC_SYS_H

#include <stdint.h>

/* Microseconds of the monotonic clock. Only differences mean anything. */
int64_t cc_now_us(void);

/* Seconds since 1970, with fraction. May jump when somebody sets the clock. */
double cc_unix_time(void);

/* A number in [0, 1) from the system's generator. For jitter; never for secrets. */
double cc_random(void);

#endif
