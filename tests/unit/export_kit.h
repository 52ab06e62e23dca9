/* SPDX-License-Identifier: GPL-2.0-only */
/* A small result with hostile names, and what a format makes of it. */
#ifndef TDMEM_TESTS_UNIT_EXPORT_KIT_H
#define TDMEM_TESTS_UNIT_EXPORT_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/export/export.h"

/* Buckets below 1024 are the values themselves. */
#define KIT_HIST(a, b)                                                         \
	"{\"count\":2,\"overflow\":0,\"min\":" #a ",\"max\":" #b               \
	",\"buckets\":[[" #a ",1],[" #b ",1]]}"

#define KIT_CELL(workload, policy, status, reason, repeats)                    \
	"{\"axes\":{\"workload\":\"" workload "\",\"policy\":" policy          \
	",\"vcpus\":2,\"where\":\"a,b\"},\"status\":\"" status                 \
	"\",\"reason\":\"" reason "\",\"notes\":[],\"repeats\":[" repeats "]}"

#define KIT_REPEAT(seed, metrics, hists)                                       \
	"{\"seed\":" #seed ",\"status\":\"ok\",\"metrics\":{" metrics          \
	"},\"histograms\":{" hists "}}"

/* The config's name and a policy hold all that may do harm. */
#define KIT_HOSTILE "q\\\"u\\\\o\\n\\r\\t\\u001b[2Jt\\u2028e\\u202e\xc3\xa9"

#define KIT_TOP                                                                \
	"{\"schema\":\"tdmem-result/1\","                                      \
	"\"tool\":{\"name\":\"tdmem\",\"version\":\"0.1\"},"                   \
	"\"environment\":{},\"config\":{\"name\":\"" KIT_HOSTILE "\","         \
	"\"axes\":{\"policy\":[],\"vcpus\":[],\"where\":[]}},"                 \
	"\"workloads\":{\"track\":{\"operation\":\"track\","                   \
	"\"modelled\":true},\"live\":{\"operation\":\"track\","                \
	"\"modelled\":false}},\"costs\":{},\"partial\":false,"                 \
	"\"metrics\":{"                                                        \
	"\"track.rate\":{\"unit\":\"1/s\",\"direction\":\"higher\","           \
	"\"histogram\":false,\"help\":\"done: \\\"all\\\"\\n\"},"              \
	"\"track.latency\":{\"unit\":\"ns\",\"direction\":\"lower\","          \
	"\"histogram\":true,\"help\":\"time of one\"},"                        \
	"\"kicks.rounds\":{\"unit\":\"rounds\",\"direction\":\"lower\","       \
	"\"histogram\":false,\"help\":\"rounds\"},"                            \
	"\"run.events\":{\"unit\":\"events\",\"direction\":\"none\","          \
	"\"histogram\":false,\"help\":\"steps\"}},\"cells\":["

#define KIT_CELLS                                                              \
	KIT_CELL("track", "\"spin\"", "ok", "",                                \
		 KIT_REPEAT(                                                   \
			 7, "\"track.rate\":1.5,\"kicks.rounds\":0",           \
			 "\"track.latency\":" KIT_HIST(                        \
				 100,                                          \
				 300)) "," KIT_REPEAT(8, "\"track.rate\":2.5", \
						      "\"track."               \
						      "latency\":" KIT_HIST(   \
							      200, 400)))      \
	",\n" KIT_CELL(                                                        \
		"live", "\"" KIT_HOSTILE "\"", "ok", "",                       \
		KIT_REPEAT(                                                    \
			9, "\"track.rate\":3",                                 \
			"")) ",\n" KIT_CELL("track", "{\"fault\":\"eagain\"}", \
					    "unsupported", "no\\nCPUs # left", \
					    "") ",\n" KIT_CELL("track",        \
							       "\"=cmd()\"",   \
							       "vm-bugged",    \
							       KIT_HOSTILE,    \
							       KIT_REPEAT(-1,  \
									  "",  \
									  ""))

#define KIT_RESULT KIT_TOP KIT_CELLS "]}\n"

struct kit {
	struct export_request request;
	struct err e;
	char path[32];
	char *text;
	size_t size;
	int status;
};

static inline const struct export_format *kit_format(const char *name)
{
	for (size_t i = 0; export_formats[i]; i++)
		if (strcmp(export_formats[i]->name, name) == 0)
			return export_formats[i];
	return NULL;
}

/* What a format makes of a result; kit_end() frees it. */
static inline void kit_run(struct kit *kit, const char *format,
			   const char *result)
{
	FILE *f;
	int fd;

	strcpy(kit->path, "/tmp/tdmem-test-XXXXXX");
	fd = mkstemp(kit->path);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		abort();
	fputs(result, f);
	fclose(f);
	kit->e.text[0] = '\0';
	kit->request.path = kit->path;
	kit->request.out = open_memstream(&kit->text, &kit->size);
	kit->status = kit_format(format)->function(&kit->request, &kit->e);
	fclose(kit->request.out);
}

static inline void kit_end(struct kit *kit)
{
	unlink(kit->path);
	free(kit->text);
}

#endif
