// zlib from the system (Debian: zlib1g-dev): compressed request bodies and bulk files.
#include <zlib.h>
