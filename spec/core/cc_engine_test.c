/* The engine without any Lua: its descriptor under poll(2), fork, the guard against a second try,
 * results that are held while others take them or close the engine. */
#include "cc_engine.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cc_global.h"
#include "cc_request.h"
#include "cc_sys.h"
#include "check.h"

#define SECOND 1000000

static const cc_engine_options OPTIONS = {.max_idle = 64};
static FILE *server;
static int port;

/* ---- helpers ---- */

static void start_server(void) {
    server = popen("exec python3 spec/support/scripted_server.py", "r");
    if (!server || fscanf(server, "port=%d", &port) != 1) {
        puts("the scripted server did not start");
        exit(2);
    }
}

static cc_spec spec_of(char *url, const char *path) {
    cc_spec s = {.url = url, .method = "GET", .max_body = 1u << 20, .max_headers = 1u << 16};
    snprintf(url, 200, "http://127.0.0.1:%d%s", port, path);
    s.timeout = 20;
    return s;
}

static cc_id submit(cc_engine *e, const cc_spec *spec) {
    cc_request *r;
    cc_id id = 0;
    CHECK(cc_engine_prepare(e, spec, &r) == CC_OK);
    CHECK(cc_engine_submit(e, r, &id) == CC_OK);
    return id;
}

static cc_id submit_path(cc_engine *e, const char *path) {
    char url[200];
    cc_spec s = spec_of(url, path);
    return submit(e, &s);
}

static void wait_for_all(cc_engine *e) {
    int64_t until = cc_now_us() + 20 * SECOND;
    while (cc_engine_inflight(e) > 0 && cc_now_us() < until) {
        cc_engine_wait(e, SECOND / 10);
        if (cc_engine_inflight(e) > 0) cc_engine_step(e);
    }
    CHECK(cc_engine_inflight(e) == 0);
}

/* Takes the first result; its body goes to out. Returns the status, 0 for a failure, -1 for none.
 */
static long take(cc_engine *e, char *out, size_t size, cc_failure *failure) {
    cc_id id;
    cc_answer a;
    cc_request *r = cc_engine_hold(e, &id, &a);
    if (!r) return -1;
    long status = a.failure->kind == CC_KIND_NONE ? a.status : 0;
    if (failure) *failure = *a.failure;
    if (out) snprintf(out, size, "%.*s", (int)a.body->len, a.body->len ? a.body->data : "");
    cc_engine_release(e, r, true);
    return status;
}

static int readable(int fd, int ms) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, ms);
}

/* ---- the descriptor ---- */

/* As an event loop does it: never a wait of ours, only poll and step. */
static void two_hundred_on_one_descriptor(void) {
    cc_engine *e = cc_engine_open(&OPTIONS);
    int fd = cc_engine_fd(e), done = 0, steps = 0;
    for (int i = 0; i < 200; i++) submit_path(e, "/slow/50");
    while (done < 200 && readable(fd, 5000) == 1) {
        steps++;
        cc_engine_step(e);
        while (take(e, NULL, 0, NULL) == 200) done++;
    }
    CHECK(done == 200 && steps < 20000);
    CHECK(cc_engine_inflight(e) == 0);
    CHECK(readable(fd, 50) == 0); /* silent when there is nothing to do: a loop must not spin */
    cc_engine_close(e);
}

/* What ends outside of step must wake the loop as well, or it sleeps for ever. */
static void the_descriptor_tells_of_what_was_cancelled(void) {
    cc_engine *e = cc_engine_open(&OPTIONS);
    cc_id id = submit_path(e, "/silent");
    cc_engine_wait(e, SECOND / 10);
    int fd = cc_engine_fd(e);
    CHECK(readable(fd, 0) == 0);
    CHECK(cc_engine_cancel(e, id));
    CHECK(readable(fd, 1000) == 1);
    cc_engine_step(e);
    CHECK(take(e, NULL, 0, NULL) == 0);
    cc_engine_step(e);
    CHECK(readable(fd, 50) == 0);
    cc_engine_close(e);
}

