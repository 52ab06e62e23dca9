/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ends the emulated machine with a status: leave STATUS.  The port is that of
 * QEMU's isa-debug-exit, as run.sh places it.
 */
#include <stdlib.h>
#include <sys/io.h>

enum { DEBUG_EXIT_PORT = 0xf4 };

int main(int argc, char **argv)
{
	if (argc != 2 || ioperm(DEBUG_EXIT_PORT, 1, 1) != 0)
		return 1;
	outb((unsigned char)atoi(argv[1]), DEBUG_EXIT_PORT);
	return 1;
}
