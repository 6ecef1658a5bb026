// Loaded before everything else into a process under test (LD_PRELOAD), it counts what the process asks of the files below one folder and of object stores over
// HTTP, and stops the process before, within or after a chosen one of them; or it writes all of them down, bytes included, so that a disk after a power cut can be
// made from the list (crash_mover_disk.py).
//
//     KILL_ROOT      the folder, absolute; what is elsewhere is not counted
//     KILL_AT        the number of the operation, from 1; 0: none
//     KILL_WHEN      before | half | after: `half` writes the first half of a write's bytes
//     KILL_SIGNAL    kill (default) | stop
//     KILL_REPORT    a file that gets one line when it stops: number, kind, path
//     KILL_LOCKS     1: taking a lock of a file for writing counts too; what comes before it is between two transactions
//     KILL_DELAY     microseconds before each operation, so that others have time to look
//     KILL_CLOCK     seconds by which the wall clock is off: for orders that were placed long ago
//     KILL_RECORD    a file that gets every operation that was done: a head (struct head), path, second path, bytes
//
// Operations are done one at a time, under a lock, so that their numbers are an order in which they happened; HTTP requests alone may overlap others, numbered when
// they begin. Memory shared with a file (SQLite's -shm) is not counted: it says nothing that a restart would read.
// That no call goes past it is checked with strace (crash_mover.py --strace).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, RMDIR, REQUEST, LOCK };
static const char *const words[] = {"", "create", "write", "truncate", "sync", "rename", "link", "unlink", "mkdir", "rmdir", "request", "lock"};

struct head { uint32_t magic, kind; uint64_t number, inode; int64_t offset; uint32_t path, other, bytes, is_folder; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[1024];
static size_t root_count;
static long kill_at, count;
static enum { BEFORE, HALF, AFTER } when;
static int signal_number = SIGKILL, report = -1, record = -1;
static long clock_off;
static useconds_t delay;
static int counts_locks;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(97);
    return found;
}

static void start(void) {
    if (getenv("KILL_CLOCK")) clock_off = atol(getenv("KILL_CLOCK"));
    const char *folder = getenv("KILL_ROOT"), *at = getenv("KILL_AT"), *moment = getenv("KILL_WHEN"), *way = getenv("KILL_SIGNAL");
    if (!folder || strlen(folder) >= sizeof root) return;
    strcpy(root, folder);
    root_count = strlen(root);
    kill_at = at ? atol(at) : 0;
    when = moment && !strcmp(moment, "after") ? AFTER : moment && !strcmp(moment, "half") ? HALF : BEFORE;
    if (way && !strcmp(way, "stop")) signal_number = SIGSTOP;
    counts_locks = getenv("KILL_LOCKS") != NULL;
    if (getenv("KILL_DELAY")) delay = (useconds_t)atol(getenv("KILL_DELAY"));
    // Not by our own `open`, and kept apart from the low numbers.
    if (getenv("KILL_REPORT")) report = (int)syscall(SYS_openat, AT_FDCWD, getenv("KILL_REPORT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (getenv("KILL_RECORD")) record = (int)syscall(SYS_openat, AT_FDCWD, getenv("KILL_RECORD"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    // A child is another process: it is not under test.
    unsetenv("LD_PRELOAD");
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    pthread_once(&once, start);
    int code = (int)syscall(SYS_clock_gettime, clock, time);
    if (code == 0 && clock == CLOCK_REALTIME) time->tv_sec += clock_off;
    return code;
}

// MARK: Which files

static int is_ours(const char *path) { return root_count > 0 && strncmp(path, root, root_count) == 0 && (path[root_count] == '/' || path[root_count] == 0); }

// The path relative to the root; NULL when it is elsewhere.
static const char *within(const char *path, char *room, size_t size) {
    char folder[4096];
    if (path[0] == '/') snprintf(room, size, "%s", path);
    else if (getcwd(folder, sizeof folder)) snprintf(room, size, "%s/%s", folder, path);
    else return NULL;
    return is_ours(room) ? room : NULL;
}

static const char *path_of(int descriptor, char *room, size_t size) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(name, room, size - 1);
    if (n <= 0) return NULL;
    room[n] = 0;
    return is_ours(room) ? room : NULL;
}

static const char *at_path(int folder, const char *path, char *room, size_t size) {
    if (path[0] == '/' || folder == AT_FDCWD) return within(path, room, size);
    char base[4096];
    if (!path_of(folder, base, sizeof base)) return NULL;
    snprintf(room, size, "%s/%s", base, path);
    return room;
}

// MARK: Counting and stopping

static void stop(long number, enum kind kind, const char *path) {
    char line[4200];
    int n = snprintf(line, sizeof line, "%ld %s %s\n", number, words[kind], path);
    if (report >= 0) syscall(SYS_write, report, line, n);
    syscall(SYS_kill, getpid(), signal_number);
    // The signal reaches some thread of this process before the call returns to user mode, if not this one.
    for (int i = 0; signal_number == SIGKILL && i < 1000; i++) usleep(1000);
}

// Begins an operation: takes the lock, numbers it. -1: to be stopped within it.
static long begin(enum kind kind, const char *path, int has_half) {
    if (delay) usleep(delay);
    pthread_mutex_lock(&lock);
    long number = ++count;
    if (number == kill_at && when == BEFORE) stop(number, kind, path);
    if (number == kill_at && when == HALF) {
        if (!has_half) stop(number, kind, path);
        else return -number;
    }
    return number;
}

static void done(long number, enum kind kind, const char *path, const char *other, uint64_t inode, int64_t offset, const void *bytes, size_t size, int is_folder, int succeeded) {
    if (record >= 0 && succeeded) {
        struct head head = {0x4c4c494b, kind, (uint64_t)number, inode, offset, (uint32_t)strlen(path), other ? (uint32_t)strlen(other) : 0, (uint32_t)size, (uint32_t)is_folder};
        struct iovec parts[4] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)other, head.other}, {(void *)bytes, size}};
        syscall(SYS_writev, record, parts, 4);
    }
    if (number == kill_at && when == AFTER) stop(number, kind, path);
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
}

