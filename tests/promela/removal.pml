/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM removes a private page while a vCPU runs, in Promela: a second model,
 * written from the description of the TDX module's locks and of KVM's removal
 * and not from the C code, to compare the answers of tdmem explore with.
 *
 * What is left out cannot be BUSY between one host thread and one vCPU: TDR,
 * OP_STATE and the PAMT are taken shared by both sides, or exclusive for a
 * page that only one side has, which mmu_lock sees to.
 *
 * What the vCPU does, one of
 *   NEW_PAGE    accepts a page that is not there: a fault, then VP.ENTER
 *   SAME_PAGE   accepts the page that is removed
 *   ZERO_STEP   enters with another, mapped page on its zero-step list
 * What the removal does when a call is BUSY, one of
 *   KICK_ONCE   keep vCPUs out, kick, a second try; no third
 *   SPIN        try again, without end
 *   SPIN16      BLOCK: 17 calls for the tree lock, one for the entry's;
 *               TRACK and REMOVE: as SPIN
 * What is wrong with it, none or some of
 *   NO_SECOND      the first BUSY is the end
 *   NO_KICK        the second try comes without keeping out and kicking
 *   NO_GATE        kicks, and lets vCPUs in again at once
 *   NO_WAIT        kicks do not wait until vCPUs are out
 *   NO_TRACK_KICK  nobody is kicked after TRACK
 *   GATE_STAYS     vCPUs that were kept out are never let in
 */

mtype = { FREE, PENDING, PENDING_BLOCKED, MAPPED, BLOCKED };
mtype = { OK, BUSY_TREE, BUSY_ENTRY, BUSY_EPOCH, FAILED };
mtype = { INSIDE, AGAIN };

/* --------------------------------------------------- the module's words */

/*
 * A lock for many or one.  A shared try that fails leaves its count behind;
 * the release of the exclusive holder wipes it, and nobody looks at it until
 * then: it is not counted here.
 */
typedef sharex {
	bool exclusive;
	byte shared
}
sharex tree, epoch_lock;

/* Leaf entries: that of the page that is removed, and another one. */
mtype entry[2];
bool locked[2], host_waits[2];

#define FIRST	2
byte epoch = FIRST;	/* of the TD */
byte inside[2];		/* vCPUs that entered in an epoch of this parity */
byte blocked_in;	/* epoch in which the page was blocked */

#define ODD(e)	((e) & 1)

inline lock_shared(l, status, busy)
{
	atomic {
		if
		:: l.exclusive -> status = busy
		:: else -> l.shared++; status = OK
		fi
	}
}

inline lock_exclusive(l, status, busy)
{
	atomic {
		if
		:: l.exclusive || l.shared -> status = busy
		:: else -> l.exclusive = true; status = OK
		fi
	}
}

/* The host's try; who loses asks the guest to stand back. */
inline lock_entry(page, status)
{
	atomic {
		if
		:: locked[page] -> status = BUSY_ENTRY
		:: else -> locked[page] = true; status = OK
		fi
	}
	host_waits[page] = status != OK
}

/* A new value of an entry is one store: it wipes the host's wish, too. */
inline store_entry(page, state, keep_locked)
{
	atomic {
		entry[page] = state;
		host_waits[page] = false;
		locked[page] = keep_locked
	}
}

inline range_block(status)
{
	lock_exclusive(tree, status, BUSY_TREE);
	if
	:: status == OK ->
		lock_entry(0, status);
		if
		:: status == OK ->
			if
			:: entry[0] == MAPPED -> store_entry(0, BLOCKED, true)
			:: else -> store_entry(0, PENDING_BLOCKED, true)
			fi;
			blocked_in = epoch;
			locked[0] = false
		:: else
		fi;
		tree.exclusive = false
	:: else
	fi
}

inline track(status)
{
	lock_exclusive(epoch_lock, status, BUSY_EPOCH);
	if
	:: status == OK ->
		if
		:: inside[1 - ODD(epoch)] -> status = FAILED
		:: else -> epoch++
		fi;
		epoch_lock.exclusive = false
	:: else
	fi
}

