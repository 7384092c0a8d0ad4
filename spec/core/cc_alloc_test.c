/* Memory runs out: each allocation in turn fails, of ours and of libcurl's, once or from then on.
 * Every run ends without a crash and gives all memory back; what could not be done says so; nothing
 * is sent twice, and no answer is taken for whole that is not. The other ends of the sockets are in
 * here. */
#include "cc_engine.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cc_request.h"
#include "cc_sys.h"
#include "check.h"

enum { PEERS = 128, SECOND = 1000000 };

/* ---- memory (the linker puts the __wrap functions in the place of the real ones) ---- */

static struct {
    bool armed, forever, failed;
    long at, count; /* the allocation that fails, and how many there were */
    long live;
} memory;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

/* All memory is malloc's here. */
void *__wrap_cc_block_take(size_t n);
void *__wrap_cc_block_take(size_t n) {
    (void)n;
    return NULL;
}

static bool refuse(void) {
    if (!memory.armed) return false;
    memory.count++;
    bool now = memory.count == memory.at || (memory.forever && memory.count > memory.at);
    memory.failed |= now;
    return now;
}

static void *counted(void *p) {
    if (p) __atomic_add_fetch(&memory.live, 1, __ATOMIC_SEQ_CST);
    return p;
}

void *__wrap_malloc(size_t n) {
    return refuse() ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size) {
    return refuse() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n) {
    if (refuse()) return NULL;
    return p ? __real_realloc(p, n) : counted(__real_malloc(n));
}

void __wrap_free(void *p) {
    if (p) __atomic_sub_fetch(&memory.live, 1, __ATOMIC_SEQ_CST);
    __real_free(p);
}

static char *duplicate(const char *s) {
    char *copy = __wrap_malloc(strlen(s) + 1);
    return copy ? strcpy(copy, s) : NULL;
}

/* ---- the other end: every socket is born connected to it ---- */

static struct {
    const char *const *answers; /* one for each request, NULL at the end */
    int peers[PEERS], peer_count;
    char tail[PEERS][4]; /* of what came */
    int arrived;
} world;

__attribute__((visibility("default"))) int socket(int domain, int type, int protocol) {
    int ends[2];
    (void)domain, (void)protocol;
    if (world.peer_count == PEERS) return -1;
    if (socketpair(AF_UNIX, type, 0, ends) != 0) return -1;
    world.peers[world.peer_count++] = ends[0];
    return ends[1];
}

__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG a, socklen_t n) {
    (void)fd, (void)a, (void)n;
    return 0;
}

static void answer(int i) {
    const char *text = *world.answers;
    world.arrived++;
    if (!text) {
        shutdown(world.peers[i], SHUT_RDWR);
        return;
    }
    world.answers++;
    (void)!send(world.peers[i], text, strlen(text), MSG_NOSIGNAL);
}

static void serve(int i) {
    char bytes[2048];
    ssize_t n = recv(world.peers[i], bytes, sizeof bytes, MSG_DONTWAIT);
    for (ssize_t k = 0; k < n; k++) {
        char *tail = world.tail[i];
        memmove(tail, tail + 1, 3);
        tail[3] = bytes[k];
        if (memcmp(tail, "\r\n\r\n", 4) == 0) answer(i);
    }
}

static void close_world(void) {
    for (int i = 0; i < world.peer_count; i++) close(world.peers[i]);
    memset(&world, 0, sizeof world);
}

/* ---- one request ---- */

static int file;

typedef struct job {
    cc_spec spec;
    const char *const *answers;
    const char *body; /* what must come */
    bool cancel;
    const char *address; /* CURLOPT_CONNECT_TO */
} job;

#define KEY "kEy9fQz7-Lm2/xP4+vB8"

static const char *const LINES[] = {"Authorization: Bearer x",
                                    "X-Empty:", "Content-Type: application/json", NULL};

/* 0 where memory was out, which then must have been the case. */
static cc_id submit(cc_engine *e, const job *j) {
    cc_request *r;
    cc_id id = 0;
    cc_code code = cc_engine_prepare(e, &j->spec, &r);
    for (int i = 0; code == CC_OK && LINES[i]; i++) {
        if (cc_request_add_header(r, LINES[i])) continue;
        cc_engine_discard(e, r);
        code = CC_NOMEM;
    }
    if (code == CC_OK && j->address && !cc_request_add_address(r, j->address)) {
        cc_engine_discard(e, r);
        code = CC_NOMEM;
    }
    if (code == CC_OK) code = cc_engine_submit(e, r, &id);
    CHECK(code == CC_OK || (memory.failed && code == CC_NOMEM));
    CHECK((code == CC_OK) == (id != 0));
    return id;
}

