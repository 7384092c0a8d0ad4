/* The large blocks: each is one's own, forgotten when it is given back, and then not resident. */
#include "cc_block.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 1000, MOST = 5000, THREADS = 4, ROUNDS = 2000 };

static char *blocks[MOST];

static void only_large_blocks(void) {
    CHECK(cc_block_take(0) == NULL);
    CHECK(cc_block_take(CC_BLOCK_MIN - 1) == NULL);
    CHECK(cc_block_take(CC_BLOCK_MAX + 1) == NULL);
    CHECK(cc_block_take(SIZE_MAX) == NULL);
    char on_stack, *on_heap = malloc(CC_BLOCK_MIN);
    CHECK(!cc_block_owns(&on_stack) && !cc_block_owns(on_heap) && !cc_block_owns(NULL));
    CHECK(!cc_block_give(on_heap) && !cc_block_give(NULL));
    free(on_heap);
}

static int is_zero(const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i]) return 0;
    return 1;
}

/* Of the places that stay and of those that do not. */
static void forget_what_stood_in_them(void) {
    for (int i = 0; i < 100; i++) {
        blocks[i] = cc_block_take(CC_BLOCK_MAX);
        memset(blocks[i], 'k', CC_BLOCK_MAX);
    }
    for (int i = 0; i < 100; i++) CHECK(cc_block_give(blocks[i]));
    int wrong = 0, whole = 0;
    for (int i = 0; i < 100; i++) {
        blocks[i] = cc_block_take(CC_BLOCK_MAX);
        wrong += !is_zero(blocks[i], 8 << 10);
        whole += is_zero(blocks[i], CC_BLOCK_MAX);
    }
    CHECK(wrong == 0);
#ifdef __linux__
    CHECK(whole == 84);
#endif
    for (int i = 0; i < 100; i++) CHECK(cc_block_give(blocks[i]));
}

static long resident_kb(void) {
    long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%ld %ld", &size, &pages) != 2) pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void are_not_resident_when_given_back(void) {
    long before = resident_kb();
    for (int i = 0; i < MANY; i++) {
        blocks[i] = cc_block_take(CC_BLOCK_MIN);
        memset(blocks[i], 'x', CC_BLOCK_MIN);
    }
    long full = resident_kb();
    for (int i = 0; i < MANY; i++) CHECK(cc_block_give(blocks[i]));
    long after = resident_kb();
    CHECK(before == 0 || full - before > MANY * 60);
#ifdef __SANITIZE_THREAD__
    (void)after; /* its shadow of them is larger than they are, and stays */
#else
    CHECK(after - before < MANY * 20);
#endif
}

/* n blocks with an answer in each; what is resident afterwards, in KiB, more than before. */
static long left_of(int n, size_t at, size_t answer, size_t headers) {
    long before = resident_kb();
    for (int i = 0; i < n; i++) {
        blocks[i] = cc_block_take(CC_BLOCK_MAX);
        memset(blocks[i] + at, 'x', answer);
        cc_block_note(blocks[i] + at, answer, headers);
    }
    for (int i = 0; i < n; i++) CHECK(cc_block_give(blocks[i]));
    long after = resident_kb();
    int wrong = 0;
    for (int i = 0; i < n; i++) blocks[i] = cc_block_take(CC_BLOCK_MAX);
    for (int i = 0; i < n; i++) wrong += !is_zero(blocks[i], 4 << 10);
    for (int i = 0; i < n; i++) CHECK(cc_block_give(blocks[i]));
    CHECK(wrong == 0);
    return after - before;
}

/* A page each stays of the first 384, where no more than that has come; of no others. */
static void keep_what_has_received_little(void) {
    char elsewhere[8] = "";
    cc_block_note(elsewhere, sizeof elsewhere, 0); /* from a decompressor, say */
    left_of(MANY, 0, CC_BLOCK_MAX, 0); /* a sanitizer's shadow of them is there from now on */
    long much = left_of(MANY, 0, 60 << 10, 100), behind = left_of(MANY, 4 << 10, 1, 100),
         after_many = left_of(MANY, 0, 100, 5 << 10), little = left_of(MANY, 100, 1000, 100);
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
    CHECK(much < 1200 && behind < 1200 && after_many < 1200);
    CHECK(little > 300 * 4 && little < 600 * 4);
#else
    (void)much, (void)behind, (void)after_many, (void)little;
#endif
    for (int i = 0; i < MANY; i++) blocks[i] = cc_block_take(CC_BLOCK_MAX);
    for (int i = 0; i < MANY; i++) CHECK(cc_block_give(blocks[i])); /* nothing was noted: all of it goes */
}

static void run_out_without_harm(void) {
    int n = 0;
    while (n < MOST && (blocks[n] = cc_block_take(CC_BLOCK_MAX)) != NULL) blocks[n++][0] = 'x';
    CHECK(n >= 4000 && n < MOST);
    for (int i = 0; i < n; i++) CHECK(cc_block_give(blocks[i]));
    void *again = cc_block_take(CC_BLOCK_MAX);
    CHECK(again == blocks[0]);
    CHECK(cc_block_give(again));
}

/* Nobody else writes where one has a block. */
static void *take_and_give(void *wrong) {
    char *mine[8] = {NULL}, mark[8];
    unsigned seed = (unsigned)(uintptr_t)&mine;
    for (int i = 0; i < ROUNDS; i++) {
        int k = (int)((seed = seed * 1103515245 + 12345) >> 16) % 8;
        if (mine[k]) {
            *(int *)wrong += mine[k][0] != mark[k] || mine[k][CC_BLOCK_MIN - 1] != mark[k];
            cc_block_give(mine[k]);
            mine[k] = NULL;
        } else if ((mine[k] = cc_block_take(CC_BLOCK_MIN)) != NULL) {
            mine[k][0] = mine[k][CC_BLOCK_MIN - 1] = mark[k] = (char)(seed >> 8);
        }
    }
    for (int k = 0; k < 8; k++)
        if (mine[k]) cc_block_give(mine[k]);
    return NULL;
}

static void belong_to_one_thread_at_a_time(void) {
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, take_and_give, &wrong[i]);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) CHECK(wrong[i] == 0);
}

int main(void) {
    belong_to_one_thread_at_a_time();
    only_large_blocks();
    forget_what_stood_in_them();
    keep_what_has_received_little();
    are_not_resident_when_given_back();
    run_out_without_harm();
    return CHECK_DONE;
}
