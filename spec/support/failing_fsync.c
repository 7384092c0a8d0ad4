/* LD_PRELOAD: fsync fails, of files (FAIL=file) or of folders (FAIL=folder). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int fsync(int fd) {
    struct stat s;
    const char *fail = getenv("FAIL");
    int folder = fstat(fd, &s) == 0 && S_ISDIR(s.st_mode);
    if (!fail || strcmp(fail, folder ? "folder" : "file") != 0) return 0;
    errno = EIO;
    return -1;
}
