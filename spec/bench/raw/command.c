/* command.c — "run N COMMAND": runs a command N times, one after the other, and answers with one line of
   figures for all of them. No shell; words are split at spaces. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { WORDS = 64 };

struct sum {
  double cpu;
  long peak_kb;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int split(char *line, char **words) {
  int n = 0;
  char *word = strtok(line, " \n");
  while (word && n < WORDS - 1) {
    words[n++] = word;
    word = strtok(NULL, " \n");
  }
  words[n] = NULL;
  return n;
}

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* 0 when it ended well. */
static int run(char **words, struct sum *sum) {
  posix_spawn_file_actions_t quiet;
  struct rusage usage;
  pid_t pid;
  int status = 0, failed;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  failed = posix_spawnp(&pid, words[0], &quiet, NULL, words, environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (failed || wait4(pid, &status, 0, &usage) != pid) return 1;
  sum->cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
  if (usage.ru_maxrss > sum->peak_kb) sum->peak_kb = usage.ru_maxrss;
  return status;
}

int main(void) {
  char line[4096];
  while (fgets(line, sizeof line, stdin) && strncmp(line, "quit", 4) != 0) {
    char *words[WORDS];
    struct sum sum = { 0, 0 };
    int failed = split(line, words) < 3 || strcmp(words[0], "run") != 0;
    long i, n = failed ? 0 : atol(words[1]);
    double since = now();
    for (i = 0; i < n && !failed; i++) failed = run(words + 2, &sum);
    if (failed) printf("error the command failed: %s\n", words[2] ? words[2] : "none");
    else printf("seconds=%.9f cpu=%.9f rss=%ld requests=%ld\n", now() - since, sum.cpu, sum.peak_kb, n);
    fflush(stdout);
  }
  return 0;
}
