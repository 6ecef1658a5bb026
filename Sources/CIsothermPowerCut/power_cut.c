// See isotherm_power_cut.h. Sources: https://www.sqlite.org/vfs.html, and os_unix.c of SQLite 3.40 for when it syncs the folder: at the first sync of a journal or
// log after it was opened, and at a deletion that asks for it.
#include "isotherm_power_cut.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { names_max = 64, name_bytes_max = 256 };

struct isotherm_power_recorder {
    char folder[1024];
    int64_t cut_at, fail_sync, syncs;
    uint32_t sync_takes;
    isotherm_power_operation *operations;
    int64_t count, room;
    struct { char name[name_bytes_max]; int32_t inode; } names[names_max];
    int32_t inodes;
    // Whose sync failed; below 0: none did.
    int32_t failed_inode;
    isotherm_power_recorder *next;
};

// One file as SQLite holds it; the real one follows it in memory.
typedef struct {
    sqlite3_file base;
    isotherm_power_recorder *recorder;
    int32_t inode;
    int syncs_names;
    // Learnt that a sync of its file failed, or was opened after that.
    int was_told;
} power_file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static isotherm_power_recorder *recorders;
static sqlite3_vfs power_vfs;

static sqlite3_vfs *real(void) { return (sqlite3_vfs *)power_vfs.pAppData; }
static sqlite3_file *inner(sqlite3_file *file) { return (sqlite3_file *)((power_file *)file + 1); }

// MARK: What is written down; all under the lock.

static int is_dead(const isotherm_power_recorder *r) { return r && r->count >= r->cut_at; }

static int is_dead_now(const isotherm_power_recorder *r) {
    pthread_mutex_lock(&lock);
    int dead = is_dead(r);
    pthread_mutex_unlock(&lock);
    return dead;
}

static int append(isotherm_power_recorder *r, isotherm_power_operation operation, const void *bytes, const char *name) {
    if (r->count == r->room) {
        int64_t room = r->room ? 2 * r->room : 4096;
        void *larger = realloc(r->operations, (size_t)room * sizeof *r->operations);
        if (!larger) return SQLITE_NOMEM;
        r->operations = larger;
        r->room = room;
    }
    if (bytes) {
        uint8_t *copy = malloc((size_t)operation.length + 1);
        if (!copy) return SQLITE_NOMEM;
        memcpy(copy, bytes, (size_t)operation.length);
        operation.bytes = copy;
    }
    if (name && !(operation.name = strdup(name))) return SQLITE_NOMEM;
    r->operations[r->count++] = operation;
    return SQLITE_OK;
}

static int record(isotherm_power_recorder *r, isotherm_power_operation operation, const void *bytes, const char *name, int failure) {
    pthread_mutex_lock(&lock);
    int code = is_dead(r) ? failure : append(r, operation, bytes, name);
    pthread_mutex_unlock(&lock);
    return code;
}

static isotherm_power_recorder *recorder_of(const char *path, const char **name) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash) return NULL;
    *name = slash + 1;
    pthread_mutex_lock(&lock);
    isotherm_power_recorder *r = recorders;
    while (r && !(strlen(r->folder) == (size_t)(slash - path) && strncmp(r->folder, path, (size_t)(slash - path)) == 0)) r = r->next;
    pthread_mutex_unlock(&lock);
    return r;
}

// MARK: Files

static int power_close(sqlite3_file *file) {
    sqlite3_file *f = inner(file);
    return f->pMethods ? f->pMethods->xClose(f) : SQLITE_OK;
}

static int power_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    if (is_dead_now(((power_file *)file)->recorder)) return SQLITE_IOERR_READ;
    return inner(file)->pMethods->xRead(inner(file), bytes, count, offset);
}

static int power_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    power_file *f = (power_file *)file;
    isotherm_power_operation operation = {isotherm_power_write, f->inode, offset, count, NULL, NULL};
    int code = record(f->recorder, operation, bytes, NULL, SQLITE_IOERR_WRITE);
    return code == SQLITE_OK ? inner(file)->pMethods->xWrite(inner(file), bytes, count, offset) : code;
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 size) {
    power_file *f = (power_file *)file;
    isotherm_power_operation operation = {isotherm_power_truncate, f->inode, size, 0, NULL, NULL};
    int code = record(f->recorder, operation, NULL, NULL, SQLITE_IOERR_TRUNCATE);
    return code == SQLITE_OK ? inner(file)->pMethods->xTruncate(inner(file), size) : code;
}

