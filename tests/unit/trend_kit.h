/* SPDX-License-Identifier: GPL-2.0-only */
/* Small results in a folder of their own. */
#ifndef TDMEM_TESTS_TREND_KIT_H
#define TDMEM_TESTS_TREND_KIT_H

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One cell: three repeats of a rate, or how it failed; no latencies. */
struct kit_cell {
	const char *policy;
	double rate;
	double latency;	    /* ns, of one value a repeat; 0: none */
	const char *status; /* NULL: "ok" */
};

struct kit_result {
	int night; /* since 2026-01-01: the time, commit and name */
	const char *host, *config;
	bool measured;
	const struct kit_cell *cell;
	size_t ncells;
};

static inline void kit_folder(char path[64])
{
	strcpy(path, "/tmp/tdmem-trend-XXXXXX");
	if (!mkdtemp(path))
		abort();
}

static inline int kit_remove_one(const char *path, const struct stat *st,
				 int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void kit_remove(const char *path)
{
	nftw(path, kit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void kit_repeat(FILE *f, const struct kit_cell *c, int i)
{
	static const double factor[] = {1, 0.98, 1.01};
	const char *status = c->status ? c->status : "ok";
	int index = (int)(c->latency < 1024 ? c->latency : 1023);

	fprintf(f, "%s{\"seed\":%d,\"status\":\"%s\",\"metrics\":{",
		i ? "," : "", i, status);
	if (c->rate > 0)
		fprintf(f, "\"removal.rate\":%.17g", c->rate * factor[i]);
	fputs("},\"histograms\":{", f);
	if (c->latency > 0)
		fprintf(f,
			"\"removal.latency\":{\"count\":1,\"overflow\":0,"
			"\"min\":%d,\"max\":%d,\"buckets\":[[%d,1]]}",
			index, index, index);
	fputs("}}", f);
}

static inline void kit_top(FILE *f, const struct kit_result *r)
{
	fprintf(f,
		"{\"schema\":\"tdmem-result/1\",\n"
		"\"tool\":{\"name\":\"tdmem\",\"version\":\"0.1\"},\n"
		"\"environment\":{\"time\":\"2026-%02d-%02dT02:00:00Z\","
		"\"host\":\"%s\",\"kernel\":\"Linux 6.%d\",\"command\":[],"
		"\"tags\":{\"commit\":\"c%d\"}},\n"
		"\"config\":{\"name\":\"%s\"},\n"
		"\"workloads\":{\"block-remove\":{\"operation\":\"removal\","
		"\"summary\":\"\",\"modelled\":%s,\"knobs\":{}}},\n"
		"\"costs\":{\"path\":\"c.json\",\"column\":\"typ\",\"table\":"
		"{\"name\":\"SPR\"}},\n"
		"\"metrics\":{\"removal.rate\":{\"unit\":\"1/s\",\"direction\":"
		"\"higher\",\"histogram\":false,\"help\":\"\"},"
		"\"removal.latency\":{\"unit\":\"ns\",\"direction\":\"lower\","
		"\"histogram\":true,\"help\":\"\"}},\n"
		"\"buckets\":{\"kind\":\"log-linear\",\"sub_bits\":9,"
		"\"max_bits\":40},\n\"partial\":false,\n\"cells\":[\n",
		r->night / 28 + 1, r->night % 28 + 1,
		r->host ? r->host : "here", r->night / 10, r->night,
		r->config ? r->config : "kit", r->measured ? "false" : "true");
}

/* Nothing is younger than it looks: files are of the year 2001. */
static inline void kit_age(const char *path, int night)
{
	const struct timespec times[] = {{1000000000 + night, 0},
					 {1000000000 + night, 0}};

	if (utimensat(AT_FDCWD, path, times, 0))
		abort();
}

static inline void kit_write(const char *dir, const struct kit_result *r)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/night-%03d.json", dir, r->night);
	f = fopen(path, "w");
	if (!f)
		abort();
	kit_top(f, r);
	for (size_t i = 0; i < r->ncells; i++) {
		const struct kit_cell *c = &r->cell[i];

		fprintf(f,
			"%s{\"axes\":{\"workload\":\"block-remove\","
			"\"policy\":\"%s\",\"vcpus\":8},\"status\":\"%s\","
			"\"reason\":\"\",\"notes\":[],\"repeats\":[",
			i ? ",\n" : "", c->policy,
			c->status ? c->status : "ok");
		for (int k = 0; k < 3; k++)
			kit_repeat(f, c, k);
		fputs("]}", f);
	}
	fputs("\n]}\n", f);
	if (fclose(f))
		abort();
	kit_age(path, r->night);
}

/* Some text as a file, as old as the others. */
static inline void kit_text(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
	kit_age(path, 0);
}

#endif
