/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sim/sim.h"

#define GIB (1ull << 30)

/* A TD's control pages: TDR, TDCX, and TDVPR and TDCX of each vCPU. */
#define TD_PAGES   (1ull + TDX_TDCS_PAGES)
#define VCPU_PAGES (1ull + TDX_TDVPS_PAGES)

/*
 * The modelled platform: room for 64 TDs' keys beside the module's, and 45
 * bits of memory.
 */
enum { MAX_PA = 52, HKID_BITS = 7, MODULE_HKID = 32 };

/* -------------------------------------------------- coming to an end */

static void set_flag(struct sim_thread *t, struct sim_flag *flag)
{
	line_store32(t->kvm.strand, &flag->line, &flag->value, 1);
}

void sim_give_up(struct sim_thread *t)
{
	struct sim *sim = t->sim;
	u32 i;

	if (__atomic_exchange_n(&sim->gone, 1, __ATOMIC_SEQ_CST))
		return;
	set_flag(t, &sim->stop);
	for (i = 0; i < sim->scenario->tds; i++)
		set_flag(t, &sim->td[i].runnable);
	for (i = 0; i < sim->nbarriers; i++)
		set_flag(t, &sim->barrier[i].open);
}

void sim_fail(struct sim_thread *t, const char *format, ...)
{
	struct sim *sim = t->sim;
	va_list args;
	int n;

	if (!__atomic_exchange_n(&sim->failed, 1, __ATOMIC_SEQ_CST)) {
		n = snprintf(sim->failure, sizeof(sim->failure),
			     "%s %u: ", t->worker ? "host thread" : "vCPU",
			     t->index);
		va_start(args, format);
		vsnprintf(sim->failure + n, sizeof(sim->failure) - (size_t)n,
			  format, args);
		va_end(args);
	}
	sim_give_up(t);
}

static struct sim_td *bugged_td(const struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->scenario->tds; i++) {
		if (sim->td[i].vm && kvm_vm_bugged(sim->td[i].vm))
			return &sim->td[i];
	}
	return NULL;
}

void sim_host_error(struct sim_thread *t, const char *what, int error)
{
	if (error == -EIO && bugged_td(t->sim))
		sim_give_up(t);
	else
		sim_fail(t, "%s: %s", what, strerror(-error));
}

u64 sim_slice_ps(const struct sim *sim)
{
	u64 ns = sim->setup->livelock_ns;

	return ns > 1 ? ns / 2 * PS_PER_NS : UINT64_MAX;
}

struct sim_barrier *sim_arrive(struct sim_thread *t, u64 id)
{
	struct sim_barrier *barrier;
	u32 before;

	if (id >= t->sim->nbarriers) {
		sim_fail(t, "there is no barrier %llu", (unsigned long long)id);
		return NULL;
	}
	barrier = &t->sim->barrier[id];
	sim_watch_delay(t);
	before = line_xadd32(t->kvm.strand, &barrier->arrived.line,
			     &barrier->arrived.value, 1);
	if (before + 1 != barrier->expected)
		return barrier;
	if (id == 0)
		sim_window_open(t);
	set_flag(t, &barrier->open);
	return barrier;
}

/* ----------------------------------------------------------- the strands */

static bool build_td(struct sim_thread *t, struct sim_td *td)
{
	const struct scenario *s = t->sim->scenario;
	const struct cell_setup *setup = t->sim->setup;
	struct kvm_vm_config config = {
		.vcpus = s->vcpus,
		.pages = s->pages,
		.max_level = s->huge ? LEVEL_2M : LEVEL_4K,
		.params = {.gpaw = 48, .pending_ve_disable = s->ve_disable},
		.policy = setup->policy,
		.retry_limit = setup->retry_limit,
		.clear_removed = setup->clear_removed,
	};
	int error;

	td->vm = kvm_create_vm(t->sim->host, &t->kvm, &config);
	if (!td->vm) {
		sim_fail(t, "no memory or no key for a TD");
		return false;
	}
	if (!s->finalized)
		return true;
	error = kvm_finalize(&t->kvm, td->vm);
	if (error)
		sim_host_error(t, "KVM_TDX_FINALIZE_VM", error);
	else
		set_flag(t, &td->runnable);
	return !error;
}

/* One strand builds all TDs while the others wait. */
static void build_or_wait(struct sim_thread *t)
{
	struct sim *sim = t->sim;
	u32 builder = sim->scenario->hosts ? sim->nthreads - 1 : 0;
	u32 i;

	if (t != &sim->thread[builder]) {
		sim_wait(t, &sim->ready, 0);
		return;
	}
	account(&t->kvm, WHERE_KVM);
	for (i = 0; i < sim->scenario->tds; i++) {
		if (!build_td(t, &sim->td[i]))
			break;
	}
	account(&t->kvm, WHERE_IDLE);
	set_flag(t, &sim->ready);
}

