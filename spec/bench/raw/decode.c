/* decode.c — the body is there, and nobody reads it. */
#include "raw.h"

void decode_open(void) {
}

void decode(const struct body *body) {
  (void)body;
}
