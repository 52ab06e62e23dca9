/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "bench/base/arena.h"
#include "bench/base/scan.h"
#include "bench/result/scan_hist.h"
#include "guest-agent/hist.h"

struct taker {
	struct samples_hist *hist;
	struct samples_bucket *room;
	unsigned int seen; /* bits: members that it must have */
};

/* "[31,7]" as results have it: the usual case, without looking for blanks. */
static bool take_plain(struct scan *s, uint64_t *index, uint64_t *count)
{
	const char *p = s->p;
	uint64_t i = 0, n = 0;

	if (*p++ != '[')
		return false;
	for (int k = 0; k < 9 && *p >= '0' && *p <= '9'; k++)
		i = i * 10 + (uint64_t)(*p++ - '0');
	if (p[-1] == '[' || *p++ != ',')
		return false;
	for (int k = 0; k < 18 && *p >= '0' && *p <= '9'; k++)
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p[-1] == ',' || *p++ != ']')
		return false;
	*index = i;
	*count = n;
	s->p = p;
	return true;
}

static bool take_any(struct scan *s, uint64_t *index, uint64_t *count)
{
	return scan_take(s, '[') && scan_count(s, index) && scan_take(s, ',') &&
	       scan_count(s, count) && scan_take(s, ']');
}

static bool take_bucket(void *ctx, struct scan *s)
{
	struct taker *t = ctx;
	size_t n = t->hist->n;
	uint64_t index, count;

	if (!take_plain(s, &index, &count) && !take_any(s, &index, &count))
		return false;
	if (index >= HIST_BUCKETS || count < 1 ||
	    (n && t->room[n - 1].index >= index))
		return false;
	t->room[t->hist->n++] = (struct samples_bucket){
		.index = (uint32_t)index,
		.count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count,
	};
	return true;
}

static bool take_member(void *ctx, struct scan *s, const char *name,
			size_t length)
{
	struct taker *t = ctx;
	const struct {
		const char *name;
		uint64_t *to;
	} counts[] = {{"count", &t->hist->count},
		      {"overflow", &t->hist->overflow},
		      {"min", &t->hist->min},
		      {"max", &t->hist->max}};

	for (unsigned int i = 0; i < 4; i++) {
		if (!scan_is(name, length, counts[i].name))
			continue;
		t->seen |= 1u << i;
		return scan_count(s, counts[i].to);
	}
	if (!scan_is(name, length, "buckets"))
		return scan_skip(s);
	t->seen |= 1u << 4;
	t->hist->n = 0;
	return scan_list(s, take_bucket, t);
}

enum scan_status scan_hist(struct scan *s, struct arena *arena,
			   struct samples_bucket *room,
			   struct samples_hist **hist)
{
	struct taker t = {.room = room};
	struct samples_bucket *copy;

	t.hist = arena_alloc(arena, 1, sizeof(*t.hist));
	if (!t.hist)
		return SCAN_NO_MEMORY;
	if (!scan_object(s, take_member, &t) || t.seen != 0x1f)
		return SCAN_BAD;
	copy = arena_alloc(arena, t.hist->n, sizeof(*copy));
	if (!copy)
		return SCAN_NO_MEMORY;
	memcpy(copy, room, t.hist->n * sizeof(*copy));
	t.hist->bucket = copy;
	*hist = t.hist;
	return SCAN_GOOD;
}
