/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contention table of one TD (facts 10.1), cell by cell.  The call of the
 * row is stopped before each of its atomic operations; there the call of the
 * column runs as a whole.  The busy statuses that it gets over all points
 * have to be those of the cell's letters, no fewer and no others, and the
 * lock word has to look as that lock's loser leaves it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/contention.h"

/*
 * T TDR, S tree, Z tree when suspected of zero-stepping, E S-EPT entry,
 * C epoch, R previous epoch, V TDVPR, K KOT, k KOT between TDs, W cache lock.
 */
static const char *const table[NR_TABLE][NR_TABLE] = {
#define ROW(...)                                                               \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define MEM_SH                                                                 \
	ROW("E", "E", "E", "E", "E", "E", "E", "S", "S", "S", ".", "Z", ".",   \
	    "E", "T", "T", "T", ".", ".", ".")
#define MEM_EX                                                                 \
	ROW("S", "S", "S", "S", "S", "S", "S", "S", "S", "S", ".", "Z", ".",   \
	    "E", "T", "T", "T", ".", ".", ".")
	[SA] = MEM_SH,
	[AU] = MEM_SH,
	[RM] = MEM_SH,
	[PR] = MEM_SH,
	[DM] = MEM_SH,
	[RL] = MEM_SH,
	[SQ] = MEM_SH,
	[BL] = MEM_EX,
	[UB] = MEM_EX,
	[SR] = MEM_EX,
	[TR] = ROW(".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "C", "CR",
		   ".", ".", "T", "T", "T", ".", ".", "."),
	[VE] = ROW("Z", "Z", "Z", "Z", "Z", "Z", "Z", "Z", "Z", "Z", "CR", "Z",
		   "V", ".", "T", "T", "T", ".", ".", "."),
	[VF] = ROW(".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "V",
		   "V", ".", "T", "T", "T", ".", ".", "."),
	[AC] = ROW("E", "E", "E", "E", "E", "E", "E", "E", "E", "E", ".", ".",
		   ".", "E", ".", ".", ".", ".", ".", "."),
	[AD] = ROW("T", "T", "T", "T", "T", "T", "T", "T", "T", "T", "T", "T",
		   "T", ".", "T", "T", "T", "T", ".", "."),
	[FD] = ROW("T", "T", "T", "T", "T", "T", "T", "T", "T", "T", "T", "T",
		   "T", ".", "T", "Tk", "Tk", "T", "K", "."),
	[FI] = ROW("T", "T", "T", "T", "T", "T", "T", "T", "T", "T", "T", "T",
		   "T", ".", "T", "Tk", "Tk", "T", "K", "."),
	[RC] = ROW(".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".",
		   ".", ".", "T", "T", "T", ".", ".", "."),
	[CW] = ROW(".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".",
		   ".", ".", ".", "K", "K", ".", "W", "."),
	[WI] = ROW(".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".",
		   ".", ".", ".", ".", ".", ".", ".", "."),
#undef MEM_SH
#undef MEM_EX
#undef ROW
};

/*
 * Cells that cannot be had as the table means them.  `letters` is what comes
 * out instead and is tested; NULL: there is nothing to run.
 */
struct odd_cell {
	enum who row, column;
	const char *letters, *why;
};

#define NO_COMMON "no entry that both can name: a parent, and a 4K leaf"
#define BY_ENTER  "the vCPU that accepts is inside, so VP.ENTER holds the TDR"
#define NEVER_EX  "no exclusive TDR while the vCPU that accepts is inside"

static const struct odd_cell odd[] = {
	{SA, RL, NULL, NO_COMMON}, {RL, SA, NULL, NO_COMMON},
	{DM, RL, NULL, NO_COMMON}, {RL, DM, NULL, NO_COMMON},
	{AC, AD, "T", BY_ENTER},   {AC, FD, "T", BY_ENTER},
	{AC, FI, "T", BY_ENTER},   {AD, AC, ".", NEVER_EX},
	{FD, AC, ".", NEVER_EX},   {FI, AC, ".", NEVER_EX},
};

static const struct odd_cell *find_odd(enum who row, enum who column)
{
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		if (odd[i].row == row && odd[i].column == column)
			return &odd[i];
	}
	return NULL;
}

