/* The whole way of an answer: an engine sends requests, and the other end of its sockets plays the
 * fuzzer's bytes as the answers. Whatever they are, every request ends, within its bounds, as an
 * answer or a failure that says what is true.
 *
 * Input: four bytes of options, then answers, one behind the other, with a line "~~" between them.
 */
#include <curl/curl.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cc_engine.h"
#include "cc_error.h"
#include "cc_request.h"
#include "cc_sys.h"
#include "fuzz.h"

enum { CONNECTIONS = 24, REQUESTS = 3, SECOND = 1000000, PREFIX = 10 };

/* ---- options ---- */

typedef struct plan {
    bool once, follow, filed, hang, proxied, cancels, pieces, line_feeds;
    const char *method, *body;
    size_t max_body, max_headers;
    int requests;
    int64_t offset;
} plan;

static plan read_plan(fuzz_input *in) {
    static const char *const methods[] = {"GET",  "GET",    "GET", "POST",
                                          "HEAD", "DELETE", "PUT", "GET"};
    unsigned a = fuzz_byte(in), b = fuzz_byte(in), c = fuzz_byte(in), d = fuzz_byte(in);
    plan p = {.once = a & 1, .filed = a & 2, .follow = a & 4, .pieces = a & 8};
    p.line_feeds = !(a & 16);
    p.cancels = (a & 0xE0) == 0xE0;
    p.method = methods[b & 7];
    p.proxied = (b & 0x78) == 0x38;
    p.hang = (b & 0x78) == 0x78;
    p.max_body = (size_t)c * c;
    p.max_headers = d ? (size_t)d * 32 : 1 << 16;
    p.requests = 1 + (int)(b >> 7) * (REQUESTS - 1);
    p.body = strcmp(p.method, "POST") == 0 || strcmp(p.method, "PUT") == 0 ? "{}" : NULL;
    if (p.body || strcmp(p.method, "GET") != 0) p.filed = false;
    if (p.body || p.once || p.method[0] == 'D') p.follow = false;
    p.offset = p.filed && (c & 1) ? PREFIX : 0;
    return p;
}

/* ---- the other end ---- */

typedef struct peer {
    int fd;
    bool writing;      /* an answer is on its way */
    char seen[4];      /* the last bytes that came */
    size_t part, sent; /* which answer, how much of it */
} peer;

static struct {
    plan plan;
    fuzz_input answers;
    peer peers[CONNECTIONS];
    int peer_count;
    int arrived;     /* requests that were complete */
    long bytes;      /* that came in all */
    int deaf;        /* connections refused because there were too many */
    char *text;      /* the answer that is being written */
    bool indiscreet; /* an answer says the word that we keep */
} world;

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
    (void)user, (void)purpose, (void)a;
    int ends[2];
    if (world.peer_count == CONNECTIONS) return CURL_SOCKET_BAD;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    world.peers[world.peer_count++] = (peer){.fd = ends[0]};
    return ends[1];
}

/* In place of the system's, for libcurl: its sockets are born connected. (For that libcurl has
 * CURL_SOCKOPT_ALREADY_CONNECTED, which 7.88 does not heed.) */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address,
                                                   socklen_t n) {
    (void)fd, (void)address, (void)n;
    return 0;
}

static void hang_up(peer *p) {
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
}

/* The next answer; false when there is none. Line feeds become CRLF, so that seeds can be text. */
static bool write_answer(peer *p) {
    fuzz_input *in = &world.answers;
    if (in->at >= in->end) return false;
    const uint8_t *end = memmem(in->at, fuzz_left(in), "\n~~\n", 4);
    size_t n = (size_t)((end ? end + 1 : in->end) - in->at), used = 0;
    char *out = malloc(2 * n + 1);
    REQUIRE(out);
    for (size_t i = 0; i < n; i++) {
        if (world.plan.line_feeds && in->at[i] == '\n') out[used++] = '\r';
        out[used++] = (char)in->at[i];
    }
    in->at = end ? end + 4 : in->end;
    size_t first = world.plan.pieces ? used / 2 : used;
    ssize_t sent = send(p->fd, out, first, MSG_NOSIGNAL);
    if (sent > 0) p->sent += (size_t)sent;
    free(world.text);
    world.text = NULL;
    p->writing = world.plan.pieces && used > first;
    if (p->writing) {
        world.text = fuzz_copy(out + first, used - first, 0);
        p->part = used - first;
    }
    free(out);
    return true;
}