static void the_descriptor_tells_of_limits(void) {
    char url[200];
    cc_engine *e = cc_engine_open(&OPTIONS);
    cc_spec s = spec_of(url, "/silent");
    s.timeout = 0.2;
    submit(e, &s);
    cc_failure f = {.kind = CC_KIND_NONE};
    int fd = cc_engine_fd(e), rounds = 0;
    while (cc_engine_inflight(e) > 0 && rounds++ < 50 && readable(fd, 2000) == 1) cc_engine_step(e);
    CHECK(take(e, NULL, 0, &f) == 0 && f.kind == CC_KIND_TIMEOUT && rounds < 50);
    cc_engine_close(e);
}

/* ---- at most once ---- */

static long arrived(cc_engine *e, const char *key) {
    char path[100], body[20];
    snprintf(path, sizeof path, "/count/%s", key);
    submit_path(e, path);
    wait_for_all(e);
    return take(e, body, sizeof body, NULL) == 200 ? strtol(body, NULL, 10) : -1;
}

/* Submits a POST as a paid request is, but on connections that are kept and used again. */
static void submit_on_kept_connection(cc_engine *e, const char *path, bool once) {
    char url[200];
    cc_request *r;
    cc_id id;
    cc_spec s = spec_of(url, path);
    s.method = "POST";
    s.once = once;
    CHECK(cc_engine_prepare(e, &s, &r) == CC_OK);
    curl_easy_setopt(r->easy, CURLOPT_FRESH_CONNECT, 0L);
    curl_easy_setopt(r->easy, CURLOPT_FORBID_REUSE, 0L);
    CHECK(cc_engine_submit(e, r, &id) == CC_OK);
    wait_for_all(e);
}

/* FRESH_CONNECT alone keeps a paid request off a connection that may be dead. Here it is taken
 * away, so that only the guard in the prereq callback stands between one run and two. */
static void spring_the_trap(bool once, const char *key, long wanted) {
    char path[100];
    cc_engine *e = cc_engine_open(&OPTIONS);
    cc_failure f;
    submit_on_kept_connection(e, "/ok", once);
    CHECK(take(e, NULL, 0, NULL) == 200);
    snprintf(path, sizeof path, "/drop/%s", key);
    submit_on_kept_connection(e, path, once);
    long status = take(e, NULL, 0, &f);
    CHECK(arrived(e, key) == wanted);
    CHECK((status == 0) == once);
    if (once) CHECK(f.kind == CC_KIND_NETWORK && f.sent == CC_SENT_UNKNOWN);
    if (once) CHECK(strstr(f.message, "not sent twice") != NULL);
    cc_engine_close(e);
}

/* ---- held results ---- */

static cc_request *hold_one(cc_engine *e, cc_answer *a) {
    cc_id id;
    submit_path(e, "/body/5000");
    wait_for_all(e);
    cc_request *r = cc_engine_hold(e, &id, a);
    CHECK(r && a->status == 200 && a->body->len == 5000);
    return r;
}

static bool is_whole(const cc_answer *a) {
    size_t good = 0;
    for (size_t i = 0; i < a->body->len; i++) good += a->body->data[i] == 'x';
    return good == 5000;
}

static void a_held_result_outlives_who_takes_it(void) {
    cc_answer a;
    cc_engine *e = cc_engine_open(&OPTIONS);
    cc_request *r = hold_one(e, &a);
    CHECK(take(e, NULL, 0, NULL) == 200); /* as a finalizer would, in between */
    CHECK(take(e, NULL, 0, NULL) == -1);
    submit_path(e, "/ok"); /* must not get the same memory */
    wait_for_all(e);
    CHECK(is_whole(&a));
    cc_engine_release(e, r, true);
    CHECK(take(e, NULL, 0, NULL) == 200);
    cc_engine_close(e);
}

static void a_held_result_outlives_the_engine(void) {
    cc_answer a;
    cc_engine *e = cc_engine_open(&OPTIONS);
    cc_request *r = hold_one(e, &a);
    cc_engine_close(e);
    CHECK(is_whole(&a));
    cc_engine_release(NULL, r, true);
}