static bool run(cc_engine *e, cc_id id, const job *j) {
    int64_t until = cc_now_us() + 20 * SECOND;
    for (int round = 0; cc_engine_inflight(e) > 0; round++) {
        cc_progress p;
        cc_engine_step(e);
        CHECK(cc_engine_progress(e, id, &p) && p.bytes >= 0);
        if (j->cancel && round == 1) cc_engine_cancel(e, id);
        for (int i = 0; i < world.peer_count; i++) serve(i);
        if (round > 100 && cc_engine_inflight(e) > 0) cc_engine_wait(e, 1000);
        if (cc_now_us() > until) return false;
    }
    return true;
}

static bool is_file(const char *wanted) {
    char got[200] = "";
    ssize_t n = pread(file, got, sizeof got - 1, 0);
    return n == (ssize_t)strlen(wanted) && strcmp(got, wanted) == 0;
}

static bool is_body(const cc_buf *b, const char *wanted) {
    return b->len == strlen(wanted) && memcmp(b->len ? b->data : "", wanted, b->len) == 0;
}

static void check_success(const cc_answer *a, const job *j) {
    CHECK(a->status == 200 || (a->filed && a->status == 206));
    CHECK(a->filed ? is_file(j->body) : is_body(a->body, j->body));
    CHECK(a->headers->len > 16 && memcmp(a->headers->data, "HTTP/1.1 20", 11) == 0);
    CHECK(memcmp(a->headers->data + a->headers->len - 4, "\r\n\r\n", 4) == 0);
}

/* Of libcurl's words for it some mean something else as well. */
static void check_failure(const cc_failure *f, const job *j) {
    bool of_memory = f->kind == CC_KIND_INTERNAL || f->kind == CC_KIND_TOO_LARGE;
    bool of_network = f->kind == CC_KIND_NETWORK || f->kind == CC_KIND_BAD_RESPONSE;
    bool of_caller = (j->cancel && f->kind == CC_KIND_CANCELLED) ||
                     (j->spec.follow && f->kind == CC_KIND_REDIRECT);
    CHECK(of_caller || (memory.failed && (of_memory || of_network)));
    CHECK(f->name && f->message[0] && !strstr(f->message, KEY));
    CHECK(f->sent == CC_SENT_UNKNOWN || (f->sent == CC_SENT_NO && world.arrived == 0));
}

static void take(cc_engine *e, cc_id id, const job *j) {
    cc_id ended = 0;
    cc_answer a;
    cc_request *r = cc_engine_hold(e, &ended, &a);
    CHECK(r && ended == id);
    if (!r) return;
    if (a.failure->kind == CC_KIND_NONE)
        check_success(&a, j);
    else
        check_failure(a.failure, j);
    if (j->spec.once) CHECK(world.arrived <= 1);
    cc_engine_release(e, r, true);
    CHECK(!cc_engine_hold(e, &ended, &a));
}

