/* Derives the key of argon2id.rs once per line on the input: prints nanoseconds and the key. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef USE_ARGON2
#include <argon2.h>
#endif
#ifdef USE_SODIUM
#include <sodium.h>
#endif

static const char passphrase[] = "correct horse battery staple";
static const unsigned char salt[] = "0123456789abcdef";

static int derive(uint8_t key[32]) {
#ifdef USE_ARGON2
    return argon2id_hash_raw(3, 64 * 1024, 1, passphrase, sizeof passphrase - 1, salt, 16, key, 32);
#endif
#ifdef USE_SODIUM
    return crypto_pwhash(key, 32, passphrase, sizeof passphrase - 1, salt, 3, 64 * 1024 * 1024,
                         crypto_pwhash_ALG_ARGON2ID13);
#endif
}

int main(void) {
#ifdef USE_SODIUM
    if (sodium_init() < 0) return 1;
#endif
    while (getchar() == '\n') {
        uint8_t key[32];
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        if (derive(key) != 0) return 1;
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%lld ", (end.tv_sec - start.tv_sec) * 1000000000LL + (end.tv_nsec - start.tv_nsec));
        for (int i = 0; i < 32; i++) printf("%02x", key[i]);
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
