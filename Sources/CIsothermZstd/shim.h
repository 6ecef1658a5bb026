// Zstandard from the system (Debian: libzstd-dev): the pages of Parquet files.
#include <zstd.h>
