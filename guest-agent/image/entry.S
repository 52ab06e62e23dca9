/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the reset vector to C.  A vCPU begins in 32-bit protected mode with
 * flat segments, EFER.LME set and its index in RSI, as those of a TD do.
 * The page tables are the host's; all is mapped to its own address.
 */
#include "guest-agent/image/mailbox.h"

#define CR0_PG	 0x80000000
#define CR4_PAE	 0x20
#define CR4_MCE	 0x40
#define CR4_VMXE 0x2000
#define CR4_SMXE 0x4000
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
	/* A TD must keep MCE, and never set the two others. */
	andl	$~(CR4_VMXE | CR4_SMXE), %eax
	orl	$(CR4_PAE | CR4_MCE), %eax
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
	movl	$AGENT_STACKS, %esp
	movq	%rax, %rcx
	shlq	$AGENT_STACK_SHIFT, %rcx
	addq	%rcx, %rsp
	movl	$AGENT_CONTROL, %esi
	shlq	$AGENT_BOX_SHIFT, %rax
	addq	%rax, %rsi
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

/*
 * agent_fault() returns when the vCPU goes on, where the frame then says.  All
 * that it may change is kept: 9 registers on the 7 words of vector, error and
 * frame leave the stack as aligned as the CPU had made it.
 */
fault:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	72(%rsp), %rdi
	movq	80(%rsp), %rsi
	leaq	88(%rsp), %rdx
	call	agent_fault
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/*
 * bool agent_touch(uint64_t gpa): a store, without a load before it, which
 * would map a page of zeros and the store then another.  True when it gave a
 * #VE: the page is pending.
 */
	.globl	agent_touch, agent_touch_store, agent_touch_ve
agent_touch:
	movq	%rdi, %rax
	orq	$1, %rax
agent_touch_store:
	movq	%rax, (%rdi)
	xorl	%eax, %eax
	ret
agent_touch_ve:
	movl	$1, %eax
	ret

/* void agent_tdcall(struct td_registers *): TDCALL with these registers. */
	.globl	agent_tdcall
agent_tdcall:
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi
	movq	(%rdi), %rax
	movq	8(%rdi), %rcx
	movq	16(%rdi), %rdx
	movq	24(%rdi), %r8
	movq	32(%rdi), %r9
	movq	40(%rdi), %r10
	movq	48(%rdi), %r11
	movq	56(%rdi), %r12
	movq	64(%rdi), %r13
	movq	72(%rdi), %r14
	movq	80(%rdi), %r15
	.byte	0x66, 0x0f, 0x01, 0xcc
	popq	%rdi
	movq	%rax, (%rdi)
	movq	%rcx, 8(%rdi)
	movq	%rdx, 16(%rdi)
	movq	%r8, 24(%rdi)
	movq	%r9, 32(%rdi)
	movq	%r10, 40(%rdi)
	movq	%r11, 48(%rdi)
	movq	%r12, 56(%rdi)
	movq	%r13, 64(%rdi)
	movq	%r14, 72(%rdi)
	movq	%r15, 80(%rdi)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	ret

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
