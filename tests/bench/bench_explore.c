/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Speed of tdmem explore: executions in a second of a small claim, everything
 * included, the making of a VM for each of them too.  Run in the project's
 * folder.
 */
#include <stdio.h>

#include "bench/explore/explore.h"

static const char *const claims[] = {"kick-once", "aug-remove-kvm",
				     "track-with-kick"};

static int run(const char *name)
{
	struct claim_answer answer;
	struct claim claim;
	char path[128];
	struct err e;

	snprintf(path, sizeof(path), "configs/explore/%s.json", name);
	if (claim_read(path, &claim, &e) || claim_search(&claim, &answer, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return -1;
	}
	printf("{\"name\": \"explore.%s\", \"unit\": \"1/s\", \"value\": %.0f, "
	       "\"executions\": %llu, \"steps_per_second\": %.0f, "
	       "\"seconds\": %.2f, \"complete\": %s}\n",
	       name, (double)answer.executions / answer.seconds,
	       (unsigned long long)answer.executions,
	       (double)answer.steps / answer.seconds, answer.seconds,
	       answer.complete ? "true" : "false");
	claim_answer_free(&answer);
	return 0;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++)
		if (run(claims[i]))
			return 1;
	return 0;
}
