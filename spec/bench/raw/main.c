/* main.c — reads one piece of work a line, does it, and answers with one line of figures. */
#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ANSWER_BUFFER = 128 * 1024 }; /* CURLOPT_BUFFERSIZE(3): the default of 16 KiB is slower */

size_t keep_body(char *data, size_t size, size_t count, void *to) {
  struct body *body = to;
  size_t more = size * count;
  if (body->size + more > body->room) {
    size_t room = (body->size + more) * 2;
    char *bigger = realloc(body->data, room);
    if (!bigger) return 0;
    body->data = bigger;
    body->room = room;
  }
  memcpy(body->data + body->size, data, more);
  body->size += more;
  return more;
}

void set_common(CURL *easy, const char *url, struct body *body) {
  static struct curl_slist *headers;
  if (!headers) headers = curl_slist_append(NULL, "authorization: Bearer bench-key");
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)ANSWER_BUFFER);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
}

int complain(const char *what) {
  printf("error %s\n", what);
  return 1;
}

int check_answer(CURL *easy, CURLcode code) {
  long status = 0;
  if (code != CURLE_OK) return complain(curl_easy_strerror(code));
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return status == 200 ? 0 : complain("the server answered with another status than 200");
}

const char *base_url(void) {
  const char *url = getenv("BENCH_URL");
  return url ? url : "http://127.0.0.1";
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* VmHWM, for ru_maxrss would remember the shell that started us. */
static long peak_kb(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long kb = 0;
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "VmHWM: %ld", &kb) == 1) break;
  }
  if (file) fclose(file);
  return kb;
}

static int do_work(const char *line, struct result *out) {
  char path[256], word[256];
  long n = 0, width = 0;
  if (sscanf(line, "get %ld %255s", &n, path) == 2) return easy_get(out, n, path, NULL);
  if (sscanf(line, "post %ld %255s", &n, path) == 2) return easy_get(out, n, path, "{\"keywords\":[\"coffee\"]}");
  if (sscanf(line, "pages %ld %255s", &n, path) == 2) return easy_pages(out, n, path);
  if (sscanf(line, "multi %ld %ld %255s", &n, &width, path) == 3) return multi_get(out, n, width, path);
  if (sscanf(line, "connect %ld %255s", &n, word) == 2) return easy_connect(out, n, word);
  return complain("absent: the C program has no such work");
}

int main(void) {
  char line[1024];
  curl_global_init(CURL_GLOBAL_ALL);
  decode_open();
  while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4) != 0) {
    struct result out = { 0, 0 };
    double since = now(), used = cpu();
    if (do_work(line, &out) == 0) {
      printf("seconds=%.9f cpu=%.9f rss=%ld requests=%ld bytes=%.0f\n", now() - since, cpu() - used, peak_kb(),
             out.requests, out.bytes);
    }
    fflush(stdout);
  }
  return 0;
}
