/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/trend/dashboard_impl.h"

static int write_workloads(const struct site *site, struct err *e)
{
	for (size_t i = 0; i < site->workload.n; i++) {
		char *name = arena_print(site->arena, "workload-%s",
					 site->slug.v[i]);

		if (!name)
			return err_set(e, EXIT_FAILED, "out of memory");
		if (site_write_data(site, name, site_workload_json(site, i), e))
			return -1;
	}
	return 0;
}

static int write_runs(const struct site *site, struct err *e)
{
	for (size_t i = 0; i < site->trend->nruns; i++) {
		char *name =
			arena_print(site->arena, "run-%s", site->run_slug.v[i]);

		if (!name)
			return err_set(e, EXIT_FAILED, "out of memory");
		if (site_write_data(site, name, site_run_json(site, i), e))
			return -1;
	}
	return 0;
}

/*
 * The index comes last: a site that is read while it is written never names
 * a run whose file is not there.
 */
static int write_site(struct site *site, struct err *e)
{
	char *base;

	if (site_make_folders(site, e))
		return -1;
	base = site_base(site, e);
	if (!base || site_write_pages(site, e) || write_workloads(site, e) ||
	    write_runs(site, e))
		return -1;
	if (site_write_data(site, "series", site_series_json(site), e) ||
	    site_write_data(site, "overview", site_overview_json(site), e) ||
	    site_write_data(site, "index", site_index_json(site, base), e))
		return -1;
	return site_remove_old(site, e);
}

int dashboard_write(const struct trend *trend, const char *dir, const char *out,
		    struct err *e)
{
	struct site site;
	int status;

	if (site_init(&site, trend, dir, out))
		status = err_set(e, EXIT_FAILED, "out of memory");
	else
		status = write_site(&site, e);
	site_free(&site);
	return status;
}