static void write_rest(peer *p) {
    p->writing = false;
    if (world.text) (void)!send(p->fd, world.text, p->part, MSG_NOSIGNAL);
}

/* Takes what came; the number of requests that ended in it. */
static int take_requests(peer *p, const char *bytes, size_t n) {
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        memmove(p->seen, p->seen + 1, 3);
        p->seen[3] = bytes[i];
        found += memcmp(p->seen, "\r\n\r\n", 4) == 0;
    }
    world.bytes += (long)n;
    return found;
}

/* One look at a connection; true if something happened. */
static bool serve(peer *p) {
    char bytes[4096];
    if (p->fd < 0) return false;
    if (p->writing) {
        write_rest(p);
        return true;
    }
    ssize_t n = recv(p->fd, bytes, sizeof bytes, 0);
    if (n == 0) hang_up(p);
    if (n <= 0) return n == 0;
    int found = take_requests(p, bytes, (size_t)n);
    world.arrived += found;
    if (found > 0 && !write_answer(p) && !world.plan.hang) hang_up(p);
    return true;
}

static bool serve_all(void) {
    bool any = false;
    for (int i = 0; i < world.peer_count; i++) any |= serve(&world.peers[i]);
    return any;
}

static void hang_up_all(void) {
    for (int i = 0; i < world.peer_count; i++) {
        peer *p = &world.peers[i];
        if (p->writing) write_rest(p);
        if (!world.plan.hang) hang_up(p);
    }
}

/* ---- the requests ---- */

static int file; /* in memory */

static void prepare_file(void) {
    char prefix[PREFIX];
    memset(prefix, 'p', sizeof prefix);
    REQUIRE(ftruncate(file, 0) == 0);
    REQUIRE(pwrite(file, prefix, sizeof prefix, 0) == PREFIX);
}

