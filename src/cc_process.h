/* Which process is that, and does it still live? */
#ifndef CC_PROCESS_H
#define CC_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the mark of a process: `place.start`. The place is this boot of this machine (and this
 * container's own numbering of processes), so that equal places mean comparable process ids; the
 * start tells a process from a later one of the same id, "?" where it is hidden from us. False when
 * there is no such process, or only what is left of one that has ended. */
bool cc_process_mark(long pid, char *out, size_t size);

#endif
