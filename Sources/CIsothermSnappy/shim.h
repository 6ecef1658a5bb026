// Snappy from the system (Debian: libsnappy-dev, no pkg-config file): pages of Parquet files, its C interface.
#include <snappy-c.h>
