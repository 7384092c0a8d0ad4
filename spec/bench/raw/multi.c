/* multi.c — many requests at a time: libcurl's multi handle on an epoll of our own. */
#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct transfer {
  CURL *easy;
  struct body body;
};

struct race {
  CURLM *multi;
  int epoll;
  long timeout; /* ms until libcurl wants to be called, -1: never */
  long next, last, running;
  const char *path;
  struct result *out;
};

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *of, void *known) {
  struct race *race = of;
  struct epoll_event event = { 0, { 0 } };
  (void)easy;
  if (what == CURL_POLL_REMOVE) return epoll_ctl(race->epoll, EPOLL_CTL_DEL, fd, NULL), 0;
  event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  event.data.fd = fd;
  if (epoll_ctl(race->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) return -1;
  curl_multi_assign(race->multi, fd, race);
  return 0;
}

static int set_timer(CURLM *multi, long ms, void *of) {
  (void)multi;
  ((struct race *)of)->timeout = ms;
  return 0;
}

static void open_race(struct race *race, long width) {
  race->multi = curl_multi_init();
  race->epoll = epoll_create1(EPOLL_CLOEXEC);
  race->timeout = -1;
  curl_multi_setopt(race->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
  curl_multi_setopt(race->multi, CURLMOPT_SOCKETDATA, race);
  curl_multi_setopt(race->multi, CURLMOPT_TIMERFUNCTION, set_timer);
  curl_multi_setopt(race->multi, CURLMOPT_TIMERDATA, race);
  curl_multi_setopt(race->multi, CURLMOPT_MAXCONNECTS, width + 16); /* or idle ones would be closed */
}

static void begin(struct race *race, struct transfer *transfer) {
  char url[512];
  int at = snprintf(url, sizeof url, "%s", base_url());
  snprintf(url + at, sizeof url - (size_t)at, race->path, race->next);
  transfer->body.size = 0;
  set_common(transfer->easy, url, &transfer->body);
  curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
  curl_multi_add_handle(race->multi, transfer->easy);
  race->next++;
  race->running++;
}

/* Takes what has ended, and begins others in its place. */
static int take(struct race *race) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(race->multi, &left)) != NULL) {
    struct transfer *transfer;
    CURL *easy = message->easy_handle;
    if (check_answer(easy, message->data.result)) return 1;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    decode(&transfer->body);
    race->out->requests++;
    race->out->bytes += (double)transfer->body.size;
    race->running--;
    curl_multi_remove_handle(race->multi, easy);
    if (race->next <= race->last) begin(race, transfer);
  }
  return 0;
}

static void step(struct race *race) {
  struct epoll_event events[EVENTS];
  long due = race->timeout;
  int i, running, count = epoll_wait(race->epoll, events, EVENTS, (int)due);
  if (count == 0 || due == 0) {
    race->timeout = -1;
    curl_multi_socket_action(race->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  for (i = 0; i < count; i++) {
    int mask = (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
               (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(race->multi, events[i].data.fd, mask, &running);
  }
}

static void close_race(struct race *race, struct transfer *transfers, long width) {
  long i;
  for (i = 0; i < width; i++) {
    curl_easy_cleanup(transfers[i].easy);
    free(transfers[i].body.data);
  }
  curl_multi_cleanup(race->multi);
  close(race->epoll);
  free(transfers);
}

int multi_get(struct result *out, long n, long width, const char *path) {
  struct race race = { NULL, -1, -1, 1, n, 0, path, out };
  struct transfer *transfers = calloc((size_t)width, sizeof *transfers);
  long i;
  int failed = 0;
  if (!transfers) return complain("no memory");
  open_race(&race, width);
  for (i = 0; i < width; i++) {
    transfers[i].easy = curl_easy_init();
    if (race.next <= n) begin(&race, &transfers[i]);
  }
  while (race.running > 0 && !failed) {
    step(&race);
    failed = take(&race);
  }
  close_race(&race, transfers, width);
  return failed;
}
