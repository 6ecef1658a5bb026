// libcrypto from the system (Debian: libssl-dev, OpenSSL 3): hashes, keyed hashes, one cipher, randomness.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