inline page_remove(status)
{
	lock_shared(tree, status, BUSY_TREE);
	if
	:: status == OK ->
		lock_entry(0, status);
		if
		:: status == OK ->
			/* Epoch and counts are read in one. */
			if
			:: blocked_in < epoch - 1 ||
			   (blocked_in == epoch - 1 &&
			    !inside[ODD(blocked_in)]) ->
				store_entry(0, FREE, false)
			:: else ->
				status = FAILED;
				locked[0] = false
			fi
		:: else
		fi;
		tree.shared--
	:: else
	fi
}

/* --------------------------------------------------------- KVM's words */

bool writer;		/* of mmu_lock */
byte readers;
bool invalidating;	/* the page that is removed */
byte invalidations;
bool gate;		/* keeps vCPUs out of VP.ENTER */
bool guest_mode;	/* of the vCPU */
bool interrupts = true;	/* its CPU takes them */
bool ipi;		/* pending */
bool bugged;
byte ended;

/* Who takes the lock is not kept from it by who only waits. */
inline write_lock()
{
	atomic { !writer && !readers -> writer = true }
}

/*
 * The handler does nothing: where interrupts are on it may as well have run
 * when the interrupt comes.
 */
inline kick()
{
	if
	:: guest_mode ->
		ipi = !interrupts;
#ifndef NO_WAIT
		!ipi
#endif
	:: else
	fi
}

/* A call BUSY for the first, second, ... time. */
inline busy_again(status, tries, limit)
{
	if
	:: limit && tries >= limit -> bugged = true
	:: else
	fi;
#if defined(KICK_ONCE) && !defined(NO_KICK)
	if
	:: !bugged && tries == 1 ->
#ifndef NO_GATE
		gate = true;
#endif
		kick()
	:: else
	fi
#endif
}

#ifdef KICK_ONCE
#ifdef NO_SECOND
#define TREE_LIMIT	1
#define LIMIT		1
#else
#define TREE_LIMIT	2
#define LIMIT		2
#endif
#define ENTRY_LIMIT	LIMIT
#else
#define LIMIT		0
#ifdef SPIN16
#define TREE_LIMIT	17
#define ENTRY_LIMIT	1
#else
#define TREE_LIMIT	0
#define ENTRY_LIMIT	0
#endif
#endif

/* Do a call until it is not BUSY, or until the VM is given up. */
#define UNTIL_DONE(call, tree_limit, entry_limit)			\
	tries = 0;							\
	status = BUSY_TREE;						\
	do								\
	:: bugged || status == OK -> break				\
	:: else ->							\
		call(status);						\
		if							\
		:: status == OK						\
		:: status == FAILED -> bugged = true			\
		:: else ->						\
			if						\
			:: tries < 17 -> tries++			\
			:: else						\
			fi;						\
			if						\
			:: status == BUSY_ENTRY ->			\
				busy_again(status, tries, entry_limit)	\
			:: else ->					\
				busy_again(status, tries, tree_limit)	\
			fi						\
		fi							\
	od;								\
	OPEN_GATE

#ifdef GATE_STAYS
#define OPEN_GATE	skip
#else
#define OPEN_GATE	gate = false
#endif

proctype removal()
{
	mtype status;
	byte tries;

	write_lock();
	invalidating = true;
	UNTIL_DONE(range_block, TREE_LIMIT, ENTRY_LIMIT);
	UNTIL_DONE(track, LIMIT, LIMIT);
#ifndef NO_TRACK_KICK
	if
	:: !bugged -> kick()
	:: else
	fi;
#endif
	UNTIL_DONE(page_remove, LIMIT, LIMIT);
	assert(!bugged);
	kick();		/* shared mappings may have to be forgotten */
	writer = false;
	write_lock();	/* the page is given back in between */
	invalidations++;
	invalidating = false;
	writer = false;
	ended++
}

/* ----------------------------------------------------------- the vCPU */

#ifdef SAME_PAGE
#define PAGE	0
#else
#define PAGE	1
#endif

/* To the vCPU's thread with interrupts on. */
inline out()
{
	guest_mode = false;
	atomic {
		interrupts = true;
		ipi = false
	}
}

