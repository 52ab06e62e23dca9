/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>

#include "bench/validate/validate.h"

extern const struct validate_group validate_analytic, validate_published,
	validate_threads;

const struct validate_group *const validate_groups[] = {
	&validate_analytic,
	&validate_published,
	&validate_threads,
	NULL,
};

const char *agreement_name(enum agreement verdict)
{
	static const char *const names[NR_AGREEMENTS] = {"ok", "off", "unclear",
							 "none"};

	return names[verdict];
}

void validation_free(struct validation *v)
{
	free(v->check);
	*v = (struct validation){0};
}

static double ratio_of(const struct check *c)
{
	double nearest = fmin(fmax(c->here, c->low), c->high);

	if (nearest == c->here)
		return 1;
	return nearest > 0 ? c->here / nearest : (double)NAN;
}

static enum agreement judge(const struct check *c)
{
	if (isnan(c->here))
		return AGREES_NONE;
	if (c->error > VALIDATE_MAX_ERROR * c->high)
		return AGREES_UNCLEAR;
	return c->here + c->error >= c->low * c->down &&
			       c->here - c->error <= c->high * c->up
		       ? AGREES_OK
		       : AGREES_OFF;
}

void validation_add(struct validation *v, const struct check *check)
{
	struct check *c;

	if (v->n == v->room) {
		size_t room = v->room ? 2 * v->room : 16;

		c = realloc(v->check, room * sizeof(*c));
		if (!c) {
			v->failed = true;
			return;
		}
		v->check = c;
		v->room = room;
	}
	c = &v->check[v->n++];
	*c = *check;
	c->verdict = judge(c);
	c->ratio = c->verdict == AGREES_NONE ? (double)NAN : ratio_of(c);
}

size_t validation_count(const struct validation *v, enum agreement verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->check[i].verdict == verdict;
	return n;
}