// Order matters: the sync is written down after it took its time. The real disk is not asked: nothing here needs it.
static int power_sync(sqlite3_file *file, int flags) {
    (void)flags;
    power_file *f = (power_file *)file;
    if (is_dead_now(f->recorder)) return SQLITE_IOERR_FSYNC;
    if (f->recorder->sync_takes) usleep(f->recorder->sync_takes);
    pthread_mutex_lock(&lock);
    int fails = f->recorder->syncs++ == f->recorder->fail_sync;
    if (fails) f->recorder->failed_inode = f->inode;
    // Whoever had the file open when a sync of it failed learns of it at its own next one (Linux since 4.13, Documentation/filesystems/vfs.rst, "Handling errors
    // during writeback").
    if (f->inode == f->recorder->failed_inode && !f->was_told) fails = f->was_told = 1;
    pthread_mutex_unlock(&lock);
    isotherm_power_operation failed = {isotherm_power_failed_sync, f->inode, 0, 0, NULL, NULL};
    if (fails) return record(f->recorder, failed, NULL, NULL, SQLITE_IOERR_FSYNC) == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_IOERR_FSYNC;
    isotherm_power_operation sync = {isotherm_power_sync, f->inode, 0, 0, NULL, NULL}, names = {isotherm_power_sync_names, 0, 0, 0, NULL, NULL};
    int code = record(f->recorder, sync, NULL, NULL, SQLITE_IOERR_FSYNC);
    if (code == SQLITE_OK && f->syncs_names) {
        code = record(f->recorder, names, NULL, NULL, SQLITE_IOERR_DIR_FSYNC);
        f->syncs_names = 0;
    }
    return code;
}

static int power_size(sqlite3_file *file, sqlite3_int64 *size) {
    if (is_dead_now(((power_file *)file)->recorder)) return SQLITE_IOERR_FSTAT;
    return inner(file)->pMethods->xFileSize(inner(file), size);
}

static int power_lock(sqlite3_file *file, int level) { return inner(file)->pMethods->xLock(inner(file), level); }
static int power_unlock(sqlite3_file *file, int level) { return inner(file)->pMethods->xUnlock(inner(file), level); }
static int power_reserved(sqlite3_file *file, int *is) { return inner(file)->pMethods->xCheckReservedLock(inner(file), is); }

// What would make a file longer behind our back is not for us.
static int power_control(sqlite3_file *file, int what, void *argument) {
    if (what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
    return inner(file)->pMethods->xFileControl(inner(file), what, argument);
}

static int power_sector(sqlite3_file *file) { return inner(file)->pMethods->xSectorSize(inner(file)); }
// What the default VFS promises, and no more: a write leaves the bytes beside it alone.
static int power_characteristics(sqlite3_file *file) { (void)file; return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
static int power_shm_map(sqlite3_file *file, int page, int bytes, int extend, void volatile **at) {
    return inner(file)->pMethods->xShmMap(inner(file), page, bytes, extend, at);
}
static int power_shm_lock(sqlite3_file *file, int offset, int count, int flags) { return inner(file)->pMethods->xShmLock(inner(file), offset, count, flags); }
static void power_shm_barrier(sqlite3_file *file) { inner(file)->pMethods->xShmBarrier(inner(file)); }
static int power_shm_unmap(sqlite3_file *file, int removes) { return inner(file)->pMethods->xShmUnmap(inner(file), removes); }

// Version 2: with shared memory, without pages mapped from the file, which would be read past us.
static const sqlite3_io_methods methods = {
    2, power_close, power_read, power_write, power_truncate, power_sync, power_size, power_lock, power_unlock, power_reserved, power_control,
    power_sector, power_characteristics, power_shm_map, power_shm_lock, power_shm_barrier, power_shm_unmap, NULL, NULL,
};

// MARK: Names

// The inode of a name, made if it has none; below 0 when that fails.
static int32_t inode_of(isotherm_power_recorder *r, const char *name, int *code) {
    int32_t inode = -1;
    pthread_mutex_lock(&lock);
    int free = -1;
    for (int at = 0; at < names_max; at++) {
        if (r->names[at].name[0] == 0) { if (free < 0) free = at; continue; }
        if (strcmp(r->names[at].name, name) == 0) inode = r->names[at].inode;
    }
    if (inode < 0) {
        isotherm_power_operation operation = {isotherm_power_create, r->inodes, 0, 0, NULL, NULL};
        if (is_dead(r) || free < 0 || strlen(name) >= name_bytes_max) *code = SQLITE_CANTOPEN;
        else if ((*code = append(r, operation, NULL, name)) == SQLITE_OK) {
            strcpy(r->names[free].name, name);
            inode = r->names[free].inode = r->inodes++;
        }
    }
    pthread_mutex_unlock(&lock);
    return inode;
}

static int power_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags, int *given) {
    (void)vfs;
    const char *name = NULL;
    isotherm_power_recorder *r = recorder_of(path, &name);
    power_file *f = (power_file *)file;
    memset(f, 0, sizeof *f);
    // Temporary files die with the machine.
    int is_kept = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL);
    if (!r || !is_kept) return real()->xOpen(real(), path, file, flags, given);
    if (is_dead_now(r)) return SQLITE_CANTOPEN;
    int code = real()->xOpen(real(), path, inner(file), flags, given);
    if (code != SQLITE_OK) return code;
    f->recorder = r;
    f->inode = inode_of(r, name, &code);
    pthread_mutex_lock(&lock);
    f->was_told = f->inode == r->failed_inode;
    pthread_mutex_unlock(&lock);
    f->syncs_names = (flags & SQLITE_OPEN_CREATE) && !(flags & SQLITE_OPEN_MAIN_DB);
    if (code != SQLITE_OK) {
        inner(file)->pMethods->xClose(inner(file));
        return code;
    }
    f->base.pMethods = &methods;
    return SQLITE_OK;
}

