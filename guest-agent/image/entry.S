/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the reset vector to C.  A vCPU begins in 32-bit protected mode with
 * flat segments, EFER.LME set and its index in RSI, as those of a TD do.
 * The page tables are in control memory; all is mapped to its own address.
 */
#include "guest-agent/image/mailbox.h"

#define CR0_PG	 0x80000000
#define CR4_PAE	 0x20
#define CODE_SEG 8
#define DATA_SEG 16

	.section .text.entry, "ax"
	.code64
	/* At AGENT_IMAGE, for a host that has set long mode itself. */
	jmp	start64
	.code32
start32:
	lgdt	gdt_pointer
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$AGENT_TABLES, %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmp	$CODE_SEG, $start64

	.code64
start64:
	lgdt	gdt_pointer(%rip)
	movl	$DATA_SEG, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%esi, %edi
	leal	1(%rdi), %eax
	shlq	$AGENT_BOX_SHIFT, %rax
	movl	$AGENT_CONTROL, %ecx
	leaq	AGENT_STACK_END(%rax, %rcx), %rsp
	leaq	AGENT_STACK_END(%rax, %rcx), %rsi
	subq	$AGENT_STACK_END, %rsi
	xorl	%ebp, %ebp
	call	agent_main
	ud2

/* One stub a vector: the CPU pushes an error code for some, 0 for others. */
	.balign	AGENT_GATE_BYTES
	.globl	agent_gates
agent_gates:
	.set	vector, 0
	.rept	AGENT_NR_VECTORS
	.balign	AGENT_GATE_BYTES
	.if	(0x60227d00 >> vector & 1) == 0
	pushq	$0
	.endif
	pushq	$vector
	jmp	fault
	.set	vector, vector + 1
	.endr

/* The box of this vCPU is what its stack is in. */
fault:
	popq	%rdi
	popq	%rsi
	movq	(%rsp), %rdx
	movq	%rsp, %rcx
	andq	$-(1 << AGENT_BOX_SHIFT), %rcx
	andq	$-16, %rsp
	call	agent_fault
	ud2

	.section .reset, "ax"
	.code32
	jmp	start32
	.balign	16, 0xcc

	.section .rodata
	.balign	8
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code, accessed */
	.quad	0x00cf93000000ffff	/* data, accessed */
gdt_pointer:
	.word	. - gdt - 1
	.quad	gdt

	.section .note.GNU-stack, "", @progbits
