/* The few things the core needs from the system: clocks, a little randomness, who we are. */
#ifndef CC_SYS_H
#define CC_SYS_H

#include <stdint.h>
#include <sys/types.h>

/* Microseconds of the monotonic clock. Only differences mean anything. */
int64_t cc_now_us(void);

/* Seconds since 1970, with fraction. May jump when somebody sets the clock. */
double cc_unix_time(void);

/* A number in [0, 1) from the system's generator. For jitter; never for secrets. */
double cc_random(void);

/* getpid, but without a system call where it need not be. */
pid_t cc_pid(void);

#endif
