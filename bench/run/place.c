/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/run/place.h"
#include "bench/run/sides.h"

static int open_journal(struct place *p, const struct sides *sides, bool resume,
			struct err *e)
{
	json_t *header = result_identity(sides);
	int status;

	if (!header)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (resume)
		status = journal_resume(&p->journal, p->path, header, e);
	else
		status = journal_create(&p->journal, p->path, header, e);
	json_decref(header);
	return status;
}

/*
 * results/NAME-DATE-N.json with the first N that neither a result nor the
 * journal of another run has.  Making the journal is what takes the name.
 */
static int open_default(struct place *p, const struct sides *sides,
			struct err *e)
{
	const char *name = sides_main(sides)->config.name;
	char date[16];
	time_t at = time(NULL);
	struct tm local;

	strftime(date, sizeof(date), "%Y%m%d", localtime_r(&at, &local));
	if (mkdir("results", 0777) && errno != EEXIST)
		return err_set(e, EXIT_FAILED, "results: %s", strerror(errno));
	for (int n = 1; n < 100000; n++) {
		free(p->path);
		if (asprintf(&p->path, "results/%s-%s-%d.json", name, date, n) <
		    0) {
			p->path = NULL;
			return err_set(e, EXIT_FAILED, "out of memory");
		}
		if (access(p->path, F_OK) == 0)
			continue;
		errno = 0;
		if (open_journal(p, sides, false, e) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return err_set(e, EXIT_FAILED, "%s: exists", p->path);
}

static int open_named(struct place *p, const struct sides *sides,
		      const char *path, bool resume, struct err *e)
{
	p->path = strdup(path);
	if (!p->path)
		return err_set(e, EXIT_FAILED, "out of memory");
	if (output_check(p->path, e))
		return -1;
	return open_journal(p, sides, resume, e);
}

int place_take(struct place *place, const struct sides *sides, const char *path,
	       bool resume, struct err *e)
{
	int status;

	*place = (struct place){.path = NULL};
	/* Having the journal is having the name: it comes first. */
	status = path ? open_named(place, sides, path, resume, e)
		      : open_default(place, sides, e);
	if (status == 0 && output_open(&place->output, place->path, e)) {
		journal_close(&place->journal, !resume);
		status = -1;
	}
	if (status)
		place_leave(place, false);
	return status;
}

int place_write(struct place *place, const struct result_top *top,
		struct err *e)
{
	FILE *f = place->output.file;

	journal_sort(&place->journal);
	if (!result_write(f, top, &place->journal) && !ferror(f))
		return err_set(e, EXIT_FAILED,
			       "%s: cannot be made from its journal: out of "
			       "memory, or the journal cannot be read",
			       place->path);
	return output_commit(&place->output, e);
}

void place_leave(struct place *place, bool done)
{
	output_abandon(&place->output);
	journal_close(&place->journal, done);
	free(place->path);
	*place = (struct place){.path = NULL};
}