static cc_id submit(cc_engine *e, const plan *p) {
    static const char *const lines[] = {"Authorization: Bearer secret", "If-Range: \"v1\"", NULL};
    cc_request *r;
    cc_id id = 0;
    cc_file f = {file};
    cc_spec s = {.url = "http://a.test/x?token=secret", .method = p->method, .body = p->body};
    s.body_len = p->body ? strlen(p->body) : 0;
    s.timeout = 20;
    s.idle_timeout = p->hang ? 0.002 : 10;
    s.max_body = p->max_body, s.max_headers = p->max_headers;
    s.file = p->filed ? &f : NULL, s.offset = p->offset;
    s.once = p->once, s.follow = p->follow;
    s.insecure = true, s.ca_file = "/dev/null";
    s.proxy = p->proxied ? "http://127.0.0.1:3128" : "";
    REQUIRE(cc_engine_prepare(e, &s, &r) == CC_OK);
    for (int i = 0; lines[i]; i++) REQUIRE(cc_request_add_header(r, lines[i]));
    REQUIRE(cc_request_add_address(r, "::127.0.0.1:80")); /* no name is looked up */
    curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(r->easy, CURLOPT_BUFFERSIZE, 1024L); /* more seams, and twice as fast */
    curl_easy_setopt(r->easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    REQUIRE(cc_engine_submit(e, r, &id) == CC_OK && id != 0);
    return id;
}

static void run(cc_engine *e, cc_id id) {
    int64_t until = cc_now_us() + 30 * SECOND;
    for (int round = 0, idle = 0; cc_engine_inflight(e) > 0; round++) {
        cc_progress progress;
        cc_engine_step(e);
        REQUIRE(cc_engine_progress(e, id, &progress));
        REQUIRE(progress.bytes >= 0 && progress.total >= -1);
        if (world.plan.cancels && round == 2) (void)cc_engine_cancel(e, id);
        idle = serve_all() ? 0 : idle + 1;
        if (idle == 3) hang_up_all();
        if (idle > 3 && cc_engine_inflight(e) > 0) cc_engine_wait(e, 1000);
        REQUIRE(cc_now_us() < until); /* it hangs */
    }
}

/* ---- what must be true ---- */

static int64_t file_size(void) {
    int64_t size = -1;
    REQUIRE(cc_file_size(&(cc_file){file}, &size) == 0);
    return size;
}

static void check_file(const cc_answer *a, const plan *p, int64_t before) {
    char prefix[PREFIX];
    int64_t size = file_size();
    REQUIRE(a->written >= 0);
    if (!a->filed) {
        REQUIRE(a->written == 0 && size == before);
        return;
    }
    REQUIRE(p->filed && size == p->offset + a->written);
    REQUIRE(size <= (int64_t)p->max_body || a->written == 0);
    REQUIRE(pread(file, prefix, PREFIX, 0) >= p->offset);
    for (int i = 0; i < p->offset; i++) REQUIRE(prefix[i] == 'p');
}

static void check_failure(const cc_failure *f, const plan *p) {
    REQUIRE(f->kind < CC_KIND_COUNT && f->name && f->name[0]);
    REQUIRE(memchr(f->message, '\0', CC_MESSAGE_SIZE) && f->message[0]);
    REQUIRE(world.indiscreet || !strstr(f->message, "secret"));
    if (f->sent == CC_SENT_NO) REQUIRE(world.bytes == 0 || p->proxied || p->requests > 1);
    REQUIRE(f->sent != CC_SENT_REFUSED && f->kind != CC_KIND_INTERNAL);
}

static void check_verdict(long status, int code) {
    for (int has = 0; has < 2; has++) {
        cc_verdict v = cc_classify(has ? CC_API_V2 : CC_API_V1, status, has, code);
        REQUIRE(v.kind < CC_KIND_COUNT && v.sent <= CC_SENT_UNKNOWN);
        REQUIRE(strcmp(cc_kind_name(v.kind), "") != 0);
    }
}

static void check_answer(cc_engine *e, const plan *p, int64_t before) {
    cc_id id;
    cc_answer a;
    cc_request *r = cc_engine_hold(e, &id, &a);
    REQUIRE(r);
    REQUIRE(a.body->len <= (p->filed ? 64u << 10 : p->max_body));
    REQUIRE(a.headers->len <= p->max_headers);
    REQUIRE(a.retry_after >= 0);
    check_file(&a, p, before);
    if (a.failure->kind != CC_KIND_NONE)
        check_failure(a.failure, p);
    else {
        REQUIRE(a.status >= 100 && a.status <= 999 && world.arrived > 0);
        check_verdict(a.status, a.body->len > 4 ? a.body->data[4] * 500 : 0);
    }
    cc_engine_release(e, r, true);
    REQUIRE(!cc_engine_hold(e, &id, &a));
}

/* ---- the engine: opening one takes longer than a request, so it serves several inputs ---- */

enum { LIFE = 32 };

static cc_engine *engine;
static int age;

static cc_engine *open_engine(void) {
    static const cc_engine_options options = {.max_idle = 4};
    if (!engine) engine = cc_engine_open(&options);
    REQUIRE(engine);
    return engine;
}

/* Nothing may stay open behind it: the other ends see their sockets closed. */
static void check_closed(void) {
    char bytes[4096];
    for (int i = 0; i < world.peer_count; i++) {
        int fd = world.peers[i].fd;
        ssize_t n = 1;
        while (fd >= 0 && n > 0) n = recv(fd, bytes, sizeof bytes, 0);
        REQUIRE(fd < 0 || n == 0 || errno == ECONNRESET);
    }
}

static void close_engine(void) {
    if (++age % LIFE == 0) {
        cc_engine_close(engine);
        engine = NULL;
        check_closed();
    }
    for (int i = 0; i < world.peer_count; i++) hang_up(&world.peers[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    file = memfd_create("body", MFD_CLOEXEC);
    REQUIRE(file >= 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    memset(&world, 0, sizeof world);
    world.answers = (fuzz_input){data, data + size};
    const plan *p = &world.plan;
    world.plan = read_plan(&world.answers);
    world.indiscreet = size > 0 && memmem(data, size, "secret", 6);
    cc_engine *e = open_engine();
    for (int i = 0; i < p->requests; i++) {
        int arrived = world.arrived;
        prepare_file();
        int64_t before = file_size();
        run(e, submit(e, p));
        check_answer(e, p, before);
        if (p->once && !p->proxied) REQUIRE(world.arrived - arrived <= 1);
    }
    close_engine();
    free(world.text);
    return 0;
}
