// See isotherm_sqlite.h, isotherm_sqlite_whole_log_writes.
//
// Only write-ahead logs are wrapped; every other file is the parent's own. A log file has one buffer, which holds the bytes of consecutive writes:
//
//     write behind the buffer's end   append to it
//     any other write                 the buffer goes out, a new one begins there
//     the page of a commit's last frame (its header names the database's size; "WAL File Format", section 4.2)   the buffer goes out with it
//     read, size, truncate, sync      the buffer goes out first
//     close                           the buffer goes out; who closes without a sync has promised nothing
//
// So a commit is in the file before SQLite tells other connections of it, whatever `synchronous` says; before that, what is in the buffer would else be in the
// page cache: SQLite syncs before it relies on it. An error of going out is the error of the call that caused it.
#include "isotherm_sqlite.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* SQLite's own file system takes at most 131,071 bytes in a write, and cuts off the higher bits of more. */
enum { BUFFER_BYTES = 1 << 20, PIECE_BYTES = 1 << 16, FRAME_HEADER_BYTES = 24 };

typedef struct {
    sqlite3_file base;
    sqlite3_file *real;
    unsigned char *buffer;
    sqlite3_int64 start;
    int count;
    /* The last write was the header of a commit's last frame. */
    int ends;
} log_file;

static int out(log_file *f) {
    for (int done = 0; done < f->count; done += PIECE_BYTES) {
        int count = f->count - done < PIECE_BYTES ? f->count - done : PIECE_BYTES;
        int code = f->real->pMethods->xWrite(f->real, f->buffer + done, count, f->start + done);
        // Kept after an error: whoever tries again writes the same bytes at the same place.
        if (code != SQLITE_OK) return code;
    }
    f->count = 0;
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file) {
    log_file *f = (log_file *)file;
    int first = out(f), code = f->real->pMethods->xClose(f->real);
    free(f->buffer);
    f->buffer = NULL;
    return first != SQLITE_OK ? first : code;
}

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    log_file *f = (log_file *)file;
    int code = out(f);
    return code != SQLITE_OK ? code : f->real->pMethods->xRead(f->real, bytes, count, offset);
}

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    log_file *f = (log_file *)file;
    if (count < 0) return SQLITE_IOERR_WRITE;
    if (f->count > 0 && (offset != f->start + f->count || count > BUFFER_BYTES - f->count)) {
        int code = out(f);
        if (code != SQLITE_OK) return code;
    }
    if (count > BUFFER_BYTES) {
        f->ends = 0;
        return f->real->pMethods->xWrite(f->real, bytes, count, offset);
    }
    if (f->count == 0) f->start = offset;
    memcpy(f->buffer + f->count, bytes, (size_t)count);
    f->count += count;
    const unsigned char *header = bytes;
    int ended = f->ends;
    f->ends = count == FRAME_HEADER_BYTES && (header[4] | header[5] | header[6] | header[7]) != 0;
    return ended ? out(f) : SQLITE_OK;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    log_file *f = (log_file *)file;
    int code = out(f);
    return code != SQLITE_OK ? code : f->real->pMethods->xTruncate(f->real, size);
}

