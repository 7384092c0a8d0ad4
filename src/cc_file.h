/* A file that is being written and belongs to nobody else meanwhile.
 *
 * Functions return 0 or an errno. Three have a meaning of their own here, see cc_file_message:
 * EBUSY (somebody else has it), ENOTSUP (no regular file), ESTALE (it was replaced by another). */
#ifndef CC_FILE_H
#define CC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cc_file {
    int fd; /* -1: closed */
} cc_file;

/* Opens for writing, creates what is missing with the permissions that the umask leaves of 0666,
 * keeps what is in it, and locks it (flock) until it is closed. Never follows a symbolic link,
 * never waits. Character devices are taken too, and not locked: they are everybody's. */
int cc_file_open(cc_file *f, const char *path);

/* Another descriptor of the same open file, which keeps the lock as well. -1: none left. */
int cc_file_share(const cc_file *f);

int cc_file_size(const cc_file *f, int64_t *size);
int cc_file_truncate(const cc_file *f, int64_t size);

/* Writes all n bytes at that place. */
int cc_file_write(int fd, const char *bytes, size_t n, int64_t at);

/* Gives the file, known as `from`, its final name: whoever finds that name finds all of it. With
 * sync also after a power cut. What had the name is replaced, and its permissions are taken over;
 * without overwrite it is an error (EEXIST). On any error both names are as they were. */
int cc_file_publish(const cc_file *f, const char *from, const char *to, bool overwrite, bool sync);

/* A name is only sure to survive a power cut when its folder is on the disk. */
int cc_file_sync_folder_of(const char *path);

void cc_file_close(cc_file *f);

typedef enum cc_file_type {
    CC_FILE_NONE = 0,
    CC_FILE_REGULAR,
    CC_FILE_FOLDER,
    CC_FILE_OTHER
} cc_file_type;

/* What has that name (symbolic links are followed). CC_FILE_NONE also where nobody may look. */
cc_file_type cc_file_type_of(const char *path);

/* An errno of these functions in words. */
const char *cc_file_message(int error);

#endif
