/* What the fuzz targets share: REQUIRE ends the process, which libFuzzer takes for a finding, and a
 * reader that hands out what libFuzzer made, a bit at a time. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct fuzz_input {
    const uint8_t *at, *end;
} fuzz_input;

/* 0 at the end. */
static inline unsigned fuzz_byte(fuzz_input *in) {
    return in->at < in->end ? *in->at++ : 0;
}

static inline size_t fuzz_left(const fuzz_input *in) {
    return (size_t)(in->end - in->at);
}

/* A copy of exactly that size, so that one byte too far is found; with a zero behind it if asked.
 */
static inline char *fuzz_copy(const void *bytes, size_t n, int zero) {
    char *copy = malloc(n + (zero ? 1 : 0) + (n + (zero ? 1 : 0) == 0));
    REQUIRE(copy);
    if (n) memcpy(copy, bytes, n);
    if (zero) copy[n] = '\0';
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
