/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The retry policies: two tables of halves, and the combinations that have a
 * name.  Adding a half is a function of a few lines and one entry.
 */
#include <string.h>

#include "model/host/internal.h"

/* -------------------------------------------------------- fault halves */

static enum verdict fault_give_up(const struct busy *busy)
{
	(void)busy;
	return RETRY_GIVE_UP;
}

static enum verdict fault_spin(const struct busy *busy)
{
	return busy->limit && busy->tries >= busy->limit ? RETRY_GIVE_UP
							 : RETRY_AGAIN;
}

/* Sixteen retries: seventeen calls. */
enum { SPIN16_CALLS = 17 };

static bool busy_on_tree(const struct busy *busy)
{
	return busy->status == (TDX_OPERAND_BUSY | OPERAND_SEPT_TREE);
}

/* Only the tree lock was retried; the hooks took the rest for a bug. */
static enum verdict fault_spin16(const struct busy *busy)
{
	if (!busy_on_tree(busy))
		return RETRY_BUG;
	return busy->tries < SPIN16_CALLS ? RETRY_AGAIN : RETRY_GIVE_UP;
}

enum { DOUBLING_FIRST = 16, DOUBLING_LAST = 1024 };

/* The limit is one for all VMs and doubles whenever somebody reaches it. */
static enum verdict spin_doubling(const struct busy *busy)
{
	struct kvm_host *host = busy->host;
	u32 max = line_load32(busy->t->strand, &host->retry_max_line,
			      &host->retry_max);

	if (!max)
		max = DOUBLING_FIRST;
	if (busy->tries < max)
		return RETRY_AGAIN;
	if (max >= DOUBLING_LAST)
		return RETRY_BUG;
	line_store32(busy->t->strand, &host->retry_max_line, &host->retry_max,
		     2 * max);
	return RETRY_AGAIN;
}

static const struct fault_policy fault_policies[] = {
	{"spin", fault_spin, false, false},
	{"spin16", fault_spin16, false, false},
	{"spin-doubling", spin_doubling, false, true},
	{"eagain", fault_give_up, false, false},
	{"local-retry", fault_give_up, true, false},
	{0},
};

/* ------------------------------------------------------ removal halves */

/* A removal cannot fail: reaching the limit is a bug. */
static enum verdict removal_spin(const struct busy *busy)
{
	return busy->limit && busy->tries >= busy->limit ? RETRY_BUG
							 : RETRY_AGAIN;
}

static enum verdict removal_spin16(const struct busy *busy)
{
	if (busy->call == TDH_MEM_TRACK)
		return RETRY_AGAIN;
	if (!busy_on_tree(busy))
		return RETRY_BUG;
	if (busy->call == TDH_MEM_PAGE_REMOVE)
		return RETRY_AGAIN;
	return busy->tries < SPIN16_CALLS ? RETRY_AGAIN : RETRY_BUG;
}

static enum verdict removal_eagain(const struct busy *busy)
{
	(void)busy;
	return RETRY_GIVE_UP;
}

static enum verdict removal_kick_once(const struct busy *busy)
{
	return busy->tries == 1 ? RETRY_KICK : RETRY_BUG;
}

/* With everybody out there is nobody left to be busy with. */
static enum verdict removal_kick_first(const struct busy *busy)
{
	(void)busy;
	return RETRY_BUG;
}

static enum verdict removal_kick_hold(const struct busy *busy)
{
	if (busy->held)
		return RETRY_BUG;
	return busy->tries == 1 ? RETRY_AGAIN : RETRY_HOLD;
}

static const struct removal_policy removal_policies[] = {
	{"spin", removal_spin, false, false},
	{"spin16", removal_spin16, false, false},
	{"spin-doubling", spin_doubling, false, true},
	{"eagain", removal_eagain, false, false},
	{"kick-once", removal_kick_once, false, false},
	{"kick-first", removal_kick_first, true, false},
	{"kick-hold", removal_kick_hold, false, false},
	{0},
};

/* ------------------------------------------------------ named policies */

enum { F_SPIN, F_SPIN16, F_DOUBLING, F_EAGAIN, F_LOCAL };
enum { R_SPIN, R_SPIN16, R_DOUBLING, R_EAGAIN, R_ONCE, R_FIRST, R_HOLD };

#define POLICY(name, summary, source, f, r)                                    \
	{                                                                      \
		name, summary, source, &fault_policies[f],                     \
			&removal_policies[r]                                   \
	}

const struct retry_policy retry_policies[] = {
	POLICY("spin", "call again in place until it is not busy",
	       "the outer loops of the TDX series up to MMU part 2 v2, 2024",
	       F_SPIN, R_SPIN),
	POLICY("spin16", "up to 17 calls on the tree lock, then fail",
	       "TDX v19 and MMU part 2 v1, 2024", F_SPIN16, R_SPIN16),
	POLICY("spin-doubling", "spin under a VM-wide lock, limit doubles",
	       "P. Bonzini's sketch, September 2024, not merged", F_DOUBLING,
	       R_DOUBLING),
	POLICY("eagain", "give up; fault again, begin the range again",
	       "lock status report, November 2024, first half", F_EAGAIN,
	       R_EAGAIN),
	POLICY("kick-once", "retry faults locally; kick all, try once more",
	       "Linux 6.16 to 7.3", F_LOCAL, R_ONCE),
	POLICY("kick-first", "keep all vCPUs out while a page is removed",
	       "lock status report, November 2024, second half", F_EAGAIN,
	       R_FIRST),
	POLICY("kick-hold", "on the second BUSY keep all out until removed",
	       "lock status report, November 2024, its optimisation", F_EAGAIN,
	       R_HOLD),
	{0},
};

const struct fault_policy *fault_policy_find(const char *name)
{
	const struct fault_policy *p = fault_policies;

	while (p->name && strcmp(p->name, name))
		p++;
	return p->name ? p : NULL;
}

const struct removal_policy *removal_policy_find(const char *name)
{
	const struct removal_policy *p = removal_policies;

	while (p->name && strcmp(p->name, name))
		p++;
	return p->name ? p : NULL;
}

const char *fault_policy_name(const struct fault_policy *policy)
{
	return policy->name;
}

const char *removal_policy_name(const struct removal_policy *policy)
{
	return policy->name;
}
