/* raw.h — what libcurl itself allows: the program that every client is held against. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <curl/curl.h>
#include <stddef.h>

/* One answer's body; kept between requests. */
struct body {
  char *data;
  size_t size, room;
};

/* What a piece of work came to. */
struct result {
  long requests;
  double bytes;
};

/* decode.c, or lua.c where lua-cjson reads every body as well. */
void decode_open(void);
void decode(const struct body *body);

/* easy.c: one after the other. Each returns 0, or 1 after it has told why on stdout. */
int easy_get(struct result *out, long n, const char *path, const char *post);
int easy_pages(struct result *out, long pages, const char *path);
int easy_connect(struct result *out, long n, const char *mode);

/* multi.c: `width` at a time, on epoll. A %ld in the path becomes the number of the request, from 1. */
int multi_get(struct result *out, long n, long width, const char *path);

/* main.c */
size_t keep_body(char *data, size_t size, size_t count, void *body);
void set_common(CURL *easy, const char *url, struct body *body);
int complain(const char *what);
int check_answer(CURL *easy, CURLcode code);
const char *base_url(void);

#endif
