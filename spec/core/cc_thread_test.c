/* An engine with a thread of its own, under ThreadSanitizer: submitting, cancelling, progress, new
 * limits, held answers, closing in the middle. */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cc_engine.h"
#include "cc_sys.h"
#include "check.h"

#define SECOND 1000000

static const cc_engine_options OPTIONS = {.max_host_connections = 16, .max_idle = 16, .thread = true};
static FILE *server;
static int port;

static void start_server(void) {
    server = popen("exec python3 spec/support/scripted_server.py", "r");
    if (!server || fscanf(server, "port=%d", &port) != 1) {
        puts("the scripted server did not start");
        exit(2);
    }
}

/* Of all transfers: what it counts comes from the other thread. */
static cc_meter *meter;

static cc_id submit(cc_engine *e, const char *path, const cc_file *file) {
    char url[200];
    cc_request *r;
    cc_id id = 0;
    cc_spec s = {.url = url, .method = "GET", .max_body = 1u << 20, .max_headers = 1u << 16};
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
    s.timeout = 20;
    s.file = file;
    s.meter = meter;
    CHECK(cc_engine_prepare(e, &s, &r) == CC_OK);
    CHECK(cc_engine_submit(e, r, &id) == CC_OK);
    return id;
}

/* Takes what has ended; counts answers and failures. */
static void take_all(cc_engine *e, int *answers, int *failures) {
    cc_id id;
    cc_answer a;
    cc_request *r;
    while ((r = cc_engine_hold(e, &id, &a))) {
        if (a.failure->kind == CC_KIND_NONE)
            ++*answers;
        else
            ++*failures;
        cc_engine_release(e, r, true);
    }
}

static void finish(cc_engine *e, int *answers, int *failures) {
    int64_t until = cc_now_us() + 20 * SECOND;
    while (cc_engine_inflight(e) > 0 && cc_now_us() < until) {
        cc_engine_wait(e, SECOND / 10);
        take_all(e, answers, failures);
    }
    take_all(e, answers, failures);
    CHECK(cc_engine_inflight(e) == 0);
}

static void many_at_once(cc_engine *e) {
    int answers = 0, failures = 0;
    for (int i = 0; i < 200; i++) submit(e, "/ok", NULL);
    finish(e, &answers, &failures);
    CHECK(answers == 200 && failures == 0);
    CHECK(meter->requests == 200 && meter->ended == 200 && meter->sum.received == 200 * 2);
    CHECK(meter->sum.connections > 0 && meter->sum.time[CC_ANSWERING] > 0);
}

/* Some in the inbox, some on their way, some ended already. */
static void cancel_some(cc_engine *e) {
    cc_id ids[60];
    int answers = 0, failures = 0, cancelled = 0;
    for (int i = 0; i < 60; i++) ids[i] = submit(e, i % 3 ? "/silent" : "/ok", NULL);
    cc_engine_wait(e, SECOND / 50);
    for (int i = 0; i < 60; i++) cancelled += cc_engine_cancel(e, ids[i]);
    finish(e, &answers, &failures);
    CHECK(cancelled >= 40 && failures >= 40 && answers + failures == 60);
}

static void watch_progress(cc_engine *e) {
    char path[] = "/tmp/coreclaw-thread-XXXXXX";
    int answers = 0, failures = 0;
    cc_file file = {mkstemp(path)};
    cc_progress p = {0, 0, NULL};
    cc_id id = submit(e, "/stall", NULL), filed = submit(e, "/blob/t/100000?slow=20", &file);
    while (cc_engine_progress(e, filed, &p) && !p.headers) cc_engine_wait(e, SECOND / 100);
    CHECK(p.headers && p.headers->len > 0);
    while (cc_engine_progress(e, id, &p) && p.bytes < 10) cc_engine_wait(e, SECOND / 100);
    CHECK(p.bytes == 10);
    cc_engine_limit(e, &OPTIONS);
    cc_engine_cancel(e, id);
    finish(e, &answers, &failures);
    CHECK(answers == 1 && failures == 1);
    close(file.fd);
    unlink(path);
}

static void descriptor_rings(cc_engine *e) {
    int answers = 0, failures = 0;
    struct pollfd p = {cc_engine_fd(e), POLLIN, 0};
    CHECK(poll(&p, 1, 0) == 0);
    submit(e, "/ok", NULL);
    CHECK(poll(&p, 1, 5000) == 1);
    take_all(e, &answers, &failures);
    CHECK(answers == 1 && poll(&p, 1, 0) == 0);
}

static int connect_to(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
    close(fd);
    return -1;
}

/* A host that hung up must not cost an answer, nor the process its life (SIGPIPE). */
static void socket_rings(cc_engine *e) {
    int answers = 0, failures = 0;
    char path[108];
    snprintf(path, sizeof path, "%s", cc_engine_listen(e));
    int fd = connect_to(path);
    CHECK(fd >= 0 && cc_engine_accept(e) && access(path, F_OK) != 0);
    struct pollfd p = {fd, POLLIN, 0};
    submit(e, "/ok", NULL);
    CHECK(poll(&p, 1, 5000) == 1);
    take_all(e, &answers, &failures);
    close(fd);
    submit(e, "/ok", NULL);
    finish(e, &answers, &failures);
    CHECK(answers == 2);
}

static void close_in_the_middle(void) {
    for (int i = 0; i < 20; i++) {
        cc_engine *e = cc_engine_open(&OPTIONS);
        for (int n = 0; n < 10; n++) submit(e, n % 2 ? "/silent" : "/ok", NULL);
        if (i % 2) cc_engine_wait(e, SECOND / 200);
        cc_engine_close(e);
    }
    CHECK(1);
}

int main(void) {
    start_server();
    meter = cc_meter_new();
    cc_engine *e = cc_engine_open(&OPTIONS);
    many_at_once(e);
    cancel_some(e);
    watch_progress(e);
    descriptor_rings(e);
    socket_rings(e);
    cc_engine_close(e);
    close_in_the_middle();
    CHECK(meter->owners == 1 && meter->requests == meter->ended); /* what was closed has ended too */
    cc_meter_drop(meter);
    pclose(server);
    return CHECK_DONE;
}
