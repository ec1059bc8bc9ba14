/* Preloaded into a process: its writes to files of more than a page, and its syncs of them, go wrong as a control file says.
   The file has two bytes for each call, in the order below: what happens, and how often (0: until further notice).
   What happens is 0: as usual; 255: it succeeds without being done; 254: half of it is done; else it fails with this errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { WRITE, SYNC, RANGE_SYNC, CALLS };
enum { PRETEND = 255, HALF = 254 };

static volatile unsigned char *control;

__attribute__((constructor)) static void open_control(void) {
    const char *path = getenv("INDICATOR_FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) abort();
    control = mmap(NULL, 2 * CALLS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) abort();
    close(fd);
}

static unsigned char fault(enum call call, int fd) {
    struct stat stat;
    unsigned char fault = control[2 * call];
    if (fault == 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size <= 4096) return 0;
    if (control[2 * call + 1] && --control[2 * call + 1] == 0) control[2 * call] = 0;
    return fault;
}

/* A disk that fails takes its time. */
static ssize_t fail(unsigned char number) {
    usleep(20 * 1000);
    errno = number;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    unsigned char number = fault(WRITE, fd);
    if (number == PRETEND) return count;
    if (number && number != HALF) return fail(number);
    return syscall(SYS_write, fd, bytes, number == HALF ? (count + 1) / 2 : count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    unsigned char number = fault(WRITE, fd);
    if (number == PRETEND) return count;
    if (number && number != HALF) return fail(number);
    return syscall(SYS_pwrite64, fd, bytes, number == HALF ? (count + 1) / 2 : count, offset);
}

int fsync(int fd) {
    unsigned char number = fault(SYNC, fd);
    if (number) return number == PRETEND ? 0 : fail(number);
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    unsigned char number = fault(SYNC, fd);
    if (number) return number == PRETEND ? 0 : fail(number);
    return syscall(SYS_fdatasync, fd);
}

int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags) {
    unsigned char number = fault(RANGE_SYNC, fd);
    if (number) return number == PRETEND ? 0 : fail(number);
    return syscall(SYS_sync_file_range, fd, offset, count, flags);
}
