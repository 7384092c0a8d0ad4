/* What a process has once: libcurl itself, and what can be known about it. */
#ifndef CC_GLOBAL_H
#define CC_GLOBAL_H

#include <stdbool.h>

typedef struct cc_about {
    const char *version, *ssl; /* of libcurl; static */
    unsigned version_num;      /* 0x075801 is 7.88.1 */
    const char *encodings;     /* see cc_global_encodings */
    bool http2;
    bool guards; /* see cc_global_guards */
} cc_about;

/* Initialises libcurl, the first time; from any thread. */
void cc_global_init(void);

void cc_global_about(cc_about *out);

/* Does libcurl ask before it sends (CURLOPT_PREREQFUNCTION, 7.80.0)? If not, a request that must
 * leave once keeps to a fresh HTTP/1.1 connection, on which libcurl does not resend, and fewer
 * failures are known to have come before anything was sent. */
bool cc_global_guards(void);

/* The file with the system's CA certificates, static; NULL if none was found, which on a system
 * that keeps them elsewhere (a keychain) is no mistake. */
const char *cc_global_bundle(void);

/* The header that offers every coding of some use which this libcurl can undo, static; NULL: it can
 * none. Its own says the same, but takes twice as long: libcurl writes that text byte by byte, and
 * that one two times. (deflate is left out: nobody has it alone, and of what it means there are two
 * opinions.) */
const char *cc_global_encodings(void);

/* libcurl 7.83 to 8.1: a handle that carries a second transfer still has a pointer to the last
 * header of the first, which is freed, and writes there when the second answer begins with a folded
 * line. Any server can do that; so no handle carries two. (curl's pull request 11103) */
bool cc_global_stale_headers(void);

#endif
