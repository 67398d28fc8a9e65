/* What programs find in libc_nonshared.a of an old GNU C library, or not at all, and what they find in libc.so.6 of a new one:
   linked statically, so that the shared library needs no newer version. See stubs.py. x86-64 and glibc's own layouts only. */

#define HIDDEN __attribute__((visibility("hidden")))

struct stat;
typedef unsigned int mode;
typedef unsigned long device;

/* Files: inline functions around these until 2.33. The first argument names the layout of `struct stat`, of which x86-64
   has had one, for plain and 64-bit names. */
enum { STAT_LAYOUT = 1, NODE_LAYOUT = 0 };
int __xstat(int, const char *, struct stat *);
int __lxstat(int, const char *, struct stat *);
int __fxstat(int, int, struct stat *);
int __fxstatat(int, int, const char *, struct stat *, int);
int __xmknod(int, const char *, mode, device *);
int __xmknodat(int, int, const char *, mode, device *);

HIDDEN int stat(const char *path, struct stat *out) { return __xstat(STAT_LAYOUT, path, out); }
HIDDEN int stat64(const char *path, struct stat *out) { return __xstat(STAT_LAYOUT, path, out); }
HIDDEN int lstat(const char *path, struct stat *out) { return __lxstat(STAT_LAYOUT, path, out); }
HIDDEN int lstat64(const char *path, struct stat *out) { return __lxstat(STAT_LAYOUT, path, out); }
HIDDEN int fstat(int file, struct stat *out) { return __fxstat(STAT_LAYOUT, file, out); }
HIDDEN int fstat64(int file, struct stat *out) { return __fxstat(STAT_LAYOUT, file, out); }
HIDDEN int fstatat(int folder, const char *path, struct stat *out, int flags) {
    return __fxstatat(STAT_LAYOUT, folder, path, out, flags);
}
HIDDEN int fstatat64(int folder, const char *path, struct stat *out, int flags) {
    return __fxstatat(STAT_LAYOUT, folder, path, out, flags);
}
HIDDEN int mknod(const char *path, mode m, device d) { return __xmknod(NODE_LAYOUT, path, m, &d); }
HIDDEN int mknodat(int folder, const char *path, mode m, device d) { return __xmknodat(NODE_LAYOUT, folder, path, m, &d); }

/* The kernel has had it for ever, the library since 2.30. */
long syscall(long, ...);
enum { SYS_GETTID = 186 };
HIDDEN int gettid(void) { return (int)syscall(SYS_GETTID); }

/* From 2.38 on, headers give these names to functions that also read binary numbers ("0b1") in C23. */
long strtol(const char *, char **, int);
unsigned long strtoul(const char *, char **, int);
long long strtoll(const char *, char **, int);
unsigned long long strtoull(const char *, char **, int);
HIDDEN long __isoc23_strtol(const char *text, char **end, int base) { return strtol(text, end, base); }
HIDDEN unsigned long __isoc23_strtoul(const char *text, char **end, int base) { return strtoul(text, end, base); }
HIDDEN long long __isoc23_strtoll(const char *text, char **end, int base) { return strtoll(text, end, base); }
HIDDEN unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }

/* Since 2.32 the library says here whether there is one thread alone, and C++'s shared pointers then count without locking. They
   count right with locking, too. */
HIDDEN char __libc_single_threaded = 0;