static int log_sync(sqlite3_file *file, int flags) {
    log_file *f = (log_file *)file;
    int code = out(f);
    return code != SQLITE_OK ? code : f->real->pMethods->xSync(f->real, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
    log_file *f = (log_file *)file;
    int code = out(f);
    return code != SQLITE_OK ? code : f->real->pMethods->xFileSize(f->real, size);
}

static int log_lock(sqlite3_file *file, int level) { log_file *f = (log_file *)file; return f->real->pMethods->xLock(f->real, level); }
static int log_unlock(sqlite3_file *file, int level) { log_file *f = (log_file *)file; return f->real->pMethods->xUnlock(f->real, level); }
static int log_reserved(sqlite3_file *file, int *result) { log_file *f = (log_file *)file; return f->real->pMethods->xCheckReservedLock(f->real, result); }
static int log_control(sqlite3_file *file, int op, void *argument) { log_file *f = (log_file *)file; return f->real->pMethods->xFileControl(f->real, op, argument); }
static int log_sector(sqlite3_file *file) { log_file *f = (log_file *)file; return f->real->pMethods->xSectorSize(f->real); }
static int log_characteristics(sqlite3_file *file) { log_file *f = (log_file *)file; return f->real->pMethods->xDeviceCharacteristics(f->real); }

static const sqlite3_io_methods methods = {
    1, log_close, log_read, log_write, log_truncate, log_sync, log_size, log_lock, log_unlock, log_reserved, log_control, log_sector, log_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags) {
    sqlite3_vfs *parent = vfs->pAppData;
    if (!(flags & SQLITE_OPEN_WAL)) return parent->xOpen(parent, name, file, flags, out_flags);
    log_file *f = (log_file *)file;
    memset(f, 0, sizeof *f);
    f->real = (sqlite3_file *)(f + 1);
    f->buffer = malloc(BUFFER_BYTES);
    if (f->buffer == NULL) return SQLITE_NOMEM;
    int code = parent->xOpen(parent, name, f->real, flags, out_flags);
    if (code != SQLITE_OK) {
        // SQLite closes what has methods, also after an error.
        if (f->real->pMethods) f->real->pMethods->xClose(f->real);
        free(f->buffer);
        return code;
    }
    f->base.pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync) { sqlite3_vfs *p = v->pAppData; return p->xDelete(p, name, sync); }
static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *result) { sqlite3_vfs *p = v->pAppData; return p->xAccess(p, name, flags, result); }
static int vfs_full(sqlite3_vfs *v, const char *name, int count, char *result) { sqlite3_vfs *p = v->pAppData; return p->xFullPathname(p, name, count, result); }
static int vfs_random(sqlite3_vfs *v, int count, char *result) { sqlite3_vfs *p = v->pAppData; return p->xRandomness(p, count, result); }
static int vfs_sleep(sqlite3_vfs *v, int microseconds) { sqlite3_vfs *p = v->pAppData; return p->xSleep(p, microseconds); }
static int vfs_error(sqlite3_vfs *v, int count, char *text) { sqlite3_vfs *p = v->pAppData; return p->xGetLastError(p, count, text); }
static int vfs_time(sqlite3_vfs *v, double *days) { sqlite3_vfs *p = v->pAppData; return p->xCurrentTime(p, days); }
static int vfs_time64(sqlite3_vfs *v, sqlite3_int64 *milliseconds) { sqlite3_vfs *p = v->pAppData; return p->xCurrentTimeInt64(p, milliseconds); }

int isotherm_sqlite_whole_log_writes(const char *name, const char *parent_name) {
    if (sqlite3_initialize() != SQLITE_OK) return SQLITE_ERROR;
    if (sqlite3_vfs_find(name)) return SQLITE_OK;
    sqlite3_vfs *parent = sqlite3_vfs_find(parent_name);
    // Time in milliseconds is there since the structure's second version, which every parent of ours has.
    if (parent == NULL || parent->iVersion < 2) return SQLITE_ERROR;
    sqlite3_vfs *vfs = calloc(1, sizeof *vfs);
    char *kept = strdup(name);
    if (vfs == NULL || kept == NULL) {
        free(vfs);
        free(kept);
        return SQLITE_NOMEM;
    }
    vfs->iVersion = 2;
    vfs->szOsFile = (int)sizeof(log_file) + parent->szOsFile;
    vfs->mxPathname = parent->mxPathname;
    vfs->zName = kept;
    vfs->pAppData = parent;
    vfs->xOpen = vfs_open;
    vfs->xDelete = vfs_delete;
    vfs->xAccess = vfs_access;
    vfs->xFullPathname = vfs_full;
    vfs->xRandomness = vfs_random;
    vfs->xSleep = vfs_sleep;
    vfs->xGetLastError = vfs_error;
    vfs->xCurrentTime = vfs_time;
    vfs->xCurrentTimeInt64 = vfs_time64;
    // Lives as long as the process.
    return sqlite3_vfs_register(vfs, 0);
}
