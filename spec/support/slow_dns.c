/* LD_PRELOAD: every lookup of a name takes ten seconds, as on a bad day. */
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out) {
    (void)node, (void)service, (void)hints, (void)out;
    sleep(10);
    return EAI_AGAIN;
}
