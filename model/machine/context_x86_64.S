/* SPDX-License-Identifier: GPL-2.0-only */
#if defined(__x86_64__) && !defined(TDMEM_UCONTEXT)

	.text

/*
 * void context_swap(void **save_sp, void *load_sp)
 *
 * The order of the registers is known to context_restart().
 */
	.globl	context_swap
	.type	context_swap, @function
	.p2align 5
context_swap:
	.cfi_startproc
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.cfi_endproc
	.size	context_swap, . - context_swap

/* A new context comes here out of context_swap: entry in %rbx, arg in %r12. */
	.globl	context_start
	.type	context_start, @function
	.p2align 4
context_start:
	.cfi_startproc
	.cfi_undefined rip
	mov	%r12, %rdi
	call	*%rbx
	ud2
	.cfi_endproc
	.size	context_start, . - context_start

#endif
	.section .note.GNU-stack, "", @progbits
