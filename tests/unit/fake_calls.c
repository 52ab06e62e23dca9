/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that are taken over, which can be made to fail. */
#define _GNU_SOURCE /* fallocate */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/fake_kvm.h"

/* Weak: tests that are not linked with --wrap have neither. */
#define REAL __attribute__((weak))
extern int __real_open(const char *path, int flags, ...) REAL;
extern int __real_close(int fd) REAL;
extern int __real_ioctl(int fd, unsigned long request, ...) REAL;
extern void *__real_mmap(void *at, size_t bytes, int prot, int flags, int fd,
			 off_t offset) REAL;
extern int __real_munmap(void *at, size_t bytes) REAL;
extern int __real_fallocate(int fd, int mode, off_t offset, off_t bytes) REAL;
extern void *__real_calloc(size_t n, size_t bytes) REAL;
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd,
		  off_t offset);
int __wrap_munmap(void *at, size_t bytes);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);

#define ERRORS(...) ((const int[]){__VA_ARGS__, 0})

struct fake_options fake_options;
struct fake_counts fake_counts;
struct fake_vm fake_vm;
enum fake_object fake_kind[FAKE_FDS];
_Thread_local unsigned fake_inside;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t mapped; /* bytes */
static const char *complaint;
static struct {
	unsigned calls, nth, error;
	const char *failed; /* name */
	int with;
} plan;

/* ------------------------------------------------------------ for tests */

void fake_kvm_begin(const struct fake_options *options)
{
	free(fake_vm.page);
	fake_options = *options;
	memset(&fake_counts, 0, sizeof(fake_counts));
	memset(&fake_vm, 0, sizeof(fake_vm));
	memset(&plan, 0, sizeof(plan));
	memset(fake_kind, 0, sizeof(fake_kind));
	mapped = 0;
	complaint = NULL;
}

unsigned fake_kvm_left(void)
{
	unsigned n = mapped != 0, i;

	for (i = 0; i < FAKE_FDS; i++)
		n += fake_kind[i] != FAKE_NOTHING;
	return n;
}

const char *fake_kvm_complaint(void)
{
	return complaint;
}

void fake_kvm_fail(unsigned nth, unsigned error)
{
	plan.nth = nth;
	plan.error = error;
	plan.calls = 0;
}

const char *fake_kvm_failed(int *error)
{
	*error = plan.with;
	return plan.failed;
}

struct fake_counts fake_kvm_counts(void)
{
	return fake_counts;
}

int fake_expected(int error)
{
	errno = error;
	return -1;
}

int fake_refuse(int error, const char *what)
{
	if (!complaint)
		complaint = what;
	return fake_expected(error);
}

/* Is this the call that has to fail?  Errors end with 0. */
bool fake_fails(const char *name, const int *errors)
{
	unsigned i;

	if (fake_inside || !plan.nth ||
	    __atomic_add_fetch(&plan.calls, 1, __ATOMIC_RELAXED) != plan.nth)
		return false;
	for (i = 0; i < plan.error && errors[i]; i++)
		;
	if (!errors[i])
		return false;
	plan.failed = name;
	plan.with = errors[i];
	errno = errors[i];
	return true;
}

/* --------------------------------------------------------------- the calls */

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int status;

	if (fd < 0 || fd >= FAKE_FDS || fake_kind[fd] == FAKE_NOTHING)
		return __real_ioctl(fd, request, arg);
	pthread_mutex_lock(&lock);
	status = fake_ioctl(fd, request, arg);
	pthread_mutex_unlock(&lock);
	return status;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/kvm"))
		return __real_open(path, flags, 0600);
	if (fake_fails("open", ERRORS(ENOENT, EACCES, EMFILE, EBUSY)))
		return -1;
	return fake_object(FAKE_SYSTEM, "kvm", 0);
}

int __wrap_close(int fd)
{
	if (fd < 0 || fd >= FAKE_FDS || fake_kind[fd] == FAKE_NOTHING)
		return __real_close(fd);
	pthread_mutex_lock(&lock);
	fake_inside++;
	fake_object_close(fd);
	fake_inside--;
	pthread_mutex_unlock(&lock);
	return __real_close(fd);
}

void *__wrap_mmap(void *at, size_t bytes, int prot, int flags, int fd,
		  off_t offset)
{
	void *made;

	if (fake_fails("mmap", ERRORS(ENOMEM)))
		return MAP_FAILED;
	made = __real_mmap(at, bytes, prot, flags, fd, offset);
	if (!fake_inside && made != MAP_FAILED)
		__atomic_add_fetch(&mapped, bytes, __ATOMIC_RELAXED);
	return made;
}

int __wrap_munmap(void *at, size_t bytes)
{
	if (!fake_inside)
		__atomic_sub_fetch(&mapped, bytes, __ATOMIC_RELAXED);
	return __real_munmap(at, bytes);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes)
{
	if (fake_fails("fallocate", ERRORS(EIO, EINTR)))
		return -1;
	if (fd < 0 || fd >= FAKE_FDS || fake_kind[fd] != FAKE_GMEM)
		return __real_fallocate(fd, mode, offset, bytes);
	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) ||
	    (offset | bytes) & 4095)
		return fake_refuse(EINVAL, "fallocate of a guest_memfd");
	pthread_mutex_lock(&lock);
	fake_punch(fd, (uint64_t)offset, (uint64_t)bytes);
	pthread_mutex_unlock(&lock);
	return __real_fallocate(fd, mode, offset, bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return fake_fails("calloc", ERRORS(ENOMEM)) ? NULL
						    : __real_calloc(n, bytes);
}

void fake_lock(void)
{
	pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
	pthread_mutex_unlock(&lock);
}
