// SQLite's settings for the whole process, which Swift cannot reach: sqlite3_config takes a varying number of arguments.
#ifndef ISOTHERM_SQLITE_H
#define ISOTHERM_SQLITE_H

/// No statistics of memory: each allocation took a lock for them. Counts before SQLite's first use only; later it changes nothing.
int isotherm_sqlite_without_statistics(void);

/// Registers a file system of SQLite's under a name: the parent's (its default for NULL), but a commit's pages go to the write-ahead log in one write each
/// 64 KiB instead of two for every page.
/// Gives 0, also when the name is there already.
int isotherm_sqlite_whole_log_writes(const char *name, const char *parent);

/// The log stays when the connection (a `sqlite3 *`) is the last to close: nothing of it is copied into the database. Gives 0.
int isotherm_sqlite_keep_log(void *connection);

#endif
