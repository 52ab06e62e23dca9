/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a program in which system calls are refused, as a container does:
 *
 *	without membarrier sched_setaffinity -- PROGRAM [ARG]...
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NOT_DONE = 77 };

static const struct call {
	const char *name;
	unsigned int number;
} calls[] = {
	{"membarrier", SYS_membarrier},
	{"perf_event_open", SYS_perf_event_open},
	{"sched_setaffinity", SYS_sched_setaffinity},
};

static const struct call *find(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}

/* Filters add up: each has one call. */
static int refuse(unsigned int number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	int i = 1;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		perror("without: PR_SET_NO_NEW_PRIVS");
		return NOT_DONE;
	}
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const struct call *call = find(argv[i]);

		if (!call) {
			fprintf(stderr, "without: %s: not in its table\n",
				argv[i]);
			return NOT_DONE;
		}
		if (refuse(call->number)) {
			perror("without: PR_SET_SECCOMP");
			return NOT_DONE;
		}
	}
	if (i + 1 >= argc) {
		fputs("usage: without CALL... -- PROGRAM [ARG]...\n", stderr);
		return NOT_DONE;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return NOT_DONE;
}