static void run_vcpu(struct sim_thread *t, const struct agent_script *script)
{
	struct sim_td *td = &t->sim->td[t->td];
	enum agent_result r;
	int error;

	sim_wait(t, &td->runnable, 0);
	if (sim_gone(t->sim))
		return;
	t->vcpu = kvm_vcpu(td->vm, t->index);
	error = kvm_vcpu_start(&t->kvm, t->vcpu);
	if (error) {
		sim_host_error(t, "KVM_RUN", error);
		return;
	}
	r = sim_agent_run(t, script);
	if (r == AGENT_MISMATCH)
		sim_fail(t, "its script is none that the agent can execute");
	if (r != AGENT_STOP)
		kvm_vcpu_finish(t->vcpu);
}

static void strand_main(struct strand *s, void *arg)
{
	struct sim_thread *t = arg;
	struct sim *sim = t->sim;
	const struct topology *topology = sim->setup->topology;
	size_t i = (size_t)(t - sim->thread);

	t->kvm.strand = s;
	if (sim->world->concurrent)
		sim_hists_touch(&t->hists);
	if (sim->world->concurrent && sim->setup->counters)
		counting_open(&t->counting, sim->setup->counters);
	/* Strands that share a CPU are processors of their own to the model. */
	lp_init(&t->kvm.lp, sim->module, s, s->cpu,
		topology->cpu[s->cpu % topology->ncpus].package);
	build_or_wait(t);
	if (t->worker) {
		if (!sim_gone(sim))
			sim_host_run(t, &sim->scenario->host[t->index]);
		return;
	}
	if (!sim_gone(sim) && sim->scenario->vcpu[i].n)
		run_vcpu(t, &sim->scenario->vcpu[i]);
	line_xadd32(s, &sim->td[t->td].left.line, &sim->td[t->td].left.value,
		    1);
}

/* ------------------------------------------------------------- the world */

static u64 memory_bytes(const struct scenario *s)
{
	u64 tables = s->pages / 256 + 16;
	u64 pages = s->pages + tables + TD_PAGES + s->vcpus * VCPU_PAGES;

	/* and room to align 2M pages in */
	return ((s->tds * pages << 12) / GIB + 2) * GIB;
}

static bool make_module(struct sim *sim)
{
	const struct cell_setup *setup = sim->setup;
	struct tdx_platform platform = tdx_platform_default;
	struct kvm_host_config config = {
		.costs = setup->costs->kvm,
		.memory = HPA(GIB),
		.memory_bytes = memory_bytes(sim->scenario),
		.first_hkid = MODULE_HKID + 1,
		.hkids = sim->scenario->tds,
	};

	platform.max_pa = MAX_PA;
	platform.hkid_bits = HKID_BITS;
	platform.first_private_hkid = MODULE_HKID;
	platform.packages = setup->topology->npackages;
	sim->module = tdx_module_create(&platform, &setup->costs->tdx);
	if (!sim->module || tdx_module_add_tdmr(sim->module, config.memory,
						config.memory_bytes))
		return false;
	config.module = sim->module;
	sim->host = kvm_host_create(&config);
	return sim->host;
}

static bool make_machine(struct sim *sim)
{
	u32 i;

	sim->machine = sim->world->make_machine(sim);
	if (!sim->machine)
		return false;
	for (i = 0; i < sim->nthreads; i++) {
		if (!machine_strand(sim->machine, i, strand_main,
				    &sim->thread[i]))
			return false;
	}
	return true;
}

/* Zeroed, and aligned as cache lines are. */
static void *lines_alloc(size_t n, size_t size)
{
	void *memory = aligned_alloc(64, n * size);

	if (memory)
		memset(memory, 0, n * size);
	return memory;
}

static bool make_threads(struct sim *sim)
{
	const struct scenario *s = sim->scenario;
	u32 vcpus = s->tds * s->vcpus, i;

	sim->thread = lines_alloc(sim->nthreads, sizeof(*sim->thread));
	sim->td = lines_alloc(s->tds, sizeof(*sim->td));
	if (!sim->thread || !sim->td)
		return false;
	for (i = 0; i < sim->nthreads; i++) {
		struct sim_thread *t = &sim->thread[i];

		t->sim = sim;
		t->worker = i >= vcpus;
		t->td = t->worker ? 0 : i / s->vcpus;
		t->index = t->worker ? i - vcpus : i % s->vcpus;
		t->kvm.observer = &sim_observer;
		t->kvm.observer_ctx = &t->rec;
		t->kvm.where = WHERE_IDLE;
		t->rec.hists = &sim->hists;
		if (sim->world->concurrent) {
			t->rec.hists = &t->hists;
			if (!sim_hists_make(&t->hists))
				return false;
		}
		if (!t->worker)
			continue;
		t->loops = calloc(s->host[t->index].n + 1, sizeof(*t->loops));
		if (!t->loops)
			return false;
	}
	return true;
}

