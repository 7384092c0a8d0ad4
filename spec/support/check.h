/* All that the C tests need: CHECK counts, CHECK_DONE prints one line and gives main its result. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int check_passed, check_failed;

#define CHECK(condition)                                                                           \
    ((condition) ? (void)check_passed++                                                            \
                 : (void)(check_failed++, printf("%s:%d: %s\n", __FILE__, __LINE__, #condition)))
#define CHECK_TEXT(got, wanted)                                                                    \
    (strcmp((got), (wanted)) == 0                                                                  \
         ? (void)check_passed++                                                                    \
         : (void)(check_failed++, printf("%s:%d: got \"%s\"\n", __FILE__, __LINE__, (got))))
#define CHECK_DONE (printf("%d passed, %d failed\n", check_passed, check_failed), check_failed != 0)

#endif
