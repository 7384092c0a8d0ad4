/* The binding without memory: in each step of a program each allocation of Lua in turn fails, once
 * (which Lua answers with a collection) or from then on. The step raises or does its work;
 * afterwards, with memory again, it works, exactly one request was sent, and its answer is there.
 */
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "check.h"

int luaopen_coreclaw_core(lua_State *L);

/* ---- the other end: every socket is born connected, and the answer waits there ---- */

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nok";

__attribute__((visibility("default"))) int socket(int domain, int type, int protocol) {
    int ends[2];
    (void)domain, (void)protocol;
    if (socketpair(AF_UNIX, type, 0, ends) != 0) return -1;
    (void)!send(ends[1], ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
    /* a shut side is an end that needs no keeper */
    shutdown(ends[1], SHUT_WR);
    return ends[0];
}

__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG a, socklen_t n) {
    (void)fd, (void)a, (void)n;
    return 0;
}

/* ---- memory ---- */

static struct {
    long at, count; /* 0: none fails */
    int forever, failed;
} memory;

static void *allocate(void *user, void *p, size_t old, size_t n) {
    (void)user;
    if (n == 0) {
        free(p);
        return NULL;
    }
    if (memory.at && (!p || n > old)) { /* nothing fails that makes smaller */
        memory.count++;
        if (memory.count == memory.at || (memory.forever && memory.count > memory.at)) {
            memory.failed = 1;
            return NULL;
        }
    }
    return realloc(p, n);
}

/* ---- the program: what each step returns is checked by itself ---- */

static const char PROGRAM[] =
    "local core, json = require 'coreclaw.core', require 'coreclaw.json'\n"
    "local engine, id, body, told\n"
    "local function decode(text)\n"
    "  local value, message = json.decode(text)\n"
    "  if value == nil then error(message, 0) end\n"
    "  return value\n"
    "end\n"
    "local text = '{\"a\":[1,2.5,4.0,12345678901234567890,{}],\"b\":[],\"c\":\"\\\\ud800\"}'\n"
    "local big = '[' .. ('[1e3,9007199254740993],'):rep(200) .. '[]]'\n"
    "return {\n"
    "  function() engine = core.engine({ max_idle = 1 }) end,\n"
    "  function() if engine then tostring(engine) end end,\n"
    "  function()\n"
    "    id = engine:submit({ url = 'http://127.0.0.1/', proxy = '', ca_file = '/dev/null',\n"
    "      method = 'POST', body = '{}', once = true, headers = { 'X-A: b', 'X-Empty:' },\n"
    "      apart = _VERSION == 'Lua 5.1' })\n"
    "  end,\n"
    "  function() pcall(engine.progress, engine, id) end,\n"
    "  function() while engine:wait(10) > 0 do end end,\n"
    "  function()\n"
    "    local got, status, headers, after\n"
    "    got, status, body, headers, after = engine:next()\n"
    "    assert(got == id and status == 200 and after == 3, 'the answer is lost')\n"
    "    assert(headers:find('^HTTP/1.1 200'))\n"
    "  end,\n"
    "  function()\n"
    "    told = told or type(body) == 'string' and body or body:take()\n"
    "    assert(told == 'ok', 'the body is lost')\n"
    "  end,\n"
    "  function() assert(engine:next() == nil, 'there was one request') end,\n"
    "  function() engine:submit({ url = 'https://127.0.0.1/', proxy = '', verify = false }) end,\n"
    "  function() while engine:wait(10) > 0 do end end,\n"
    "  function()\n"
    "    local got, status, failure = engine:next()\n"
    "    assert(got and not status and failure.kind == 'tls' and failure.message, 'it is lost')\n"
    "  end,\n"
    "  function() assert(not pcall(engine.submit, engine, { ulr = 'x' })) end,\n"
    "  function() assert(#decode(text).a == 5) end,\n"
    "  function() assert(#decode(big) == 201) end,\n"
    "  function() assert(json.encode({ a = json.array {}, b = { 1, 'x' } })) end,\n"
    "  function() assert(json.copy({ a = json.array {}, b = { 1, { c = 'x' } } }).b[2].c) end,\n"
    "  function() assert(core.classify('v2', 429, 13000) == 'rate_limited') end,\n"
    "  function() assert(#core.kinds() > 10 and #core.api_errors('v1') > 3) end,\n"
    "  function() engine:close() end,\n"
    "}\n";

static void require_ok(lua_State *L, int status) {
    if (status == 0) return;
    printf("%s\n", lua_tostring(L, -1));
    exit(2);
}

static lua_State *new_state(void) {
    lua_State *L = lua_newstate(allocate, NULL);
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushliteral(L, "./lua/?.lua");
    lua_setfield(L, -2, "path");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_coreclaw_core);
    lua_setfield(L, -2, "coreclaw.core");
    lua_settop(L, 0);
    require_ok(L, luaL_dostring(L, PROGRAM)); /* 1: the steps */
    return L;
}

/* "": it went well. */
static const char *step(lua_State *L, int i) {
    lua_settop(L, 1);
    lua_rawgeti(L, 1, i);
    if (lua_pcall(L, 0, 0, 0) == 0) return "";
    const char *words = lua_tostring(L, -1);
    return words ? words : "?";
}

static void check_step(lua_State *L, int i) {
    const char *words = step(L, i);
    check_failed += *words != '\0';
    check_passed += *words == '\0';
    if (*words) printf("step %d, failing the %ld. allocation: %s\n", i, memory.count, words);
}

/* An error of Lua passes through lua-cjson, which cannot help losing its buffer. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void) {
    return "leak:cjson.so\n";
}

/* All steps; the i-th runs out of memory at its n-th allocation. True if it came so far. */
static int attempt(int steps, int i, long n, int forever) {
    lua_State *L = new_state();
    for (int k = 1; k < i; k++) check_step(L, k);
    memory.at = n, memory.count = 0, memory.forever = forever, memory.failed = 0;
    const char *words = step(L, i);
    memory.at = 0;
    CHECK(!*words || (memory.failed && strstr(words, "memory")));
    if (*words && !strstr(words, "memory")) printf("step %d at %ld: %s\n", i, n, words);
    if (*words) check_step(L, i);
    for (int k = i + 1; k <= steps; k++) check_step(L, k);
    lua_close(L);
    return memory.failed;
}

static lua_State *volatile keeper; /* of lua-cjson, so that the name is known until the end */

static int count_steps(void) {
    lua_State *L = keeper = new_state();
    int n = 0;
    do {
        lua_settop(L, 1);
        lua_rawgeti(L, 1, n + 1);
    } while (!lua_isnil(L, -1) && ++n);
    return n;
}

int main(void) {
    int steps = count_steps();
    long cases = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i <= steps; i++) {
        for (int forever = 0; forever < 2; forever++) {
            long n = 1, stride = 1;
            for (; attempt(steps, i, n, forever) && check_failed < 20; n += stride, cases++) {
                if (n == 60) stride = 13;
            }
        }
    }
    printf("memory was out at %ld places of %d steps\n", cases, steps);
    return CHECK_DONE;
}