/* ----------------------------------------------------------- what is lost */

static bool names_tdr_in_rcx(enum who who)
{
	return who == TR || who == FD || who == FI || who == MF || who == KC ||
	       who == MI;
}

/* The status that the loser of a letter gets. */
static tdx_status lost(char letter, enum who loser)
{
	switch (letter) {
	case 'T':
		if (loser == VE || loser == VF || loser == RC)
			return TDX_OPERAND_BUSY | OPERAND_TDR;
		return TDX_OPERAND_BUSY |
		       (names_tdr_in_rcx(loser) ? OPERAND_RCX : OPERAND_RDX);
	case 'S':
	case 'Z':
		return TDX_OPERAND_BUSY | OPERAND_SEPT_TREE;
	case 'E':
	case 'V':
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	case 'C':
		return TDX_OPERAND_BUSY | OPERAND_TD_EPOCH;
	case 'R':
		return TDX_PREVIOUS_TLB_EPOCH_BUSY;
	case 'K':
		return TDX_OPERAND_BUSY | OPERAND_KOT;
	case 'W':
		return TDX_OPERAND_BUSY | OPERAND_WBCACHE;
	default:
		fail_msg("no such letter: %c", letter);
		return 0;
	}
}

/* How the loser asked: facts 2, one column each. */
static bool asks_exclusive(char letter, enum who loser)
{
	switch (letter) {
	case 'T':
		return loser == AD || loser == FD || loser == FI;
	case 'S':
	case 'Z':
		return loser == BL || loser == UB || loser == SR || loser == VE;
	case 'C':
		return loser == TR;
	case 'V':
		return loser == VF;
	case 'K':
		return loser != CW;
	default:
		return true;
	}
}

static enum tdx_object object_of(char letter)
{
	switch (letter) {
	case 'T':
		return TDX_TDR;
	case 'S':
	case 'Z':
		return TDX_SEPT_TREE;
	case 'E':
		return TDX_SEPT_ENTRY;
	case 'C':
		return TDX_EPOCH;
	case 'V':
		return TDX_TDVPR;
	case 'K':
		return TDX_KOT;
	default:
		return TDX_WBCACHE;
	}
}

#define ENTRY_HP (1ull << 52)

/* What a failed try does to the word (facts 1.1 to 1.4). */
static u64 word_after(char letter, enum who loser, u64 before)
{
	const bool exclusive = asks_exclusive(letter, loser);

	switch (letter) {
	case 'T':
	case 'V':
		return (exclusive ? before : before + 4) | 2;
	case 'S':
	case 'Z':
	case 'C':
	case 'K':
		return exclusive ? before : before + 2;
	case 'E':
		return loser == AC ? before : before | ENTRY_HP;
	default:
		return before;
	}
}

/* ------------------------------------------------------------------ cells */

struct cell {
	enum who row, column;	/* as the table has them */
	enum who first, second; /* themselves, or calls like them */
	const char *letters;
	enum tdx_level level; /* of the entry that both name */
	/* over all points */
	tdx_status seen[4];
	unsigned nseen, points, passed;
	unsigned halts; /* of the module, by the second call */
	unsigned pages; /* busy with the first call's page, see 10.2 */
	char trouble[200];
};

static bool cell_has(const struct cell *c, char letter)
{
	return strchr(c->letters, letter);
}

static bool cell_with(const struct cell *c, enum who who)
{
	return c->row == who || c->column == who;
}

/* The state of the TD in which the first call gets through. */
static u64 state_for(const struct cell *c)
{
	if (cell_with(c, AC))
		return STATE_RUNNABLE;
	if (c->row == AD || (cell_with(c, PR) && cell_with(c, RL)))
		return STATE_INITIALIZED;
	return c->row == RC ? STATE_TEARDOWN : STATE_RUNNABLE;
}

/* These work on a parent entry, whatever the other one works on. */
static bool on_parent(enum who who)
{
	return who == PR || who == SR;
}

