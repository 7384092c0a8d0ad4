#include "cc_global.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cc_memory.h"
#include "cc_request.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool guards;
static bool stale_headers;
static char encodings[64];

/* A resolver thread of libcurl may outlive lua_close, which unloads this module, and so its code.
 * The linker's -z nodelete says the same, but not every builder (LuaRocks for one) can be told. */
static void stay_loaded(void) {
#ifdef RTLD_NODELETE
    static char here;
    Dl_info self;
    if (dladdr(&here, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

/* Where somebody else was first in this process, libcurl keeps to the memory that it has. */
static void init_with_memory(void) {
#if CC_HAVE_MEMORY
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, cc_memory_malloc, cc_memory_free, cc_memory_realloc,
                         cc_memory_strdup, calloc);
#else
    curl_global_init(CURL_GLOBAL_DEFAULT);
#endif
}

static void offer(const char *coding) {
    strcat(strcat(encodings, encodings[0] ? ", " : "Accept-Encoding: "), coding);
}

static void list_encodings(int features) {
    if (features & CURL_VERSION_LIBZ) offer("gzip");
#ifdef CURL_VERSION_BROTLI
    if (features & CURL_VERSION_BROTLI) offer("br");
#endif
#ifdef CURL_VERSION_ZSTD
    if (features & CURL_VERSION_ZSTD) offer("zstd");
#endif
}

static void init_curl(void) {
    stay_loaded();
    init_with_memory();
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    unsigned number = v->version_num;
    list_encodings(v->features);
    guards = CC_HAVE_PREREQ && number >= 0x075000;
    stale_headers = number >= 0x075300 && number < 0x080200;
}

void cc_global_init(void) {
    pthread_once(&once, init_curl);
}

static curl_version_info_data *version(void) {
    cc_global_init();
    return curl_version_info(CURLVERSION_NOW);
}

const char *cc_global_encodings(void) {
    cc_global_init();
    return encodings[0] ? encodings : NULL;
}

bool cc_global_stale_headers(void) {
    cc_global_init();
    return stale_headers;
}

void cc_global_about(cc_about *out) {
    curl_version_info_data *v = version();
    out->version = v->version;
    out->version_num = v->version_num;
    out->ssl = v->ssl_version ? v->ssl_version : "";
    out->encodings = cc_global_encodings();
    out->http2 = (v->features & CURL_VERSION_HTTP2) != 0;
    out->guards = guards;
}

bool cc_global_guards(void) {
    cc_global_init();
    return guards;
}

/* libcurl knows how it was built. */
static const char *built_in_bundle(void) {
#if LIBCURL_VERSION_NUM >= 0x074600
    curl_version_info_data *v = version();
    if (v->age >= CURLVERSION_SEVENTH) return v->cainfo;
#endif
    return NULL;
}

const char *cc_global_bundle(void) {
    static const char *const known[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Alpine */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", /* SUSE */
        "/etc/ssl/cert.pem",      /* macOS, BSD */
        "/usr/local/share/certs/ca-root-nss.crt",
        NULL};
    const char *own = built_in_bundle();
    if (own && access(own, R_OK) == 0) return own;
    for (int i = 0; known[i]; i++) {
        if (access(known[i], R_OK) == 0) return known[i];
    }
    return NULL;
}
