// zlib, from Debian's zlib1g-dev: inflating compressed request bodies.
#include <zlib.h>
