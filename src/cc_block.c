#include "cc_block.h"

#include <stdint.h>
#include <sys/mman.h>

#include "cc_secret.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1 /* as gcc says it */
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* Shelves of 64 places, made as they are needed and never taken down: a shelf is 8.25 MiB of
 * addresses. */
enum { PLACES = 64, SHELVES = 64 };

/* The places that keep their memory, to be used again soon; and the shelves of which those keep it
 * that are known to have received little, a page each. Giving memory back and getting it again takes
 * more than the rest of a small request together on some machines. */
enum { WARM = 16, WARM_SHELVES = 6 };

/* Of a place that keeps its memory so much is zeroed: behind that are rows. */
#define HEAD ((size_t)8 << 10)
#define PAGE ((size_t)4 << 10)

/* A bit of each word for each place. */
typedef struct shelf {
    char *base; /* NULL: not made yet */
    uint64_t used, little, much;
} shelf;

static shelf shelves[SHELVES];

static bool make(shelf *s) {
    size_t size = (size_t)PLACES * CC_BLOCK_MAX;
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return false;
#ifdef MADV_NOHUGEPAGE
    madvise(base, size, MADV_NOHUGEPAGE); /* one small answer would make 2 MiB of it resident */
#endif
    ASAN_POISON_MEMORY_REGION(base, size);
    char *none = NULL;
    if (!__atomic_compare_exchange_n(&s->base, &none, base, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        munmap(base, size); /* another thread was faster */
    return true;
}

/* The lowest place that is free, and now taken; PLACES: none. Without a lock: a fork may happen
 * while another thread is here. */
static unsigned take_place(shelf *s) {
    uint64_t used = __atomic_load_n(&s->used, __ATOMIC_RELAXED);
    while (~used) {
        unsigned place = (unsigned)__builtin_ctzll(~used);
        if (__atomic_compare_exchange_n(&s->used, &used, used | (uint64_t)1 << place, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return place;
    }
    return PLACES;
}

void *cc_block_take(size_t n) {
    if (n < CC_BLOCK_MIN || n > CC_BLOCK_MAX) return NULL;
    for (int i = 0; i < SHELVES; i++) {
        shelf *s = &shelves[i];
        if (!__atomic_load_n(&s->base, __ATOMIC_ACQUIRE) && !make(s)) return NULL;
        unsigned place = take_place(s);
        if (place < PLACES) {
            char *block = s->base + (size_t)place * CC_BLOCK_MAX;
            ASAN_UNPOISON_MEMORY_REGION(block, CC_BLOCK_MAX); /* realloc grows it in its place */
            return block;
        }
    }
    return NULL;
}

/* Where a block stands; its shelf, or -1. */
static int find(const void *block, unsigned *place) {
    for (int i = 0; i < SHELVES; i++) {
        uintptr_t base = (uintptr_t)__atomic_load_n(&shelves[i].base, __ATOMIC_ACQUIRE);
        if (!base) return -1;
        uintptr_t offset = (uintptr_t)block - base;
        if (offset < (uintptr_t)PLACES * CC_BLOCK_MAX) {
            *place = (unsigned)(offset / CC_BLOCK_MAX);
            return i;
        }
    }
    return -1;
}

bool cc_block_owns(const void *block) {
    unsigned place;
    return find(block, &place) >= 0;
}

/* Linux gives pages of zeroes for those it has taken back; elsewhere that is not said. */
static bool drop(void *block) {
#if defined(__linux__)
    return madvise(block, CC_BLOCK_MAX, MADV_DONTNEED) == 0;
#else
    (void)block;
    return false;
#endif
}

static void forget(char *block, size_t kept) {
    ASAN_UNPOISON_MEMORY_REGION(block, CC_BLOCK_MAX);
    if (kept || !drop(block)) cc_wipe(block, kept ? kept : HEAD);
    ASAN_POISON_MEMORY_REGION(block, CC_BLOCK_MAX);
}

static bool take_bit(uint64_t *word, unsigned place) {
    uint64_t bit = (uint64_t)1 << place;
    if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit)) return false;
    __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
    return true;
}

/* How much of a place is wiped and kept; 0: all of it goes. */
static size_t kept_of(int i, unsigned place) {
    bool little = take_bit(&shelves[i].little, place), much = take_bit(&shelves[i].much, place);
    if (little && !much && i < WARM_SHELVES) return PAGE;
    return i == 0 && place < WARM ? HEAD : 0;
}

void cc_block_note(const void *bytes, size_t n, size_t headers) {
    unsigned place = 0;
    int i = find(bytes, &place);
    if (i < 0) return;
    size_t before = (size_t)((const char *)bytes - shelves[i].base) - place * (size_t)CC_BLOCK_MAX;
    bool much = headers > PAGE || n > PAGE || before > PAGE - n;
    __atomic_fetch_or(much ? &shelves[i].much : &shelves[i].little, (uint64_t)1 << place,
                      __ATOMIC_RELAXED);
}

bool cc_block_give(void *block) {
    unsigned place = 0;
    int i = find(block, &place);
    if (i < 0) return false;
    forget(block, kept_of(i, place));
    __atomic_fetch_and(&shelves[i].used, ~((uint64_t)1 << place), __ATOMIC_RELEASE);
    return true;
}
