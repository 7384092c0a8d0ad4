/* The options of a request, which come from two tables: its own, and one that many have in common.
 */
#ifndef LCC_SUBMIT_H
#define LCC_SUBMIT_H

#include "lcc.h"

#include "cc_file.h"
#include "cc_lines.h"
#include "cc_meter.h"
#include "cc_secret.h"

#define LCC_NOT_GIVEN SIZE_MAX

typedef struct lcc_request {
    lcc_text url, method, body, ca_file, ca_path, cert_file, key_file, key_password, proxy,
        no_proxy, auth;
    cc_secret secret;
    size_t headers, connect_to;
    double connect_timeout, idle_timeout, timeout;
    size_t max_body, max_headers, offset;
    const cc_file *file;
    cc_meter *meter;
    const void *common;
    bool once, follow, verify, apart;
} lcc_request;

/* Name and type of each. */
extern const lcc_option lcc_request_options[];

lcc_request lcc_request_defaults(void);

/* Raise where a method is none, or a line of the table's headers no header. */
void lcc_check_method(lua_State *L, const char *what, const lcc_request *r);
void lcc_check_headers(lua_State *L, int table, const char *what, size_t n);

/* ---- lcc_common.c ---- */

/* What all requests of a client have in common is read and checked once. Borrowed are the strings,
 * of a table that is this userdata's; owned the lines. What may be closed or collected meanwhile
 * (secrets, a meter, a file) is read each time. */
typedef struct lcc_common {
    lcc_request r;
    cc_lines *headers, *addresses; /* NULL: not given */
    const lcc_option *late[8];
    int late_count;
    bool dropped; /* a finalizer that still uses it came later than its own */
} lcc_common;

/* Fills in what the value at index has, if it is a coreclaw.common, and leaves the table that it
 * was made of in its place. */
void lcc_take_common(lua_State *L, int index, lcc_request *r);

#endif