static int power_delete(sqlite3_vfs *vfs, const char *path, int syncs_names) {
    (void)vfs;
    const char *name = NULL;
    isotherm_power_recorder *r = recorder_of(path, &name);
    if (!r) return real()->xDelete(real(), path, syncs_names);
    int code = SQLITE_OK, found = 0;
    pthread_mutex_lock(&lock);
    for (int at = 0; at < names_max && !is_dead(r); at++) {
        if (strcmp(r->names[at].name, name) != 0) continue;
        isotherm_power_operation operation = {isotherm_power_delete, r->names[at].inode, 0, 0, NULL, NULL}, sync = {isotherm_power_sync_names, 0, 0, 0, NULL, NULL};
        found = 1;
        code = append(r, operation, NULL, name);
        r->names[at].name[0] = 0;
        if (code == SQLITE_OK && syncs_names) code = is_dead(r) ? SQLITE_IOERR_DIR_FSYNC : append(r, sync, NULL, NULL);
        break;
    }
    if (!found && is_dead(r)) code = SQLITE_IOERR_DELETE;
    pthread_mutex_unlock(&lock);
    return code == SQLITE_OK ? real()->xDelete(real(), path, 0) : code;
}

static int power_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs;
    const char *name = NULL;
    if (is_dead_now(recorder_of(path, &name))) return SQLITE_IOERR_ACCESS;
    return real()->xAccess(real(), path, flags, result);
}

static int power_full_path(sqlite3_vfs *vfs, const char *path, int count, char *full) { (void)vfs; return real()->xFullPathname(real(), path, count, full); }

int isotherm_power_register(void) {
    sqlite3_initialize();
    pthread_mutex_lock(&lock);
    int code = SQLITE_OK;
    if (!power_vfs.zName) {
        sqlite3_vfs *standard = sqlite3_vfs_find(NULL);
        if (!standard) code = SQLITE_ERROR;
        else {
            // What is not ours (randomness, sleep, time) stays the default's; its functions are told which VFS they belong to by their own pointer to it.
            power_vfs = *standard;
            power_vfs.pNext = NULL;
            power_vfs.zName = "isotherm-power-cut";
            power_vfs.pAppData = standard;
            power_vfs.szOsFile = (int)sizeof(power_file) + standard->szOsFile;
            power_vfs.xOpen = power_open;
            power_vfs.xDelete = power_delete;
            power_vfs.xAccess = power_access;
            power_vfs.xFullPathname = power_full_path;
            code = sqlite3_vfs_register(&power_vfs, 0);
        }
    }
    pthread_mutex_unlock(&lock);
    return code;
}

// MARK: Recorders

isotherm_power_recorder *isotherm_power_start(const char *folder) {
    isotherm_power_recorder *r = calloc(1, sizeof *r);
    if (!r || strlen(folder) >= sizeof r->folder) { free(r); return NULL; }
    strcpy(r->folder, folder);
    r->cut_at = INT64_MAX;
    r->fail_sync = -1;
    r->failed_inode = -1;
    pthread_mutex_lock(&lock);
    r->next = recorders;
    recorders = r;
    pthread_mutex_unlock(&lock);
    return r;
}

void isotherm_power_cut_at(isotherm_power_recorder *r, int64_t operation) {
    pthread_mutex_lock(&lock);
    r->cut_at = operation;
    pthread_mutex_unlock(&lock);
}

void isotherm_power_fail_sync(isotherm_power_recorder *r, int64_t sync) {
    pthread_mutex_lock(&lock);
    r->fail_sync = sync;
    pthread_mutex_unlock(&lock);
}

void isotherm_power_sync_takes(isotherm_power_recorder *r, uint32_t microseconds) {
    pthread_mutex_lock(&lock);
    r->sync_takes = microseconds;
    pthread_mutex_unlock(&lock);
}

int64_t isotherm_power_count(isotherm_power_recorder *r) {
    pthread_mutex_lock(&lock);
    int64_t count = r->count;
    pthread_mutex_unlock(&lock);
    return count;
}

isotherm_power_operation isotherm_power_at(isotherm_power_recorder *r, int64_t operation) {
    isotherm_power_operation found = {isotherm_power_sync_names, 0, 0, 0, NULL, NULL};
    pthread_mutex_lock(&lock);
    if (operation >= 0 && operation < r->count) found = r->operations[operation];
    pthread_mutex_unlock(&lock);
    return found;
}

void isotherm_power_end(isotherm_power_recorder *r) {
    pthread_mutex_lock(&lock);
    for (isotherm_power_recorder **at = &recorders; *at; at = &(*at)->next) {
        if (*at == r) { *at = r->next; break; }
    }
    pthread_mutex_unlock(&lock);
    for (int64_t at = 0; at < r->count; at++) {
        free((void *)r->operations[at].bytes);
        free((void *)r->operations[at].name);
    }
    free(r->operations);
    free(r);
}
