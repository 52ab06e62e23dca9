/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF program, as clang makes it. */
	.section .rodata
	.balign 8
	.global probe_object, probe_object_end
probe_object:
	.incbin PROBE_OBJECT_FILE
probe_object_end:
	.byte 0
	.section .note.GNU-stack, "", @progbits
