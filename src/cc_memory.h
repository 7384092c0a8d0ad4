/* Memory for libcurl that forgets: what it gives back is zeroed, for libcurl copies URLs, headers and
 * passwords into buffers of its own and leaves them in freed memory. */
#ifndef CC_MEMORY_H
#define CC_MEMORY_H

#include <stddef.h>

/* Only where the system tells how large a block is. */
#if defined(__linux__) || defined(__APPLE__) || defined(__FreeBSD__)
#define CC_HAVE_MEMORY 1
#else
#define CC_HAVE_MEMORY 0
#endif

/* As malloc and the others. For blocks that they or malloc have made. */
void *cc_memory_malloc(size_t n);
void cc_memory_free(void *block);
void *cc_memory_realloc(void *block, size_t n);
char *cc_memory_strdup(const char *text);

#endif