// MARK: Files

static int opened(const char *name, int folder, const char *path, int flags, mode_t mode) {
    pthread_once(&once, start);
    char room[4200];
    const char *ours = at_path(folder, path, room, sizeof room);
    __typeof__(&openat) call = REAL(openat);
    if (!ours || !(flags & (O_CREAT | O_TRUNC))) return call(folder, path, flags, mode);
    (void)name;
    struct stat info;
    int was = fstatat(folder, path, &info, 0) == 0;
    if (was && (!(flags & O_TRUNC) || info.st_size == 0)) return call(folder, path, flags, mode);
    enum kind kind = was ? TRUNCATE : CREATE;
    long number = begin(kind, ours, 0);
    int descriptor = call(folder, path, flags, mode);
    int kept = errno;
    memset(&info, 0, sizeof info);
    if (descriptor >= 0) fstat(descriptor, &info);
    errno = kept;
    done(number, kind, ours, NULL, info.st_ino, 0, NULL, 0, 0, descriptor >= 0);
    return descriptor;
}

#define MODE(flags, last) mode_t mode = 0; if ((flags) & O_CREAT) { va_list list; va_start(list, last); mode = (mode_t)va_arg(list, int); va_end(list); }
int open(const char *path, int flags, ...) { MODE(flags, flags) return opened("open", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, flags) return opened("open", AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags, flags)
    pthread_once(&once, start);
    // As the real one, which `opened` calls by its own name.
    return opened("openat", folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) { MODE(flags, flags) return opened("openat", folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened("creat", AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

static ssize_t written(int descriptor, const struct iovec *parts, int parts_count, off_t at) {
    pthread_once(&once, start);
    char room[4200];
    const char *path = descriptor > 2 ? path_of(descriptor, room, sizeof room) : NULL;
    if (!path) return at < 0 ? syscall(SYS_writev, descriptor, parts, parts_count) : syscall(SYS_pwritev, descriptor, parts, parts_count, at, 0L);
    size_t size = 0;
    for (int i = 0; i < parts_count; i++) size += parts[i].iov_len;
    char *bytes = malloc(size + 1);
    if (!bytes) { errno = ENOMEM; return -1; }
    size_t filled = 0;
    for (int i = 0; i < parts_count; filled += parts[i++].iov_len) memcpy(bytes + filled, parts[i].iov_base, parts[i].iov_len);
    long number = begin(WRITE, path, 1);
    struct stat info;
    fstat(descriptor, &info);
    off_t offset = at >= 0 ? at : fcntl(descriptor, F_GETFL) & O_APPEND ? info.st_size : lseek(descriptor, 0, SEEK_CUR);
    size_t wanted = number < 0 ? size / 2 : size;
    ssize_t n = at < 0 ? syscall(SYS_write, descriptor, bytes, wanted) : syscall(SYS_pwrite64, descriptor, bytes, wanted, at);
    if (number < 0) stop(-number, WRITE, path);
    int kept = errno;
    done(number, WRITE, path, NULL, info.st_ino, offset, bytes, n > 0 ? (size_t)n : 0, 0, n > 0);
    free(bytes);
    errno = kept;
    return n;
}

ssize_t write(int descriptor, const void *bytes, size_t size) { struct iovec part = {(void *)bytes, size}; return written(descriptor, &part, 1, -1); }
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at) { struct iovec part = {(void *)bytes, size}; return written(descriptor, &part, 1, at); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t at) { return pwrite(descriptor, bytes, size, at); }
ssize_t writev(int descriptor, const struct iovec *parts, int parts_count) { return written(descriptor, parts, parts_count, -1); }
ssize_t pwritev(int descriptor, const struct iovec *parts, int parts_count, off_t at) { return written(descriptor, parts, parts_count, at); }
ssize_t pwritev64(int descriptor, const struct iovec *parts, int parts_count, off_t at) { return written(descriptor, parts, parts_count, at); }

static int sized(int descriptor, off_t size, int (*call)(int, off_t)) {
    pthread_once(&once, start);
    char room[4200];
    const char *path = path_of(descriptor, room, sizeof room);
    if (!path) return call(descriptor, size);
    struct stat info;
    long number = begin(TRUNCATE, path, 0);
    fstat(descriptor, &info);
    int code = call(descriptor, size);
    done(number, TRUNCATE, path, NULL, info.st_ino, size, NULL, 0, 0, code == 0);
    return code;
}
int ftruncate(int descriptor, off_t size) { return sized(descriptor, size, REAL(ftruncate)); }
int ftruncate64(int descriptor, off_t size) { return sized(descriptor, size, REAL(ftruncate)); }

static int synced(int descriptor, int (*call)(int)) {
    pthread_once(&once, start);
    char room[4200];
    const char *path = path_of(descriptor, room, sizeof room);
    if (!path) return call(descriptor);
    struct stat info;
    long number = begin(SYNC, path, 0);
    fstat(descriptor, &info);
    int code = call(descriptor);
    done(number, SYNC, path, NULL, info.st_ino, 0, NULL, 0, S_ISDIR(info.st_mode), code == 0);
    return code;
}
int fsync(int descriptor) { return synced(descriptor, REAL(fsync)); }
int fdatasync(int descriptor) { return synced(descriptor, REAL(fdatasync)); }

// Numbered before it is taken, since others may hold it long.
static int controlled(int descriptor, int command, void *argument) {
    pthread_once(&once, start);
    __typeof__(&fcntl) call = REAL(fcntl);
    char room[4200];
    struct flock *wanted = argument;
    int counts = counts_locks && (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK) && wanted->l_type == F_WRLCK;
    const char *path = counts ? path_of(descriptor, room, sizeof room) : NULL;
    if (path) {
        long number = begin(LOCK, path, 0);
        done(number, LOCK, path, NULL, 0, 0, NULL, 0, 0, 1);
    }
    return call(descriptor, command, argument);
}
#define ARGUMENT(last) va_list list; va_start(list, last); void *argument = va_arg(list, void *); va_end(list);
int fcntl(int descriptor, int command, ...) { ARGUMENT(command) return controlled(descriptor, command, argument); }
int fcntl64(int descriptor, int command, ...) { ARGUMENT(command) return controlled(descriptor, command, argument); }

// MARK: Names

static int renamed(enum kind kind, int from_folder, const char *from, int to_folder, const char *to, int flags) {
    pthread_once(&once, start);
    char room[4200], other[4200];
    const char *a = at_path(from_folder, from, room, sizeof room), *b = at_path(to_folder, to, other, sizeof other);
    long call = kind == LINK ? SYS_linkat : SYS_renameat2;
    if (!a || !b) return (int)syscall(call, from_folder, from, to_folder, to, flags);
    long number = begin(kind, b, 0);
    int code = (int)syscall(call, from_folder, from, to_folder, to, flags);
    done(number, kind, a, b, 0, 0, NULL, 0, 0, code == 0);
    return code;
}
int rename(const char *from, const char *to) { return renamed(RENAME, AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(RENAME, a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(RENAME, a, from, b, to, (int)flags); }
int link(const char *from, const char *to) { return renamed(LINK, AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return renamed(LINK, a, from, b, to, flags); }

static int unnamed(enum kind kind, int folder, const char *path, int flags, mode_t mode) {
    pthread_once(&once, start);
    char room[4200];
    const char *ours = at_path(folder, path, room, sizeof room);
    struct stat info;
    int is_nothing = kind == MKDIR && ours && fstatat(folder, path, &info, 0) == 0;
    if (!ours || is_nothing) return (int)(kind == MKDIR ? syscall(SYS_mkdirat, folder, path, mode) : syscall(SYS_unlinkat, folder, path, flags));
    long number = begin(kind, ours, 0);
    int code = (int)(kind == MKDIR ? syscall(SYS_mkdirat, folder, path, mode) : syscall(SYS_unlinkat, folder, path, flags));
    int kept = errno;
    memset(&info, 0, sizeof info);
    if (kind == MKDIR && code == 0) fstatat(folder, path, &info, 0);
    errno = kept;
    done(number, kind, ours, NULL, info.st_ino, 0, NULL, 0, kind == MKDIR, code == 0);
    return code;
}
int unlink(const char *path) { return unnamed(UNLINK, AT_FDCWD, path, 0, 0); }
int unlinkat(int folder, const char *path, int flags) { return unnamed(flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, path, flags, 0); }
int rmdir(const char *path) { return unnamed(RMDIR, AT_FDCWD, path, AT_REMOVEDIR, 0); }
int mkdir(const char *path, mode_t mode) { return unnamed(MKDIR, AT_FDCWD, path, 0, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return unnamed(MKDIR, folder, path, 0, mode); }

// MARK: Requests that change an object store. Constants of curl.h, which need not be installed where this is built.

enum { CURL_URL = 10002, CURL_CUSTOMREQUEST = 10036, CURL_SLOTS = 64 };
static struct { void *handle; char method[16], url[1000]; } requests[CURL_SLOTS];

static int slot_of(void *handle) {
    int free = -1;
    for (int i = 0; i < CURL_SLOTS; i++) {
        if (requests[i].handle == handle) return i;
        if (!requests[i].handle && free < 0) free = i;
    }
    if (free >= 0) { memset(&requests[free], 0, sizeof requests[free]); requests[free].handle = handle; }
    return free;
}

int curl_easy_setopt(void *handle, int option, ...) {
    pthread_once(&once, start);
    va_list list;
    va_start(list, option);
    // Every kind of argument it takes is one register wide.
    void *argument = va_arg(list, void *);
    va_end(list);
    if (option == CURL_URL || option == CURL_CUSTOMREQUEST) {
        pthread_mutex_lock(&lock);
        int at = slot_of(handle);
        if (at >= 0) {
            char *room = option == CURL_URL ? requests[at].url : requests[at].method;
            snprintf(room, option == CURL_URL ? sizeof requests[at].url : sizeof requests[at].method, "%s", argument ? (const char *)argument : "");
        }
        pthread_mutex_unlock(&lock);
    }
    return ((int (*)(void *, int, ...))real("curl_easy_setopt"))(handle, option, argument);
}

void curl_easy_cleanup(void *handle) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < CURL_SLOTS; i++) if (requests[i].handle == handle) requests[i].handle = NULL;
    pthread_mutex_unlock(&lock);
    ((void (*)(void *))real("curl_easy_cleanup"))(handle);
}

int curl_easy_perform(void *handle) {
    pthread_once(&once, start);
    int (*call)(void *) = (int (*)(void *))real("curl_easy_perform");
    char what[1100] = "";
    pthread_mutex_lock(&lock);
    int at = slot_of(handle);
    if (at >= 0) {
        const char *method = requests[at].method;
        if (!strcmp(method, "PUT") || !strcmp(method, "DELETE") || !strcmp(method, "POST")) snprintf(what, sizeof what, "%s %s", method, requests[at].url);
    }
    pthread_mutex_unlock(&lock);
    if (!what[0]) return call(handle);
    long number = begin(REQUEST, what, 0);
    pthread_mutex_unlock(&lock);
    int code = call(handle);
    pthread_mutex_lock(&lock);
    done(number, REQUEST, what, NULL, 0, 0, NULL, 0, 0, 1);
    return code;
}