/* What a request left behind that ended early. */
static void forget_requests(void) {
    char bytes[2048];
    for (int i = 0; i < world.peer_count; i++) {
        while (recv(world.peers[i], bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
        memset(world.tail[i], 0, 4);
    }
}

static void forget_answers(cc_engine *e) {
    cc_id id;
    cc_answer a;
    cc_request *r;
    while ((r = cc_engine_hold(e, &id, &a))) cc_engine_release(e, r, true);
}

static void fetch(cc_engine *e, const job *j) {
    forget_requests();
    world.answers = j->answers;
    world.arrived = 0;
    cc_id id = submit(e, j);
    if (!id) return;
    CHECK(run(e, id, j));
    take(e, id, j);
}

/* ---- what is done ---- */

#define OK_HEADERS "HTTP/1.1 200 OK\r\nX-A: b\r\n"
static const char *const PLAIN[] = {OK_HEADERS "Content-Length: 2\r\n\r\nok", NULL};
static const char *const CHUNKED[] = {
    OK_HEADERS "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Late: 1\r\n\r\n", NULL};
static const char *const MOVED[] = {
    "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
    OK_HEADERS "Content-Length: 2\r\n\r\nok", NULL};
static const char *const PART[] = {"HTTP/1.1 206 Part\r\nContent-Range: bytes 2-3/4\r\nETag: "
                                   "\"v\"\r\nContent-Length: 2\r\n\r\nok",
                                   NULL};

static job job_of(const char *method, const char *const *answers) {
    job j = {.answers = answers, .body = "ok"};
    j.spec = (cc_spec){.url = "http://127.0.0.1/x?y#z", .method = method, .timeout = 20};
    j.spec.max_body = 1 << 20, j.spec.max_headers = 1 << 16;
    j.spec.ca_file = "/dev/null", j.spec.proxy = "";
    return j;
}

static void get(cc_engine *e) {
    job j = job_of("GET", PLAIN);
    fetch(e, &j);
    j.answers = CHUNKED;
    fetch(e, &j);
}

static void pay(cc_engine *e) {
    job j = job_of("POST", PLAIN);
    j.spec.body = "{}", j.spec.body_len = 2, j.spec.once = true;
    fetch(e, &j);
}

/* The key in its three places, and as long a way as there is. */
static void with_key(cc_engine *e) {
    job j = job_of("GET", PLAIN);
    j.spec.secret = (cc_secret){KEY, sizeof KEY - 1};
    j.spec.no_proxy = "example.org", j.address = "127.0.0.1:80:127.0.0.2:81";
    for (int auth = CC_AUTH_BEARER; auth <= CC_AUTH_QUERY; auth++) {
        j.spec.auth = (cc_auth)auth;
        fetch(e, &j);
    }
}

static void follow(cc_engine *e) {
    job j = job_of("GET", MOVED);
    j.spec.follow = true;
    fetch(e, &j);
}

static void to_file(cc_engine *e) {
    cc_file f = {file};
    job j = job_of("GET", PLAIN);
    CHECK(ftruncate(file, 0) == 0);
    j.spec.file = &f;
    fetch(e, &j);
    CHECK(pwrite(file, "ok", 2, 0) == 2 && ftruncate(file, 2) == 0);
    j.answers = PART, j.body = "okok", j.spec.offset = 2;
    fetch(e, &j);
}

static void cancel(cc_engine *e) {
    job j = job_of("GET", PLAIN);
    j.cancel = true;
    fetch(e, &j);
}

/* Left to close. More than the first slots. */
static void many(cc_engine *e) {
    job j = job_of("GET", PLAIN);
    for (int i = 0; i < 66; i++) {
        if (!submit(e, &j)) break;
    }
    cc_engine_step(e);
}

/* An engine that memory failed once is as good as new. */
static void check_usable(cc_engine *e) {
    bool failed = memory.failed;
    job j = job_of("GET", PLAIN);
    memory.failed = false;
    if (!failed || memory.forever || cc_engine_inflight(e) > 0) return;
    forget_answers(e);
    fetch(e, &j);
    CHECK(!memory.failed);
    memory.failed = failed;
}

/* A thread of libcurl's resolver, which it asks when it has no memory to read an address itself,
 * may give its own back a moment later. */
static bool all_is_back(long live) {
    for (int ms = 0; ms < 5000 && __atomic_load_n(&memory.live, __ATOMIC_SEQ_CST) != live; ms++)
        usleep(1000);
    return memory.live == live;
}

/* True if an allocation failed in it. */
static bool attempt(void (*act)(cc_engine *), long at, bool forever) {
    static const cc_engine_options options = {.max_idle = 4};
    long live = memory.live;
    memory.at = at, memory.forever = forever;
    memory.count = 0, memory.failed = false, memory.armed = true;
    cc_engine *e = cc_engine_open(&options);
    CHECK(e || memory.failed);
    if (e) act(e);
    bool failed = memory.failed;
    if (e) check_usable(e);
    cc_engine_close(e);
    memory.armed = false;
    close_world();
    CHECK(all_is_back(live));
    return failed;
}

static void exhaust(const char *name, void (*act)(cc_engine *), int stride) {
    CHECK(!attempt(act, 0, false)); /* and whatever libcurl keeps for ever is there now */
    for (int forever = 0; forever < 2; forever++) {
        long n = 1;
        int before = check_failed;
        while (n < 100000 && attempt(act, n, forever) && check_failed < before + 5) n += stride;
        CHECK(n > 20 && n < 100000);
        printf("%s: memory was out at %ld places, %s\n", name, n / stride,
               forever ? "and stayed so" : "once");
    }
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, __wrap_free, __wrap_realloc, duplicate,
                         __wrap_calloc);
    file = memfd_create("body", MFD_CLOEXEC);
    exhaust("get", get, 1);
    exhaust("pay", pay, 1);
    exhaust("key", with_key, 1);
    exhaust("follow", follow, 1);
    exhaust("file", to_file, 1);
    exhaust("cancel", cancel, 1);
    exhaust("many", many, 61);
    return CHECK_DONE;
}
