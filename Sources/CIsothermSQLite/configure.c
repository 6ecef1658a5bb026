// See isotherm_sqlite.h.
#include "isotherm_sqlite.h"
#include <sqlite3.h>

int isotherm_sqlite_without_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

int isotherm_sqlite_keep_log(void *connection) { return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0); }
