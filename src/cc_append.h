/* Lines at the end of a file that many processes write to, each of them on the disk. */
#ifndef CC_APPEND_H
#define CC_APPEND_H

#include <stdbool.h>
#include <stddef.h>

/* Appends n bytes, which end with a newline, as a line of their own, and waits until the disk has
 * them. A file that is missing is created, for its owner only; with sync_folder, or when it was
 * created, its name is on the disk as well. Lines of several processes never mix; a line that a
 * crash or a full disk has cut short is ended first and does not touch this one. Never follows a
 * symbolic link, takes regular files only, never waits for anybody.
 *
 * Returns 0 or an errno (cc_file_message): then nothing, or a part of the line, was written. */
int cc_append_line(const char *path, const char *line, size_t n, bool sync_folder);

#endif
