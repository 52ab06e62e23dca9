/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "bench/observe/counters.h"
#include "bench/result/encode.h"
#include "bench/result/metrics.h"
#include "bench/run/cell.h"
#include "bench/run/write.h"

static json_t *tool(void)
{
	return json_pack("{ssss}", "name", "tdmem", "version", TDMEM_VERSION);
}

json_t *result_costs(const struct costs *costs)
{
	return json_pack("{sosssO}", "path", json_bytes(costs->path), "column",
			 costs->column, "table", costs->root);
}

static json_t *encode_metric_table(const struct counters *counters)
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
	if (!counters || counters_metrics(counters, table) == 0)
		return table;
	json_decref(table);
	return NULL;
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
json_t *result_workloads(const struct config *config)
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
			json_pack("{sssssbsbso}", "operation",
				  cw->workload->operation, "summary",
				  cw->workload->summary, "modelled",
				  config->backend->modelled, "real_cpus",
				  config->backend->real_cpus, "knobs", knobs));
	}
	return all;
}

static json_t *base_identity(const struct side *base)
{
	if (!base->binary)
		return json_pack("{sOsoso}", "config", base->config.root,
				 "workloads", result_workloads(&base->config),
				 "costs", result_costs(&base->costs));
	return json_pack("{sOsosssoss}", "config", base->config.root, "binary",
			 json_bytes(base->binary), "version", base->version,
			 "costs", result_costs(&base->costs), "file",
			 base->fingerprint);
}

json_t *result_identity(const struct sides *sides)
{
	const struct side *side = sides_main(sides);
	json_t *all = json_pack(
		"{sssososOso}", "schema", JOURNAL_SCHEMA, "tool", tool(),
		"workloads", result_workloads(&side->config), "config",
		side->config.root, "costs", result_costs(&side->costs));

	if ((sides->n > 1 &&
	     json_object_set_new(all, "baseline",
				 base_identity(&sides->side[0]))) ||
	    (side->counters &&
	     json_object_set_new(all, "counters",
				 json_string(side->counters->list))) ||
	    (side->probe_text &&
	     json_object_set_new(all, "probe",
				 json_string(side->probe_text)))) {
		json_decref(all);
		return NULL;
	}
	return all;
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

static size_t same_cell(const struct journal *j, size_t from)
{
	size_t to = from;

	while (to < j->n && j->entry[to].item.cell == j->entry[from].item.cell)
		to++;
	return to - from;
}

static bool write_cells(FILE *f, const struct sides *sides,
			const struct journal *j)
{
	const char *separator = "\n";
	bool good = true;
	size_t n;

	fputs("\"cells\": [", f);
	for (size_t i = 0; good && i < j->n; i += n) {
		n = same_cell(j, i);
		fputs(separator, f);
		good = cell_write(f, sides, j, &j->entry[i], n) == 0;
		separator = ",\n";
	}
	fputs("\n]\n}\n", f);
	return good;
}

bool result_write(FILE *f, const struct result_top *top,
		  const struct journal *journal)
{
	const struct side *side = sides_main(top->sides);
	bool good = fputs("{\n", f) >= 0;

	good &= member(f, "schema", json_string("tdmem-result/1"));
	good &= member(f, "tool", tool());
	good &= member(f, "environment", json_incref(top->environment));
	good &= member(f, "config", json_incref(side->config.root));
	if (top->sides->n > 1)
		good &= member(f, "baseline", sides_baseline(top->sides));
	good &= member(f, "workloads", result_workloads(&side->config));
	good &= member(f, "costs", result_costs(&side->costs));
	good &= member(f, "metrics", encode_metric_table(side->counters));
	good &= member(f, "buckets", encode_bucket_scheme());
	if (top->companions)
		good &= member(f, "companions", json_incref(top->companions));
	good &= member(f, "partial", json_boolean(top->partial));
	return write_cells(f, top->sides, journal) && good;
}