static void put_entry(struct scene *s, const struct cell *c, bool running)
{
	enum who who = c->row <= SR || c->row == AC ? c->row : c->column;
	bool leaf;

	if (cell_with(c, PR) && cell_with(c, RL))
		who = PR;
	leaf = c->level == LEVEL_4K && !on_parent(who);
	scene_tree(s, leaf);
	scene_program(s, scene_needs(who, running),
		      leaf ? SCENE_CHILD : SCENE_ENTRY,
		      leaf ? LEVEL_4K : LEVEL_2M);
}

static void put_initial(struct scene *s)
{
	scene_do(s, SA, SCENE_INITIAL, LEVEL_1G);
	scene_do(s, SA, SCENE_INITIAL, LEVEL_2M);
}

static void flush_all(struct scene *s)
{
	u32 v;

	for (v = 0; v < 3; v++) {
		struct act flush = scene_act(s, VF, 0, 0, LEVEL_4K, v);

		scene_run(s, &flush, &s->w.td[0].vcpu[v].lp);
	}
}

/* Everything that has to be in place before the first call starts. */
static void set_up(struct scene *s, const struct cell *c)
{
	const u64 state = state_for(c);
	const bool running = state == STATE_RUNNABLE;

	scene_open(s);
	scene_td(s, 0, state);
	if (state == STATE_TEARDOWN)
		return;
	put_entry(s, c, running);
	if (c->row == AD)
		put_initial(s);
	if (!running)
		return;
	if (cell_with(c, VE))
		scene_suspect(s, c->row == c->column ? 2 : 1);
	if (cell_with(c, VF)) {
		scene_enter(s, 0);
		scene_exit(s, 0);
	}
	if (c->row == FD || ((c->row == FI || c->row == CW) && c->column != AC))
		flush_all(s);
	if ((c->row == FI || c->row == CW) && c->column != AC)
		scene_do(s, FD, 0, LEVEL_4K);
	if (c->row == FI && c->column != AC)
		scene_do(s, CW, 0, LEVEL_4K);
	if (cell_with(c, AC))
		scene_enter(s, 2);
	if (c->row == AC && c->column == AC)
		scene_enter(s, 1);
	if (cell_has(c, 'R') && c->column == TR) {
		scene_enter(s, 1);
		scene_do(s, TR, 0, LEVEL_4K);
	}
}

static struct act make_act(struct scene *s, const struct cell *c, bool second)
{
	const enum who like = second ? c->column : c->row;
	const enum who who = second ? c->second : c->first;
	const bool twins = c->row == c->column;
	struct act act;
	u64 gpa = c->level == LEVEL_4K ? SCENE_CHILD : SCENE_ENTRY;
	enum tdx_level level = c->level;
	u32 vcpu = 0;

	if (on_parent(who)) {
		gpa = SCENE_ENTRY;
		level = LEVEL_2M;
	}
	if (like == AD)
		gpa = SCENE_INITIAL;
	if (like == AC)
		vcpu = twins && second ? 1 : 2;
	if (who == VE && twins && second)
		vcpu = 1;
	act = scene_act(s, who, 0, gpa, level, vcpu);
	if (who == RC && twins && second)
		act.page.v -= 0x1000;
	return act;
}

/* A vCPU's calls run where it is, but for the second on the same vCPU. */
static struct script_lp *place(struct scene *s, const struct cell *c,
			       bool second)
{
	const enum who who = second ? c->column : c->row;
	struct script_vcpu *vcpu = s->w.td[0].vcpu;

	if (who == AC)
		return &vcpu[c->row == c->column && second ? 1 : 2].lp;
	if (who == VE && c->row == VE && second && c->column == VE)
		return &vcpu[1].lp;
	if ((who == VE || who == VF) &&
	    !(second && (c->row == VE || c->row == VF)))
		return &vcpu[0].lp;
	return second ? &s->w.other : &s->w.host;
}

static void note(struct cell *c, tdx_status status)
{
	unsigned i;

	for (i = 0; i < c->nseen; i++) {
		if (c->seen[i] == status)
			return;
	}
	if (c->nseen < 4)
		c->seen[c->nseen++] = status;
}

/* The letter by which this status was got; 0: none of the cell's. */
static char letter_of(const struct cell *c, tdx_status status)
{
	const char *l;

	for (l = c->letters; *l; l++) {
		if (*l != '.' && *l != 'k' && lost(*l, c->second) == status)
			return *l;
	}
	return 0;
}

