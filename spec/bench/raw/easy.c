/* easy.c — one request after the other, on one easy handle that keeps its connection. */
#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct body body;

/* The handle of this process: its connection stays open from one piece of work to the next. */
static CURL *handle(const char *url) {
  static CURL *easy;
  if (!easy) easy = curl_easy_init();
  if (!easy) return NULL;
  curl_easy_reset(easy);
  set_common(easy, url, &body);
  return easy;
}

static int perform(CURL *easy, struct result *out) {
  body.size = 0;
  if (check_answer(easy, curl_easy_perform(easy))) return 1;
  decode(&body);
  out->requests++;
  out->bytes += (double)body.size;
  return 0;
}

int easy_get(struct result *out, long n, const char *path, const char *post) {
  char url[512];
  CURL *easy;
  snprintf(url, sizeof url, "%s%s", base_url(), path);
  easy = handle(url);
  if (!easy) return complain("no memory");
  if (post) curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post);
  while (n-- > 0) {
    if (perform(easy, out)) return 1;
  }
  return 0;
}

int easy_pages(struct result *out, long pages, const char *path) {
  char url[512];
  long page;
  for (page = 1; page <= pages; page++) {
    CURL *easy;
    snprintf(url, sizeof url, "%s%s?offset=%ld&limit=100", base_url(), path, page);
    easy = handle(url);
    if (!easy) return complain("no memory");
    if (perform(easy, out)) return 1;
  }
  return 0;
}

/* Each request opens a connection: the server of BENCH_FRESH closes it. Modes: `default`, as libcurl does
   without being told; `bundle`, which its cache of the CA store takes; `none`, without verification. */
int easy_connect(struct result *out, long n, const char *mode) {
  char url[512];
  const char *base = getenv("BENCH_FRESH"), *bundle = getenv("BENCH_CA");
  snprintf(url, sizeof url, "%s/tiny", base ? base : "");
  while (n-- > 0) {
    CURL *easy = handle(url);
    if (!easy) return complain("no memory");
    curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
    if (strcmp(mode, "bundle") == 0) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (strcmp(mode, "none") == 0) {
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (perform(easy, out)) return 1;
  }
  return 0;
}
