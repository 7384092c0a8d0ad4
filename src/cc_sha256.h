/* SHA-256 (FIPS 180-4): to tell inputs apart without keeping them. */
#ifndef CC_SHA256_H
#define CC_SHA256_H

#include <stddef.h>

/* Writes 64 hexadecimal digits and a zero byte. */
void cc_sha256_hex(const char *bytes, size_t n, char out[65]);

#endif