static u64 word_of(struct scene *s, const struct cell *c, char letter)
{
	if (letter == '.' || letter == 'R' || letter == 'k')
		return 0;
	return scene_raw(s, object_of(letter), 0,
			 c->level == LEVEL_4K ? SCENE_CHILD : SCENE_ENTRY,
			 c->level);
}

/*
 * AUG makes its entry visible before the page has a type, and those who then
 * reach for the page by way of the entry bring the module down (facts 14, 1).
 * For REMOVE and DEMOTE that has been seen with the module's own code;
 * RELOCATE reaches for its page in the same way.
 */
static bool can_halt(const struct cell *c)
{
	return c->row == AU &&
	       (c->column == RM || c->column == DM || c->column == RL);
}

static bool halt_is_known(const struct cell *c, const char *point)
{
	return can_halt(c) && !strcmp(point, "xadd64 tdr.chldcnt");
}

/*
 * An entry's loser is told what the entry looks like; a page's loser, who
 * shares RCX with it, is told nothing (facts 14, 6).
 */
static bool lost_a_page(const struct act *act)
{
	return act->status == (TDX_OPERAND_BUSY | OPERAND_RCX) &&
	       (act->who == RM || act->who == PR || act->who == DM ||
		act->who == RL || act->who == SR) &&
	       !act->out.rcx && !act->out.rdx;
}

static void check_word(struct cell *c, char letter, u64 before, u64 after,
		       const char *point)
{
	const u64 expected = word_after(letter, c->column, before);

	if (after == expected || c->trouble[0])
		return;
	snprintf(c->trouble, sizeof(c->trouble),
		 "at %s: word of %c 0x%llx after 0x%llx, expected 0x%llx",
		 point, letter, (unsigned long long)after,
		 (unsigned long long)before, (unsigned long long)expected);
}

static void run_second(struct scene *s, struct cell *c, const char *point)
{
	struct act act = make_act(s, c, true);
	u64 before[4] = {0};
	size_t i;
	char letter;

	for (i = 0; c->letters[i]; i++)
		before[i] = word_of(s, c, c->letters[i]);
	c->points++;
	if (!world_run(&s->w, place(s, c, true), act_job, &act)) {
		c->halts++;
		if (!halt_is_known(c, point) || strcmp(s->w.halt, "0x0003:10"))
			snprintf(c->trouble, sizeof(c->trouble),
				 "halt %s at %s", s->w.halt, point);
		return;
	}
	c->passed += !tdx_error(act.status);
	if (lost_a_page(&act)) {
		c->pages++;
		return;
	}
	if (!busy_class(act.status))
		return;
	note(c, act.status);
	letter = letter_of(c, act.status);
	if (!letter || letter == 'R')
		return;
	i = (size_t)(strchr(c->letters, letter) - c->letters);
	check_word(c, letter, before[i], word_of(s, c, letter), point);
}

/* Nobody inside any more: all words free, but for host priority. */
static void check_quiet(struct scene *s, struct cell *c)
{
	static const struct {
		enum tdx_object what;
		u64 may;
		const char *name;
	} words[] = {
		{TDX_SEPT_TREE, 0, "tree"},	{TDX_EPOCH, 0, "epoch"},
		{TDX_OP_STATE, 2, "op state"},	{TDX_TDR, 2, "TDR"},
		{TDX_TDVPR, 2, "TDVPR"},	{TDX_KOT, 0, "KOT"},
		{TDX_WBCACHE, 0, "cache lock"},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		u64 raw = scene_raw(s, words[i].what, 0, 0, LEVEL_4K);

		if (raw & ~words[i].may && !c->trouble[0])
			snprintf(c->trouble, sizeof(c->trouble),
				 "%s is 0x%llx after both", words[i].name,
				 (unsigned long long)raw);
	}
}

