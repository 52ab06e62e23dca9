/* SPDX-License-Identifier: GPL-2.0-only */
/* Each row of the lock tables: the word before, what is told, the word after.
 */
#include "tests/unit/module_kit.h"

#include "model/module/locks.h"

enum verb {
	SX_SHARED,
	SX_EX,
	SX_UNSHARE,
	SX_UNEX,
	SX_PROMOTE,
	SX_DEMOTE,
	HP_SHARED_H,
	HP_SHARED_G,
	HP_EX_H,
	HP_EX_G,
	HP_UNSHARE,
	HP_UNEX,
	HP_UPGRADE,
};

#define WON	TDX_SUCCESS
#define BUSY	TDX_OPERAND_BUSY
#define HOSTPRI TDX_OPERAND_BUSY_HOST_PRIORITY
/* Not a status: the sanity check with this code halts the module. */
#define HALT(code) (0xDEAD000000000000ull + (code))

struct row {
	enum verb verb;
	u16 before;
	u64 told;
	u16 after;
	u32 ops;
};

static const struct row rows[] = {
	/* SHAREX: the loser's +2 stays, the holder's release wipes it */
	{SX_SHARED, 0x0, WON, 0x2, 1},
	{SX_SHARED, 0x2, WON, 0x4, 1},
	{SX_SHARED, 0x1, BUSY, 0x3, 1},
	{SX_SHARED, 0x3, BUSY, 0x5, 1},
	{SX_SHARED, 0xFFFF, BUSY, 0x1, 1},
	{SX_SHARED, 0xFFFE, HALT(1), 0x0, 1},
	{SX_EX, 0x0, WON, 0x1, 1},
	{SX_EX, 0x2, BUSY, 0x2, 1},
	{SX_EX, 0x1, BUSY, 0x1, 1},
	{SX_UNSHARE, 0x4, WON, 0x2, 1},
	{SX_UNSHARE, 0x2, WON, 0x0, 1},
	{SX_UNSHARE, 0x0, HALT(3), 0xFFFE, 1},
	{SX_UNSHARE, 0x3, HALT(3), 0x1, 1},
	{SX_UNEX, 0x1, WON, 0x0, 1},
	{SX_UNEX, 0x7, WON, 0x0, 1},
	{SX_UNEX, 0x2, HALT(4), 0x0, 1},
	{SX_PROMOTE, 0x2, WON, 0x1, 1},
	{SX_PROMOTE, 0x4, BUSY, 0x4, 1},
	{SX_PROMOTE, 0x0, HALT(6), 0x0, 1},
	{SX_PROMOTE, 0x3, HALT(6), 0x3, 1},
	{SX_DEMOTE, 0x1, WON, 0x2, 1},
	{SX_DEMOTE, 0x2, HALT(7), 0x2, 1},
	/* SHAREX-HP, shared by the host: sets priority, or clears it */
	{HP_SHARED_H, 0x0, WON, 0x4, 1},
	{HP_SHARED_H, 0x4, WON, 0x8, 1},
	{HP_SHARED_H, 0x2, WON, 0x4, 2},
	{HP_SHARED_H, 0x6, WON, 0x8, 2},
	{HP_SHARED_H, 0x1, BUSY, 0x7, 2},
	{HP_SHARED_H, 0x3, BUSY, 0x7, 2},
	{HP_SHARED_H, 0xFFFC, HALT(11), 0x0, 1},
	/* the word that the guest's underflow leaves */
	{HP_SHARED_H, 0xFFFE, HALT(11), 0x0, 2},
	/* shared by the guest: turned away by priority, exclusive or not */
	{HP_SHARED_G, 0x0, WON, 0x4, 1},
	{HP_SHARED_G, 0x2, HOSTPRI, 0x2, 2},
	{HP_SHARED_G, 0x3, HOSTPRI, 0x3, 2},
	{HP_SHARED_G, 0x1, BUSY, 0x5, 1},
	{HP_SHARED_G, 0xFFFC, HALT(10), 0x0, 1},
	/* exclusive */
	{HP_EX_H, 0x0, WON, 0x1, 1},
	{HP_EX_H, 0x2, WON, 0x1, 2},
	{HP_EX_H, 0x4, BUSY, 0x6, 2},
	{HP_EX_H, 0x1, BUSY, 0x3, 2},
	{HP_EX_H, 0x3, BUSY, 0x3, 2},
	{HP_EX_G, 0x0, WON, 0x1, 1},
	{HP_EX_G, 0x2, HOSTPRI, 0x2, 1},
	{HP_EX_G, 0x3, BUSY, 0x3, 1},
	{HP_EX_G, 0x4, BUSY, 0x4, 1},
	/* releases */
	{HP_UNSHARE, 0x8, WON, 0x4, 1},
	{HP_UNSHARE, 0x6, WON, 0x2, 1},
	{HP_UNSHARE, 0x2, HALT(13), 0xFFFE, 1},
	{HP_UNSHARE, 0x5, HALT(13), 0x1, 1},
	{HP_UNEX, 0x1, WON, 0x0, 1},
	{HP_UNEX, 0xD, WON, 0x0, 1},
	{HP_UNEX, 0xF, WON, 0x2, 1},
	{HP_UNEX, 0x4, HALT(14), 0x4, 0},
	/* promotion of the single reader */
	{HP_UPGRADE, 0x4, WON, 0x1, 1},
	{HP_UPGRADE, 0x6, WON, 0x1, 2},
	{HP_UPGRADE, 0x8, BUSY, 0xA, 2},
	{HP_UPGRADE, 0xA, BUSY, 0xA, 2},
	{HP_UPGRADE, 0x0, HALT(16), 0x0, 1},
	{HP_UPGRADE, 0x1, HALT(16), 0x1, 1},
};

