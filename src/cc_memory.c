#include "cc_memory.h"

#include <stdlib.h>
#include <string.h>

#include "cc_block.h"

#if defined(__APPLE__)
#include <malloc/malloc.h>
#define USABLE(block) malloc_size(block)
#elif defined(__FreeBSD__)
#include <malloc_np.h>
#define USABLE(block) malloc_usable_size(block)
#elif defined(__linux__)
#include <malloc.h>
#define USABLE(block) malloc_usable_size(block)
#else
#define USABLE(block) ((size_t)0)
#endif

/* What is larger are buffers for bodies; before a body stands the head of its request. Wiping all of
 * the 128 KiB that each transfer receives into would cost as much as a tenth of a small one. */
#define SMALL (32u << 10)
#define HEAD  (8u << 10)

static size_t wiped(size_t n) {
    return n <= SMALL ? n : HEAD;
}

/* As cc_wipe, without a call: there are fifty of them for each request. */
static void wipe(void *block, size_t n) {
    memset(block, 0, n);
    __asm__ __volatile__("" : : "r"(block) : "memory");
}

void *cc_memory_malloc(size_t n) {
    void *block = cc_block_take(n);
    return block ? block : malloc(n);
}

void cc_memory_free(void *block) {
    if (!block || cc_block_give(block)) return;
    wipe(block, wiped(USABLE(block)));
    free(block);
}

static size_t usable(void *block) {
    return cc_block_owns(block) ? CC_BLOCK_MAX : USABLE(block);
}

/* Moves by itself: realloc would leave the old block as it was. */
void *cc_memory_realloc(void *block, size_t n) {
    if (!block || n == 0) return realloc(block, n);
    size_t old = usable(block);
    if (n <= old && n > old / 2) return block;
    void *grown = malloc(n);
    if (!grown) return NULL;
    memcpy(grown, block, old < n ? old : n);
    cc_memory_free(block);
    return grown;
}

char *cc_memory_strdup(const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    return copy ? memcpy(copy, text, n) : NULL;
}
