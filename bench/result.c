/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/encode.h"
#include "bench/metrics.h"
#include "bench/result.h"

static json_t *tool(void)
{
	return json_pack("{ssss}", "name", "tdmem", "version", TDMEM_VERSION);
}

static json_t *encode_costs(const struct costs *costs)
{
	return json_pack("{sosssO}", "path", json_bytes(costs->path), "column",
			 costs->column, "table", costs->root);
}

static json_t *encode_metric_table(void)
{
	json_t *table = json_object();

	for (size_t i = 0; i < metric_count(); i++) {
		const struct metric *m = metric_at(i);

		json_object_set_new(
			table, m->name,
			json_pack("{sssssbss}", "unit", m->unit, "direction",
				  direction_name(m->direction), "histogram",
				  m->histogram, "help", m->help));
	}
	return table;
}

static json_t *encode_knob(const struct knob *k, int64_t value)
{
	switch (k->type) {
	case KNOB_BOOL:
		return json_boolean(value);
	case KNOB_CHOICE:
		return json_string(k->choices[value]);
	default:
		return json_integer(value);
	}
}

/* With all knobs: the defaults of this version may not be the next one's. */
static json_t *encode_workloads(const struct config *config)
{
	json_t *all = json_object();

	for (size_t i = 0; i < config->nworkloads; i++) {
		const struct config_workload *cw = &config->workloads[i];
		json_t *knobs = json_object();

		for (size_t k = 0; k < cw->nknobs; k++)
			json_object_set_new(knobs, cw->workload->knobs[k]->name,
					    encode_knob(cw->workload->knobs[k],
							cw->value[k]));
		json_object_set_new(
			all, cw->workload->name,
			json_pack("{sssssbso}", "operation",
				  cw->workload->operation, "summary",
				  cw->workload->summary, "modelled",
				  config->backend->modelled, "knobs", knobs));
	}
	return all;
}

json_t *result_identity(const struct config *config, const struct costs *costs)
{
	return json_pack("{sssososOso}", "schema", "tdmem-journal/1", "tool",
			 tool(), "workloads", encode_workloads(config),
			 "config", config->root, "costs", encode_costs(costs));
}

/* One member a line: people look into these files. */
static bool member(FILE *f, const char *name, json_t *value)
{
	bool good;

	fprintf(f, "\"%s\": ", name);
	good = value && json_dumpf(value, f, JSON_STYLE | JSON_ENCODE_ANY) == 0;
	fputs(",\n", f);
	json_decref(value);
	return good;
}

bool result_write(FILE *f, const struct result_top *top, char *const *cells,
		  size_t ncells)
{
	const char *separator = "\n";
	bool good = fputs("{\n", f) >= 0;

	good &= member(f, "schema", json_string("tdmem-result/1"));
	good &= member(f, "tool", tool());
	good &= member(f, "environment", json_incref(top->environment));
	good &= member(f, "config", json_incref(top->config->root));
	good &= member(f, "workloads", encode_workloads(top->config));
	good &= member(f, "costs", encode_costs(top->costs));
	good &= member(f, "metrics", encode_metric_table());
	good &= member(f, "buckets", encode_bucket_scheme());
	good &= member(f, "partial", json_boolean(top->partial));
	fputs("\"cells\": [", f);
	for (size_t i = 0; i < ncells; i++) {
		if (!cells[i])
			continue;
		fputs(separator, f);
		fputs(cells[i], f);
		separator = ",\n";
	}
	fputs("\n]\n}\n", f);
	return good;
}