inline td_exit()
{
	inside[ODD(my_epoch)]--;
	out()
}

inline enter()
{
	result = AGAIN;
	interrupts = false;
	guest_mode = true;
	if
	:: gate
	:: else ->
		lock_shared(epoch_lock, status, BUSY_EPOCH);
		if
		:: status == OK ->
			my_epoch = epoch;
			inside[ODD(my_epoch)]++;
			epoch_lock.shared--;
			result = INSIDE
		:: else
		fi
	fi;
#ifdef ZERO_STEP
	if
	:: result == INSIDE ->
		lock_exclusive(tree, status, BUSY_TREE);
		if
		:: status == OK ->
			assert(entry[1] == MAPPED);
			tree.exclusive = false
		:: else ->
			inside[ODD(my_epoch)]--;
			result = AGAIN
		fi
	:: else
	fi;
#endif
	if
	:: result != INSIDE -> out()
	:: else
	fi
}

/* A fault on PAGE, handled without entering the guest in between. */
inline fault()
{
	do
	:: seen = invalidations;
	   if
	   :: PAGE == 0 && invalidating
	   :: else ->
		atomic { !writer -> readers++ };
		if
		:: PAGE == 0 && (invalidating || seen != invalidations) ->
			readers--
		:: else ->
			lock_shared(tree, status, BUSY_TREE);
			if
			:: status == OK ->
				lock_entry(PAGE, status);
				if
				:: status == OK ->
					assert(entry[PAGE] == FREE);
					store_entry(PAGE, PENDING, false)
				:: else
				fi;
				tree.shared--
			:: else
			fi;
			readers--;
			if
			:: status == OK -> break
			:: else
			fi
		fi
	   fi
	od
}

/* The guest's try: status OK, BUSY_ENTRY, or FAILED when it is no page. */
inline accept()
{
	atomic {
		if
		:: locked[PAGE] -> status = BUSY_ENTRY
		:: else -> locked[PAGE] = true; status = OK
		fi
	}
	if
	:: status == OK && host_waits[PAGE] ->
		locked[PAGE] = false;
		status = BUSY_ENTRY
	:: status == OK && !host_waits[PAGE] ->
		if
		:: entry[PAGE] == PENDING ->
			store_entry(PAGE, MAPPED, true)
		:: else ->
			status = FAILED
		fi;
		locked[PAGE] = false
	:: else
	fi
}

proctype vcpu()
{
	mtype status, result;
	byte my_epoch = FIRST, seen;
	bool done;

#ifdef ZERO_STEP
	result = AGAIN;
#else
	result = INSIDE;
#endif
	do
	:: done && result != INSIDE -> break
	:: done && result == INSIDE ->
		td_exit();
		result = AGAIN
	:: !done && result != INSIDE ->
		enter()
	:: !done && result == INSIDE && ipi ->
		td_exit();
		result = AGAIN
	:: !done && result == INSIDE && !ipi ->
#ifdef ZERO_STEP
		done = true
#else
		accept();
		if
		:: status == OK -> done = true
		:: status == FAILED ->
			td_exit();
			fault();
			result = AGAIN
		:: else
		fi
#endif
	od;
	ended++
}

/* -------------------------------------------------------- at the end */

proctype at_the_end()
{
	ended == 2;
	assert(!tree.exclusive && !tree.shared);
	assert(!epoch_lock.exclusive && !epoch_lock.shared);
	assert(!locked[0] && !locked[1]);
	assert(!inside[0] && !inside[1]);
	assert(!writer && !readers && !gate);
	assert(entry[0] == FREE || (PAGE == 0 && entry[0] == MAPPED));
	assert(entry[1] == (PAGE == 1 -> MAPPED : FREE))
}

/* Before: pages are there but not accepted; the vCPU is in the guest. */
init {
	atomic {
		entry[0] = PENDING;
#ifdef ZERO_STEP
		entry[1] = MAPPED;
#else
		entry[1] = FREE;
		inside[ODD(FIRST)]++;
		interrupts = false;
		guest_mode = true;
#endif
		run vcpu();
		run removal();
		run at_the_end()
	}
}
