// See isotherm_sqlite.h.
#include "isotherm_sqlite.h"
#include <sqlite3.h>

int isotherm_sqlite_without_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
