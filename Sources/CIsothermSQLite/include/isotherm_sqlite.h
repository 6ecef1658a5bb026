// SQLite's settings for the whole process, which Swift cannot reach: sqlite3_config takes a varying number of arguments.
#ifndef ISOTHERM_SQLITE_H
#define ISOTHERM_SQLITE_H

/// No statistics of memory: each allocation took a lock for them. Counts before SQLite's first use only; later it changes nothing.
int isotherm_sqlite_without_statistics(void);

#endif
