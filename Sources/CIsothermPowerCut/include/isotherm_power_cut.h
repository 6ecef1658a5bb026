// A VFS for SQLite that writes down what it is asked to do and can let the power go: for tests only.
//
// It is called "isotherm-power-cut" and is never the default: `file:<path>?vfs=isotherm-power-cut` uses it. What it is asked it also does, through the
// default VFS; beside that it keeps, for each recorder, every operation on a database, its journal or its log that changes something, in order. A test
// can then build the disk as a power cut after any of them may have left it. Memory shared by connections (-shm) is no file to it: it dies with the machine.
//
// All functions may be called from any thread.
#ifndef ISOTHERM_POWER_CUT_H
#define ISOTHERM_POWER_CUT_H

#include <stdint.h>

typedef struct isotherm_power_recorder isotherm_power_recorder;

typedef enum {
    /// A name came to be. `inode` is new.
    isotherm_power_create,
    /// `length` bytes at `offset`.
    isotherm_power_write,
    /// Cut, or made longer with zeros, to `offset`.
    isotherm_power_truncate,
    /// The file's bytes are on the disk.
    isotherm_power_sync,
    /// A sync that failed: what it should have made durable may be gone, and no later sync brings it back.
    isotherm_power_failed_sync,
    /// The folder's names are.
    isotherm_power_sync_names,
    /// A name is gone.
    isotherm_power_delete,
} isotherm_power_kind;

typedef struct {
    isotherm_power_kind kind;
    int32_t inode;
    int64_t offset;
    int32_t length;
    /// Of a write; lives as long as the recorder.
    const uint8_t *bytes;
    /// Of a create and a delete: the name inside the folder.
    const char *name;
} isotherm_power_operation;

/// 0 when the VFS is there; may be called again.
int isotherm_power_register(void);

/// Writes down what happens to databases in a folder, which is empty now; nothing when memory is out.
isotherm_power_recorder *isotherm_power_start(const char *folder);
/// Operations from this number on (the first is 0) fail, as does everything after them: the machine is without power.
void isotherm_power_cut_at(isotherm_power_recorder *recorder, int64_t operation);
/// The sync with this number among the syncs of files (the first is 0) fails, once for each that has the file open.
void isotherm_power_fail_sync(isotherm_power_recorder *recorder, int64_t sync);
/// How long a sync takes: an answer given before it is then given before it by a margin.
void isotherm_power_sync_takes(isotherm_power_recorder *recorder, uint32_t microseconds);
/// Operations so far.
int64_t isotherm_power_count(isotherm_power_recorder *recorder);
isotherm_power_operation isotherm_power_at(isotherm_power_recorder *recorder, int64_t operation);
/// After the last connection to it is closed.
void isotherm_power_end(isotherm_power_recorder *recorder);

#endif
