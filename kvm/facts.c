/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "bench/result/encode.h"
#include "kvm/facts.h"

#define MODULES "/sys/module"

/* By KVM_X86_..._VM. */
static const char *const vm_names[] = {
	"KVM_X86_DEFAULT_VM", "KVM_X86_SW_PROTECTED_VM", "KVM_X86_SEV_VM",
	"KVM_X86_SEV_ES_VM",  "KVM_X86_SNP_VM",		 "KVM_X86_TDX_VM",
};

/* Of the TDX module, where the kernel tells it (Linux 7.3). */
static const struct {
	const char *key, *path;
} versions[] = {
	{"tdx_module", "/sys/devices/faux/tdx_host/version"},
	{"seamldr", "/sys/devices/faux/tdx_host/seamldr_version"},
};

/* The first line of a file, if it can be read. */
static void add_line(json_t *object, const char *key, const char *path)
{
	char line[200] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	if (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		json_object_set_new(object, key, json_bytes(line));
	}
	fclose(f);
}

static void add_module(json_t *object, const char *module)
{
	char path[640], key[320];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), MODULES "/%.60s/parameters", module);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), MODULES "/%.60s/parameters/%s",
			 module, entry->d_name);
		snprintf(key, sizeof(key), "%.60s.%s", module, entry->d_name);
		add_line(object, key, path);
	}
	if (dir)
		closedir(dir);
}

static json_t *parameters(void)
{
	json_t *object = json_object();
	DIR *dir = opendir(MODULES);
	struct dirent *entry;

	while (object && dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "kvm", 3) == 0)
			add_module(object, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return object;
}

json_t *kvm_facts(const struct memory_kind *kind)
{
	json_t *facts =
		json_pack("{ssssso}", "vm", vm_names[kind->vm_type], "memory",
			  kind->name, "parameters", parameters());
	size_t i;

	for (i = 0; facts && i < sizeof(versions) / sizeof(*versions); i++)
		add_line(facts, versions[i].key, versions[i].path);
	return facts;
}
