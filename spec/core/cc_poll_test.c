/* Sockets that stay in the epoll while nobody wants them: no event is lost, none comes from the dead. */
#include "cc_poll.h"

#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#define SOON 20000 /* microseconds */

static cc_poll poll_;
static int pair[2];

static void make_pair(void) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
}

static void close_pair(void) {
    cc_poll_leave(&poll_, pair[0]);
    close(pair[0]);
    close(pair[1]);
}

static void watch(bool in, bool out) {
    cc_poll_watch(&poll_, pair[0], 1, in, out, false);
}

static int look(cc_event *e) {
    return cc_poll_wait(&poll_, e, 1, SOON);
}

static void say(void) {
    CHECK(write(pair[1], "x", 1) == 1);
}

static void hear(void) {
    char byte;
    CHECK(read(pair[0], &byte, 1) == 1);
}

/* Also where it is the very same that was wanted before, and epoll is not asked. */
static void tell_what_is_wanted_again(void) {
    cc_event e = {0};
    make_pair();
    cc_poll_adopt(&poll_, pair[0]);
    for (int i = 0; i < 3; i++) {
        watch(true, false);
        CHECK(look(&e) == 0);
        say();
        CHECK(look(&e) == 1 && e.fd == pair[0] && e.tag == 1 && e.in && !e.out);
        hear();
        watch(false, false);
    }
    close_pair();
}

static void keep_still_what_is_not_wanted(void) {
    cc_event e = {0};
    make_pair();
    cc_poll_adopt(&poll_, pair[0]);
    watch(true, true);
    CHECK(look(&e) == 1 && e.out && !e.in);
    watch(false, false);
    say();
    CHECK(look(&e) == 0);
    CHECK(look(&e) == 0);
    watch(true, false); /* what came meanwhile is still there */
    CHECK(look(&e) == 1 && e.in && !e.out);
    watch(false, true);
    CHECK(look(&e) == 1 && e.out && !e.in);
    close_pair();
}

/* As a child does that was forked: the socket lives on, under a number that is another's now. */
static void hear_nothing_of_those_that_left(void) {
    cc_event e = {0};
    make_pair();
    int held = dup(pair[0]), other = pair[1];
    cc_poll_adopt(&poll_, pair[0]);
    watch(true, false);
    watch(false, false);
    cc_poll_leave(&poll_, pair[0]);
    close(pair[0]);
    CHECK(write(other, "x", 1) == 1);
    CHECK(look(&e) == 0);
    close(held);
    close(other);
}

/* A number is used again, by a socket that is one of these or is none. */
static void know_a_new_socket_under_an_old_number(void) {
    cc_event e = {0};
    for (int i = 0; i < 4; i++) {
        make_pair();
        if (i % 2 == 0) cc_poll_adopt(&poll_, pair[0]);
        watch(true, false);
        say();
        CHECK(look(&e) == 1 && e.in);
        watch(false, false);
        CHECK(look(&e) == 0);
        close_pair();
    }
}

static void have_numbers_as_they_come(void) {
    cc_event e = {0};
    make_pair();
    int high = dup2(pair[0], 900);
    close(pair[0]);
    pair[0] = high;
    cc_poll_adopt(&poll_, high);
    cc_poll_leave(&poll_, high + 1000); /* nobody's */
    watch(true, false);
    say();
    CHECK(look(&e) == 1 && e.fd == high);
    close_pair();
}

int main(void) {
    CHECK(cc_poll_open(&poll_));
    tell_what_is_wanted_again();
    keep_still_what_is_not_wanted();
    hear_nothing_of_those_that_left();
    know_a_new_socket_under_an_old_number();
    have_numbers_as_they_come();
    cc_poll_close(&poll_);
    return CHECK_DONE;
}
