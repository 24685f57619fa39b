/* What a power loss would leave of the files below one directory.
 *
 * Preloaded into a process, this keeps a second copy ("durable") of each regular file below
 * DURABLE_LIVE in DURABLE_COPY, to which bytes come only when the file is synced. When the
 * process is killed, the copy is what a disk holds that lost all that was written since the last
 * fdatasync or fsync. Creating, renaming and deleting a file count at once, as on a journaling
 * file system; memory maps aren't followed (SQLite's -shm is rebuilt from the WAL).
 *
 * DURABLE_DEAF=1           syncs reach nothing: a disk that lies, or synchronous=OFF
 * DURABLE_KILL=N           SIGKILL at the Nth sync below the directory, before it has any effect,
 *                          when that took a while: what doesn't wait for it goes on meanwhile
 * DURABLE_KILL=+N          the same, right after it took effect and before its caller knows
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define STALL 100000 /* microseconds */

struct range {
    off_t from, to;
    struct range *next;
};

struct file {
    char *path; /* below the directory */
    struct range *dirty;
    struct file *next;
};

static struct file *files;
static struct file *by_descriptor[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char live[PATH_MAX], copy[PATH_MAX];
static size_t live_length;
static int deaf, kill_after;
static long kill_at, syncs;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

__attribute__((constructor)) static void start(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    const char *from = getenv("DURABLE_LIVE"), *to = getenv("DURABLE_COPY");
    const char *when = getenv("DURABLE_KILL");
    if (!from || !to || !realpath(from, live) || !realpath(to, copy)) return;
    live_length = strlen(live);
    deaf = getenv("DURABLE_DEAF") != NULL;
    if (when) {
        kill_after = *when == '+';
        kill_at = atol(when);
    }
}

/* The part of a path below the directory, or NULL. */
static const char *below(const char *path, char *buffer) {
    char parent[PATH_MAX], resolved[PATH_MAX];
    if (!live_length || !path || strlen(path) >= PATH_MAX) return NULL;
    strcpy(parent, path);
    char *slash = strrchr(parent, '/');
    const char *name = slash ? slash + 1 : path;
    if (slash == parent) return NULL;
    if (slash) *slash = 0;
    if (!realpath(slash ? parent : ".", resolved)) return NULL;
    if (strncmp(resolved, live, live_length)) return NULL;
    if (resolved[live_length] && resolved[live_length] != '/') return NULL;
    snprintf(buffer, PATH_MAX, "%s/%s", resolved + live_length, name);
    return buffer;
}

static void shadow(const char *path, char *buffer) {
    snprintf(buffer, PATH_MAX, "%s%s", copy, path);
}

static struct file *tracked(int fd) {
    return fd >= 0 && fd < DESCRIPTORS ? by_descriptor[fd] : NULL;
}

static void dirty(struct file *file, off_t from, off_t to) {
    if (file->dirty && file->dirty->to == from) {
        file->dirty->to = to;
        return;
    }
    struct range *range = malloc(sizeof *range);
    *range = (struct range){from, to, file->dirty};
    file->dirty = range;
}

static void opened(int fd, const char *path, int flags) {
    char buffer[PATH_MAX];
    struct stat found;
    if (fd < 0 || fd >= DESCRIPTORS) return;
    const char *name = below(path, buffer);
    if (!name || (flags & O_ACCMODE) == O_RDONLY) return;
    if (fstat(fd, &found) || !S_ISREG(found.st_mode)) return;
    pthread_mutex_lock(&lock);
    struct file *file = files;
    while (file && strcmp(file->path, name)) file = file->next;
    if (!file) {
        file = calloc(1, sizeof *file);
        file->path = strdup(name);
        file->next = files;
        files = file;
    }
    by_descriptor[fd] = file;
    pthread_mutex_unlock(&lock);
}

static int opening(int at, const char *path, int flags, mode_t mode) {
    if (!real_open) start();
    int fd = at == AT_FDCWD ? real_open(path, flags, mode) : real_openat(at, path, flags, mode);
    if (fd >= 0 && fd < DESCRIPTORS) by_descriptor[fd] = NULL; /* closed past us, perhaps */
    if (fd >= 0 && live_length && (at == AT_FDCWD || *path == '/')) opened(fd, path, flags);
    return fd;
}

#define MODE(flags)                                     \
    mode_t mode = 0;                                    \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {            \
        va_list more;                                   \
        va_start(more, flags);                          \
        mode = va_arg(more, mode_t);                    \
        va_end(more);                                   \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opening(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return opening(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return opening(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opening(AT_FDCWD, path, flags, 0); }

int close(int fd) {
    if (!real_close) start();
    pthread_mutex_lock(&lock);
    if (tracked(fd)) by_descriptor[fd] = NULL;
    pthread_mutex_unlock(&lock);
    return real_close(fd);
}

static ssize_t wrote(int fd, ssize_t count, off_t from) {
    pthread_mutex_lock(&lock);
    struct file *file = tracked(fd);
    if (file && count > 0) dirty(file, from, from + count);
    pthread_mutex_unlock(&lock);
    return count;
}

static ssize_t pwriting(int fd, const void *data, size_t count, off_t from) {
    if (!real_pwrite) start();
    return wrote(fd, real_pwrite(fd, data, count, from), from);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t from) { return pwriting(fd, data, count, from); }
ssize_t pwrite64(int fd, const void *data, size_t count, off_t from) { return pwriting(fd, data, count, from); }

ssize_t write(int fd, const void *data, size_t count) {
    if (!real_write) start();
    if (!tracked(fd)) return real_write(fd, data, count);
    ssize_t done = real_write(fd, data, count);
    return wrote(fd, done, lseek(fd, 0, SEEK_CUR) - (done > 0 ? done : 0));
}

static int truncating(int fd, off_t size) {
    struct stat found;
    if (!real_ftruncate) start();
    int before = tracked(fd) ? fstat(fd, &found) : -1;
    int result = real_ftruncate(fd, size);
    if (!result && !before && found.st_size > size) {
        pthread_mutex_lock(&lock);
        if (tracked(fd)) dirty(tracked(fd), size, found.st_size);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int ftruncate(int fd, off_t size) { return truncating(fd, size); }
int ftruncate64(int fd, off_t size) { return truncating(fd, size); }

/* Bring to the durable copy what was written since the last sync. */
static void persist(int fd, struct file *file) {
    char path[PATH_MAX], block[65536];
    struct stat found;
    shadow(file->path, path);
    int target = real_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (target < 0 || fstat(fd, &found)) abort();
    if (real_ftruncate(target, found.st_size)) abort();
    for (struct range *range = file->dirty; range;) {
        for (off_t at = range->from; at < range->to;) {
            size_t left = range->to - at, wanted = left < sizeof block ? left : sizeof block;
            ssize_t got = pread(fd, block, wanted, at);
            if (got <= 0) break; /* cut off since */
            if (real_pwrite(target, block, got, at) != got) abort();
            at += got;
        }
        struct range *done = range;
        range = range->next;
        free(done);
    }
    file->dirty = NULL;
    real_close(target);
}

static int syncing(int fd, int (*real)(int)) {
    pthread_mutex_lock(&lock);
    struct file *file = tracked(fd);
    long now = file ? ++syncs : 0;
    if (now && now == kill_at && !kill_after) {
        pthread_mutex_unlock(&lock);
        usleep(STALL);
        kill(getpid(), SIGKILL);
    }
    int result = real(fd);
    if (file && !result && !deaf) persist(fd, file);
    if (now && now == kill_at && kill_after) kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) {
    if (!real_fsync) start();
    return syncing(fd, real_fsync);
}

int fdatasync(int fd) {
    if (!real_fdatasync) start();
    return syncing(fd, real_fdatasync);
}

int unlink(const char *path) {
    char buffer[PATH_MAX], other[PATH_MAX];
    if (!real_unlink) start();
    const char *name = below(path, buffer);
    int result = real_unlink(path);
    if (!result && name) {
        shadow(name, other);
        real_unlink(other);
        pthread_mutex_lock(&lock);
        for (struct file *file = files; file; file = file->next)
            if (!strcmp(file->path, name)) file->path = strdup("/.deleted");
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int rename(const char *from, const char *to) {
    char one[PATH_MAX], two[PATH_MAX], old[PATH_MAX], new[PATH_MAX];
    if (!real_rename) start();
    const char *source = below(from, one), *target = below(to, two);
    int result = real_rename(from, to);
    if (!result && source && target) {
        shadow(source, old);
        shadow(target, new);
        if (real_rename(old, new)) real_unlink(new); /* never synced: nothing of it is durable */
        pthread_mutex_lock(&lock);
        for (struct file *file = files; file; file = file->next) {
            if (!strcmp(file->path, target)) file->path = strdup("/.deleted");
            else if (!strcmp(file->path, source)) file->path = strdup(target);
        }
        pthread_mutex_unlock(&lock);
    }
    return result;
}
