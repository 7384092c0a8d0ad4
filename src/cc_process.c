#include "cc_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to size - 1 bytes of a small file; false if it cannot be read. */
static bool read_text(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n <= 0) return false;
    out[n] = 0;
    return true;
}

/* proc(5): the name of the boot, and the namespace that our process ids belong to. */
static void place(char *out, size_t size) {
    char boot[64] = "0";
    struct stat s;
    if (!read_text("/proc/sys/kernel/random/boot_id", boot, sizeof boot)) gethostname(boot, 9);
    boot[8] = 0;
    for (char *c = boot; *c; c++)
        if (*c == '.' || *c == '\n') *c = '-';
    unsigned long space = stat("/proc/self/ns/pid", &s) == 0 ? (unsigned long)s.st_ino : 0;
    snprintf(out, size, "%s-%lu", boot, space);
}

/* proc(5), /proc/pid/stat: `pid (name) state …`, the start is field 22. A name may hold anything,
 * so the fields are counted from its last parenthesis. */
static bool read_start(char *text, char *state, char **start) {
    char *field = strrchr(text, ')'), *end = NULL;
    if (!field || field[1] != ' ') return false;
    *state = field[2];
    for (int i = 2; field && i < 22; i++) field = strchr(field + 1, ' ');
    if (!field) return false;
    *start = field + 1;
    end = strchr(*start, ' ');
    if (end) *end = 0;
    return true;
}

static bool exists(long pid) {
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

bool cc_process_mark(long pid, char *out, size_t size) {
    char path[64], text[1024], where[96], state = 0, *start = NULL;
    if (pid <= 0 || !exists(pid)) return false;
    place(where, sizeof where);
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    bool known = read_text(path, text, sizeof text) && read_start(text, &state, &start);
    if (known && (state == 'Z' || state == 'X')) return false;
    snprintf(out, size, "%s.%s", where, known ? start : "?");
    return true;
}
