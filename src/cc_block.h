/* The large blocks that libcurl wants one of for each transfer, to receive into. malloc would map
 * each of them until the first is freed, and from then on cut them from its heap, between smaller
 * blocks that keep it from ever shrinking again. Here each has a place of its own: the few that are
 * in use at a time stay in the processor's caches, and the memory of the others goes back at once. */
#ifndef CC_BLOCK_H
#define CC_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Largest block that has a place, smallest that gets one. */
#define CC_BLOCK_MAX (132u << 10)
#define CC_BLOCK_MIN (64u << 10)

/* A block of n bytes; NULL where malloc is to be asked. */
void *cc_block_take(size_t n);

/* So many bytes of an answer stand there now, after so many of headers. What is not in one of these
 * blocks is none of its business. */
void cc_block_note(const void *bytes, size_t n, size_t headers);

/* Gives it back and forgets what stood in its first 8 KiB at least, 4 KiB where no more was noted;
 * false: it is not one of these. */
bool cc_block_give(void *block);

/* Is it one of these? */
bool cc_block_owns(const void *block);

#endif
