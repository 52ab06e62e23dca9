/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest agent, as it is loaded below 4 GiB. */
	.section .rodata
	.globl	agent_image, agent_image_end
	.balign	16
agent_image:
	.incbin	AGENT_IMAGE_FILE
agent_image_end:
	.section .note.GNU-stack, "", @progbits
