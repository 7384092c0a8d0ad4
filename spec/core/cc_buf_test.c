/* The buffer: it grows, it ends at its ceiling, it keeps what it had when it cannot grow. */
#include "cc_buf.h"

#include <stdint.h>
#include <stdlib.h>

#include "check.h"

static void grows_and_keeps_its_bytes(void) {
    cc_buf b;
    cc_buf_init(&b, 1u << 20);
    CHECK(b.data == NULL && b.len == 0);
    for (int i = 0; i < 100000; i++) {
        char c = (char)(i * 7);
        if (cc_buf_add(&b, &c, 1) != CC_BUF_OK) CHECK(!"it must take a byte");
    }
    int wrong = 0;
    for (int i = 0; i < 100000; i++) wrong += b.data[i] != (char)(i * 7);
    CHECK(b.len == 100000 && b.cap >= b.len && wrong == 0);
    cc_buf_free(&b);
    cc_buf_free(&b);
    CHECK(b.data == NULL && b.len == 0 && b.max == 1u << 20);
}

/* For every ceiling around the sizes that it grows by. */
static void stops_at_the_ceiling(void) {
    for (size_t max = 0; max < 5000; max += 37) {
        cc_buf b;
        cc_buf_init(&b, max);
        size_t taken = 0;
        while (cc_buf_add(&b, "0123456789", 10) == CC_BUF_OK) taken += 10;
        CHECK(b.len == taken && taken <= max && max - taken < 10 && b.cap <= max);
        CHECK(cc_buf_add(&b, "0123456789", max - taken) == CC_BUF_OK && b.len == max);
        CHECK(cc_buf_add(&b, "x", 1) == CC_BUF_FULL && b.len == max);
        CHECK(cc_buf_reserve(&b, 1) == CC_BUF_FULL);
        cc_buf_free(&b);
    }
}

static void sizes_that_overflow_are_too_large(void) {
    cc_buf b;
    cc_buf_init(&b, 100);
    CHECK(cc_buf_add(&b, "abc", 3) == CC_BUF_OK);
    CHECK(cc_buf_add(&b, "abc", SIZE_MAX) == CC_BUF_FULL);
    CHECK(cc_buf_reserve(&b, SIZE_MAX) == CC_BUF_FULL);
    CHECK(b.len == 3 && memcmp(b.data, "abc", 3) == 0);
    cc_buf_free(&b);
}

static void adding_nothing_is_fine(void) {
    cc_buf b;
    cc_buf_init(&b, 0);
    CHECK(cc_buf_add(&b, NULL, 0) == CC_BUF_OK);
    CHECK(cc_buf_add(&b, "x", 1) == CC_BUF_FULL);
    CHECK(b.data == NULL && b.len == 0);
    cc_buf_free(&b);
}

static void reserving_makes_room_once(void) {
    cc_buf b;
    cc_buf_init(&b, 1000000);
    CHECK(cc_buf_reserve(&b, 300000) == CC_BUF_OK);
    const char *where = b.data;
    for (int i = 0; i < 300000; i++) (void)cc_buf_add(&b, "x", 1);
    CHECK(b.data == where && b.len == 300000);
    CHECK(cc_buf_reserve(&b, 0) == CC_BUF_OK && b.data == where);
    cc_buf_clear(&b);
    CHECK(b.len == 0 && b.data == where && b.cap >= 300000);
    cc_buf_free(&b);
}

int main(void) {
    grows_and_keeps_its_bytes();
    stops_at_the_ceiling();
    sizes_that_overflow_are_too_large();
    adding_nothing_is_fine();
    reserving_makes_room_once();
    return CHECK_DONE;
}