/* One point of a cell.  False: the first call has no such point. */
static bool run_point(struct cell *c, u64 at)
{
	char point[32] = "its end";
	struct script_lp *lp;
	enum step_end end;
	struct scene s;
	struct act act;

	set_up(&s, c);
	act = make_act(&s, c, false);
	lp = place(&s, c, false);
	end = world_start(&s.w, lp, act_job, &act, at, point);
	if (end != STEP_HALTED)
		run_second(&s, c, point);
	if (end == STEP_PAUSED && !s.w.halted && !world_finish(&s.w, lp))
		snprintf(c->trouble, sizeof(c->trouble), "halt %s after %s",
			 s.w.halt, point);
	if (!s.w.halted) {
		scene_all_out(&s);
		check_quiet(&s, c);
	}
	scene_close(&s);
	return end == STEP_PAUSED;
}

static void run_cell(struct cell *c)
{
	u64 at = 0;

	while (run_point(c, at))
		at = scene_next(c->row, at);
}

static void print_cell(const struct cell *c)
{
	unsigned i;

	print_message("%s before %s, \"%s\", %u points:", who_name[c->first],
		      who_name[c->second], c->letters, c->points);
	for (i = 0; i < c->nseen; i++)
		print_message(" 0x%llx", (unsigned long long)c->seen[i]);
	print_message(" %s\n", c->trouble);
}

/* True when what was seen is what the letters say. */
static bool cell_holds(const struct cell *c)
{
	unsigned expected = 0, i;
	const char *l;

	for (i = 0; i < c->nseen; i++) {
		if (!letter_of(c, c->seen[i]))
			return false;
	}
	for (l = c->letters; *l; l++) {
		/* R is one way: TRACK loses; k takes two TDs. */
		if (*l == '.' || *l == 'k' || (*l == 'R' && c->column != TR))
			continue;
		expected++;
		for (i = 0; i < c->nseen; i++) {
			if (c->seen[i] == lost(*l, c->second))
				break;
		}
		if (i == c->nseen)
			return false;
	}
	return c->nseen == expected && c->halts == can_halt(c) &&
	       !c->trouble[0];
}

struct count {
	unsigned wrong, tested, unreachable, points;
};

static void test_cell(enum who first, enum who second, struct count *count)
{
	struct cell c = {
		.row = who_like(first),
		.column = who_like(second),
		.first = first,
		.second = second,
		.level = first == RL || second == RL ? LEVEL_4K : LEVEL_2M,
	};
	const struct odd_cell *o = find_odd(c.row, c.column);

	c.letters = o ? o->letters : table[c.row][c.column];
	count->unreachable += o ? 1 : 0;
	if (!c.letters)
		return;
	run_cell(&c);
	count->tested += o ? 0 : 1;
	count->points += c.points;
	if (cell_holds(&c))
		return;
	count->wrong++;
	print_cell(&c);
}

static void test_table(void **state)
{
	struct count count = {0};
	unsigned r, q;

	(void)state;
	for (r = 0; r < NR_TABLE; r++) {
		for (q = 0; q < NR_TABLE; q++)
			test_cell((enum who)r, (enum who)q, &count);
	}
	print_message("%u cells over %u points, %u do not hold\n", count.tested,
		      count.points, count.wrong);
	for (r = 0; r < sizeof(odd) / sizeof(*odd); r++)
		print_message("  not reachable: %s before %s: %s\n",
			      who_name[odd[r].row], who_name[odd[r].column],
			      odd[r].why);
	assert_int_equal(count.unreachable, sizeof(odd) / sizeof(*odd));
	assert_int_equal(count.tested + count.unreachable, NR_TABLE * NR_TABLE);
	assert_int_equal(count.wrong, 0);
}

/* Calls that the table names in passing, against all of it. */
static void test_likes(void **state)
{
	static const enum who likes[] = {AR, AW, MX, MF, KC, CX, MI};
	struct count count = {0};
	unsigned i, q;

	(void)state;
	for (i = 0; i < sizeof(likes) / sizeof(*likes); i++) {
		for (q = 0; q < NR_TABLE; q++) {
			test_cell(likes[i], (enum who)q, &count);
			test_cell((enum who)q, likes[i], &count);
		}
	}
	print_message("%u cells of calls like ACCEPT and PAGE.ADD over %u "
		      "points, %u do not hold\n",
		      count.tested, count.points, count.wrong);
	assert_int_equal(count.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_likes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