/* Calls fn for each barrier that a script has. */
static void each_barrier(struct sim *sim, void (*fn)(struct sim *, u64 id))
{
	const struct scenario *s = sim->scenario;
	u32 i, k;

	for (i = 0; i < s->tds * s->vcpus; i++) {
		for (k = 0; k < s->vcpu[i].n; k++) {
			if (s->vcpu[i].op[k].opcode == AGENT_BARRIER)
				fn(sim, s->vcpu[i].op[k].arg);
		}
	}
	for (i = 0; i < s->hosts; i++) {
		for (k = 0; k < s->host[i].n; k++) {
			if (s->host[i].op[k].opcode == HOST_BARRIER)
				fn(sim, s->host[i].op[k].arg);
		}
	}
}

/* Ids are dense from 0, so there are fewer of them than operations. */
static void count_barrier(struct sim *sim, u64 id)
{
	if (id >= sim->nbarriers && id < UINT16_MAX)
		sim->nbarriers = (u32)id + 1;
}

static void expect_one(struct sim *sim, u64 id)
{
	if (id < sim->nbarriers)
		sim->barrier[id].expected++;
}

static bool make_barriers(struct sim *sim)
{
	each_barrier(sim, count_barrier);
	sim->barrier =
		lines_alloc(sim->nbarriers + 1ull, sizeof(*sim->barrier));
	if (!sim->barrier)
		return false;
	each_barrier(sim, expect_one);
	return true;
}

static void destroy(struct sim *sim)
{
	u32 i;

	for (i = 0; sim->td && i < sim->scenario->tds; i++) {
		if (sim->td[i].vm)
			kvm_free_vm(sim->td[i].vm);
	}
	if (sim->host)
		kvm_host_destroy(sim->host);
	if (sim->module)
		tdx_module_destroy(sim->module);
	machine_destroy(sim->machine);
	for (i = 0; sim->thread && i < sim->nthreads; i++) {
		free(sim->thread[i].loops);
		sim_hists_free(&sim->thread[i].hists);
		counting_close(&sim->thread[i].counting);
	}
	free(sim->thread);
	free(sim->td);
	free(sim->barrier);
	free(sim);
}

/* --------------------------------------------------------------- the run */

void sim_end_as(struct sample *sample, enum cell_status status,
		const char *format, ...)
{
	va_list args;

	sample->status = status;
	va_start(args, format);
	vsnprintf(sample->reason, sizeof(sample->reason), format, args);
	va_end(args);
}

static void set_status(const struct sim *sim, enum machine_end end,
		       struct sample *sample)
{
	static const enum cell_status statuses[] = {
		[MACHINE_DONE] = CELL_OK,
		[MACHINE_LIVELOCK] = CELL_LIVELOCK,
		[MACHINE_DEADLOCK] = CELL_FAILED,
		[MACHINE_HALTED] = CELL_FAILED,
		[MACHINE_TIMEOUT] = CELL_TIMEOUT,
		[MACHINE_STOPPED] = CELL_STOPPED,
	};
	struct sim_td *bugged = bugged_td(sim);

	if (end != MACHINE_DONE)
		sim_end_as(sample, statuses[end], "%s",
			   machine_reason(sim->machine));
	else if (sim->failure[0])
		sim_end_as(sample, CELL_FAILED, "%s", sim->failure);
	else if (bugged)
		sim_end_as(sample, CELL_VM_BUGGED, "%s",
			   kvm_vm_bug(bugged->vm));
	else
		sim_end_as(sample, CELL_OK, "%s", "");
}

int sim_execute(const struct sim_world *world, const struct scenario *scenario,
		const struct cell_setup *setup, struct sample *sample,
		struct err *err, struct sim_memory *memory)
{
	struct sim *sim = lines_alloc(1, sizeof(*sim));
	bool made;

	if (!sim)
		return err_set(err, EXIT_FAILED, "%s: out of memory",
			       world->name);
	sim->world = world;
	sim->scenario = scenario;
	sim->setup = setup;
	sim->hists.sample = sample;
	sim->nthreads = scenario_threads(scenario);
	if (!world->fits(sim, sample)) {
		destroy(sim);
		return 0;
	}
	made = make_threads(sim) && make_barriers(sim) && make_module(sim) &&
	       make_machine(sim);
	if (made) {
		sim_window_init(sim);
		set_status(sim, machine_run(sim->machine), sample);
		sim_window_close(sim);
		sim_fill_sample(sim, sample);
		if (memory)
			*memory = (struct sim_memory){
				tdx_module_memory(sim->module),
				kvm_host_memory(sim->host)};
	}
	if (!made || sim->hists.failed)
		err_set(err, EXIT_FAILED, "%s: out of memory", world->name);
	made = made && !sim->hists.failed;
	destroy(sim);
	return made ? 0 : -1;
}