static u64 told(bool won)
{
	return won ? WON : BUSY;
}

static u64 act(const struct call *c, const struct lock *l, enum verb verb)
{
	switch (verb) {
	case SX_SHARED:
		return told(sharex_try(c, l, false));
	case SX_EX:
		return told(sharex_try(c, l, true));
	case SX_UNSHARE:
		sharex_release(c, l, false);
		return WON;
	case SX_UNEX:
		sharex_release(c, l, true);
		return WON;
	case SX_PROMOTE:
		return told(sharex_promote(c, l));
	case SX_DEMOTE:
		sharex_demote(c, l);
		return WON;
	case HP_SHARED_H:
		return hp_try(c, l, false, HOST);
	case HP_SHARED_G:
		return hp_try(c, l, false, GUEST);
	case HP_EX_H:
		return hp_try(c, l, true, HOST);
	case HP_EX_G:
		return hp_try(c, l, true, GUEST);
	case HP_UNSHARE:
		hp_release(c, l, false);
		return WON;
	case HP_UNEX:
		hp_release(c, l, true);
		return WON;
	default:
		return hp_promote(c, l);
	}
}

static struct call call_of(struct kit *k)
{
	return (struct call){&k->lp, &k->s, k->m, NR_TDX_CALLS};
}

/* The status, or HALT() with the code that the halt's text gives. */
static u64 act_or_halt(struct kit *k, const struct lock *l, enum verb verb)
{
	struct call c = call_of(k);
	volatile u64 result = 0;
	unsigned source = 0, code = 0;
	bool halted;

	KIT_CATCH(k, &halted, result = act(&c, l, verb));
	if (!halted)
		return result;
	assert_int_equal(sscanf(k->why, "lock: halt %x:%u", &source, &code), 2);
	assert_int_equal(source, HALT_LOCKS);
	return HALT(code);
}

static void each_row_of_the_tables(void **state)
{
	struct kit *k = kit_create(NULL);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		u16 word = r->before;
		struct line line = {0};
		struct lock l = {&word, &line, "word"};
		u64 result;

		k->nops = 0;
		result = act_or_halt(k, &l, r->verb);
		if (result != r->told || word != r->after || k->nops != r->ops)
			fail_msg("row %zu: told 0x%llx, word 0x%x, %u ops", i,
				 (unsigned long long)result, word, k->nops);
	}
	kit_destroy(k);
}