static void a_result_that_could_not_be_read_stays(void) {
    cc_answer a;
    cc_engine *e = cc_engine_open(&OPTIONS);
    cc_request *r = hold_one(e, &a);
    cc_engine_release(e, r, false);
    CHECK(take(e, NULL, 0, NULL) == 200);
    CHECK(take(e, NULL, 0, NULL) == -1);
    cc_engine_close(e);
}

/* ---- fork ---- */

/* The child closes what is its parent's and works with its own; the parent's transfer goes on. */
static int child(cc_engine *parents) {
    char body[20];
    int bad = !cc_engine_foreign(parents);
    cc_engine_close(parents);
    cc_engine *own = cc_engine_open(&OPTIONS);
    submit_path(own, "/ok");
    wait_for_all(own);
    bad |= take(own, body, sizeof body, NULL) != 200 || strcmp(body, "ok") != 0;
    cc_engine_close(own);
    return bad;
}

static void fork_leaves_the_parent_alone(void) {
    cc_engine *e = cc_engine_open(&OPTIONS);
    submit_path(e, "/slow/500");
    submit_path(e, "/drip/20/20");
    cc_engine_wait(e, SECOND / 10);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(child(e));
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(!cc_engine_foreign(e));
    wait_for_all(e);
    CHECK(take(e, NULL, 0, NULL) == 200 && take(e, NULL, 0, NULL) == 200);
    cc_engine_close(e);
}

/* ---- the rest ---- */

static void on_alarm(int number) {
    (void)number;
}

/* Ctrl-C must not wait for the server: Lua's hook runs only when we come back. */
static void a_signal_ends_a_wait(void) {
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval soon = {{0, 0}, {0, 100000}};
    cc_engine *e = cc_engine_open(&OPTIONS);
    submit_path(e, "/silent");
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    int64_t before = cc_now_us();
    cc_engine_wait(e, 10 * SECOND);
    CHECK(cc_now_us() - before < 5 * SECOND && cc_engine_inflight(e) == 1);
    cc_engine_close(e);
}

static void ids_survive_growth_and_reuse(void) {
    cc_id ids[150];
    cc_engine *e = cc_engine_open(&OPTIONS);
    for (int i = 0; i < 150; i++) ids[i] = submit_path(e, "/silent");
    for (int i = 0; i < 150; i++) {
        CHECK(ids[i] > 0 && ids[i] < (cc_id)1 << 53);
        CHECK(cc_engine_cancel(e, ids[i]) && !cc_engine_cancel(e, ids[i]));
    }
    for (int i = 0; i < 150; i++) CHECK(take(e, NULL, 0, NULL) == 0);
    for (int i = 0; i < 150; i++) submit_path(e, "/silent");
    for (int i = 0; i < 150; i++) CHECK(!cc_engine_cancel(e, ids[i]));
    CHECK(cc_engine_inflight(e) == 150);
    CHECK(!cc_engine_cancel(e, 0) && !cc_engine_cancel(e, UINT64_MAX));
    cc_engine_close(e);
}

static void closing_nothing_is_fine(void) {
    cc_engine_close(NULL);
    cc_engine_close(cc_engine_open(&OPTIONS));
    cc_about about;
    cc_global_about(&about);
    CHECK(about.version && about.ssl && about.version_num > 0 && about.guards);
    CHECK(cc_global_bundle() == NULL || access(cc_global_bundle(), R_OK) == 0);
}

int main(void) {
    start_server();
    two_hundred_on_one_descriptor();
    the_descriptor_tells_of_what_was_cancelled();
    the_descriptor_tells_of_limits();
    spring_the_trap(false, "twice", 2);
    spring_the_trap(true, "guarded", 1);
    a_held_result_outlives_who_takes_it();
    a_held_result_outlives_the_engine();
    a_result_that_could_not_be_read_stays();
    fork_leaves_the_parent_alone();
    a_signal_ends_a_wait();
    ids_survive_growth_and_reuse();
    closing_nothing_is_fine();
    pclose(server);
    return CHECK_DONE;
}
