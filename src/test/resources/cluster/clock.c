// Gives the processes that preload it a time of day that is wrong by as many seconds as the file CLOCK_OFFSET says. Clocks that measure how long
// something takes are left alone. Build: cc -shared -fPIC -o clock.so clock.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void kernel(clockid_t clock, struct timespec *now) { syscall(SYS_clock_gettime, clock, now); }

// How far the clock is off; the file is read once a second.
static long offset(void) {
    static __thread long seconds;
    static __thread time_t read_at = -1;
    struct timespec up;
    kernel(CLOCK_MONOTONIC, &up);
    if (up.tv_sec != read_at) {
        char text[32] = "";
        const char *path = getenv("CLOCK_OFFSET");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
            close(file);
        }
        seconds = atol(text);
        read_at = up.tv_sec;
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (syscall(SYS_clock_gettime, clock, now)) return -1;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += offset();
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

// The kernel waits by its own time of day. What is less than 30 years after 1970 is a time since boot.
static struct timespec kernels(const struct timespec *until) {
    struct timespec other = *until;
    if (other.tv_sec > 1000000000) other.tv_sec -= offset();
    return other;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    NEXT(pthread_cond_timedwait);
    struct timespec other = kernels(until);
    return next(condition, mutex, &other);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    NEXT(pthread_mutex_timedlock);
    struct timespec other = kernels(until);
    return next(mutex, &other);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    NEXT(sem_timedwait);
    struct timespec other = kernels(until);
    return next(semaphore, &other);
}
