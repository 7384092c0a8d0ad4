/* What a process has once: libcurl itself, and what can be known about it. */
#ifndef CC_GLOBAL_H
#define CC_GLOBAL_H

#include <stdbool.h>

typedef struct cc_about {
    const char *version, *ssl; /* of libcurl; static */
    unsigned version_num;      /* 0x075801 is 7.88.1 */
    bool http2;
    bool at_most_once; /* can it be kept from sending a request twice? (7.80.0) */
} cc_about;

/* Initialises libcurl, the first time; from any thread. */
void cc_global_init(void);

void cc_global_about(cc_about *out);

/* The file with the system's CA certificates, static; NULL if none was found, which on a system
 * that keeps them elsewhere (a keychain) is no mistake. */
const char *cc_global_bundle(void);

#endif