static void a_mutex_is_taken_once(void **state)
{
	struct kit *k = kit_create(NULL);
	struct call c = call_of(k);
	struct line line = {0};
	bool halted;
	u8 word = 0;

	(void)state;
	assert_true(mutex_try(&c, &word, &line));
	assert_false(mutex_try(&c, &word, &line));
	assert_int_equal(word, 1);
	mutex_release(&c, &word, &line);
	assert_int_equal(word, 0);
	KIT_CATCH(k, &halted, mutex_release(&c, &word, &line));
	assert_true(halted);
	assert_non_null(strstr(k->why, "0x0001:0"));
	kit_destroy(k);
}

struct entry_row {
	u64 before;
	enum side side;
	u64 told;
	u64 after;
	u32 ops;
};

#define EL ENTRY_EL
#define HP ENTRY_HP
static const struct entry_row entry_rows[] = {
	{0, HOST, WON, EL, 2},
	{HP, HOST, WON, EL, 2},
	{EL, HOST, BUSY, EL | HP, 2},
	{EL | HP, HOST, BUSY, EL | HP, 2},
	{0, GUEST, WON, EL, 1},
	{EL, GUEST, BUSY, EL, 1},
	/* taken already: priority is not looked at */
	{EL | HP, GUEST, BUSY, EL | HP, 1},
	/* has it for a moment */
	{HP, GUEST, HOSTPRI, HP, 2},
};

static void each_row_of_the_entry_lock(void **state)
{
	const u64 rest = 0x8000000110000077ull;
	struct kit *k = kit_create(NULL);
	struct call c = call_of(k);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(entry_rows) / sizeof(entry_rows[0]); i++) {
		const struct entry_row *r = &entry_rows[i];
		u64 entry = rest | r->before;
		struct line line = {0};

		k->nops = 0;
		assert_int_equal(entry_try(&c, &entry, &line, r->side),
				 r->told);
		assert_int_equal(entry, rest | r->after);
		assert_int_equal(k->nops, r->ops);
	}
	kit_destroy(k);
}

static void releasing_an_entry_keeps_priority(void **state)
{
	struct kit *k = kit_create(NULL);
	struct call c = call_of(k);
	struct line line = {0};
	u64 entry = EL | HP;
	bool halted;

	(void)state;
	entry_release(&c, &entry, &line);
	assert_int_equal(entry, HP);
	KIT_CATCH(k, &halted, entry_release(&c, &entry, &line));
	assert_true(halted);
	assert_non_null(strstr(k->why, "0x0001:8"));
	kit_destroy(k);
}

/* What happens between the two steps of a guest that sees priority. */
static struct lock underflowing;

static void release_before_the_second(struct kit *k, u32 n)
{
	struct call c = call_of(k);

	if (n != 1)
		return;
	k->point = NULL;
	hp_release(&c, &underflowing, true);
}

/*
 * Host A holds it, host B has asked, a guest comes, A releases in between:
 * the guest's -4 underflows, and the next host that wants to share it halts.
 */
static void a_guest_can_underflow_the_readers(void **state)
{
	struct kit *k = kit_create(NULL);
	struct call c = call_of(k);
	struct line line = {0};
	u16 word = 0;

	(void)state;
	underflowing = (struct lock){&word, &line, "word"};
	assert_int_equal(hp_try(&c, &underflowing, true, HOST), WON);
	assert_int_equal(hp_try(&c, &underflowing, true, HOST), BUSY);
	assert_int_equal(word, 0x3);
	k->nops = 0;
	k->point = release_before_the_second;
	assert_int_equal(hp_try(&c, &underflowing, false, GUEST), HOSTPRI);
	assert_int_equal(word, 0xFFFE);
	assert_int_equal(hp_try(&c, &underflowing, true, HOST), BUSY);
	assert_int_equal(act_or_halt(k, &underflowing, HP_SHARED_H), HALT(11));
	kit_destroy(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_the_tables),
		cmocka_unit_test(a_mutex_is_taken_once),
		cmocka_unit_test(each_row_of_the_entry_lock),
		cmocka_unit_test(releasing_an_entry_keeps_priority),
		cmocka_unit_test(a_guest_can_underflow_the_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
