# SPDX-License-Identifier: GPL-2.0-only
#
# make            build ./tdmem
# make run        install what is missing, build, run configs/quick.json
# make check      install what is missing, build, run all tests; with
#                 SANITIZE=address,undefined under the sanitizers
# make check-kvm  those that boot a kernel with a real /dev/kvm, which make
#                 check has too; TDMEM_RIG_KERNEL names a kernel that has
#                 software-protected VMs, by default one that lies in ../shared/rig
# make nightly-demo  60 nights on the model, and the dashboard of them
# make bench      speed of the model and of the commands on results, as JSON
# make check-demand-paging  fault-in beside the kernel's own test, in the rig
# make soak       the threads backend under the thread sanitizer, 10 minutes
# make trials     how often comparisons of runs on real CPUs are wrong, 15 minutes
# make install    program, manual pages, configs, schemas and documents below
#                 $(DESTDIR)$(prefix), which is /usr/local
# V=1 shows the commands; CC=clang, SANITIZE=address,undefined, O=build-dir.

CC	?= gcc
ifeq ($(origin CC),default)
CC	:= gcc
endif
O	?= build
DEPS	:= contrib/install-packages.sh

WARN	:= -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	   -Wmissing-prototypes -Wvla
CFLAGS	?= -O2 -g
comma	:= ,
ifdef SANITIZE
O	:= build/$(subst $(comma),-,$(SANITIZE))
SANFLAGS := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer
endif
VERSION	:= 0.1

PACKAGES := jansson hwloc libutf8proc zlib
LIBS	:= $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lpfm -lm -lpthread
LIBCFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
ALL_CFLAGS = -std=gnu11 -I. $(WARN) $(LIBCFLAGS) \
	   -DTDMEM_VERSION='"$(VERSION)"' $(CFLAGS) $(SANFLAGS)

# The dashboard's chart library is built into the program when it is here.
DYGRAPHS ?= /usr/share/javascript/dygraphs
DYGRAPHS_LICENCE ?= /usr/share/doc/libjs-dygraphs/copyright
ifneq ($(and $(wildcard $(DYGRAPHS)/dygraph.min.js),\
	$(wildcard $(DYGRAPHS)/dygraph.min.css),$(wildcard $(DYGRAPHS_LICENCE))),)
BLOBFLAGS := -DDYGRAPHS_JS='"$(DYGRAPHS)/dygraph.min.js"' \
	   -DDYGRAPHS_CSS='"$(DYGRAPHS)/dygraph.min.css"' \
	   -DDYGRAPHS_LICENCE='"$(DYGRAPHS_LICENCE)"'
BLOBS	:= $(DYGRAPHS)/dygraph.min.js $(DYGRAPHS)/dygraph.min.css
endif
BLOBS	+= $(wildcard dashboard/*)

# The probe's BPF program is compiled by clang and loaded by libbpf; without
# them, or with BPF=no, the program says that it was built without.
BPF_CLANG ?= clang
BPF	?= $(shell pkg-config --exists libbpf 2>/dev/null && \
	   $(BPF_CLANG) --print-targets 2>/dev/null | grep -qw bpf && echo yes)
ifeq ($(BPF),yes)
LIBS	:= $(shell pkg-config --libs libbpf) $(LIBS)
NOT_BUILT := kvm/probe/no_bpf.c
else
NOT_BUILT := kvm/probe/bpf.c kvm/probe/bpf_names.c kvm/probe/object.S
endif
NOT_BUILT += $(wildcard kvm/probe/*.bpf.c)

ROOMS	:= bench $(patsubst %/,%,$(wildcard bench/*/)) workloads guest-agent model/machine \
	   model/module model/host kvm kvm/probe
SRC	:= $(filter-out $(NOT_BUILT),$(foreach r,$(ROOMS),$(wildcard $(r)/*.c)))
ASM	:= $(filter-out $(NOT_BUILT),$(foreach r,$(ROOMS),$(wildcard $(r)/*.S)))
MAIN	:= bench/tdmem.c
LIBOBJ	:= $(patsubst %.c,$(O)/%.o,$(filter-out $(MAIN),$(SRC))) \
	   $(patsubst %.S,$(O)/%.o,$(ASM))
LIB	:= $(O)/libtdmem.a
UNIT	:= $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
# Debian's kernels are built without software-protected VMs.
TDMEM_RIG_KERNEL ?= $(abspath $(firstword $(wildcard \
	../shared/rig/bzImage-*-swprot)))
export TDMEM_RIG_KERNEL

SCRIPTS	:= $(filter-out tests/cli/lib.sh,$(wildcard tests/cli/*.sh))
ifdef SANITIZE
# Those that feed the program; the others start browsers and other programs,
# count what does not depend on the build, or build something of their own.
SCRIPTS	:= $(patsubst %,tests/cli/%.sh,baseline claims cli companions compare \
	   counters export hostile plot repeats streams threads trend without)
endif
BENCH	:= $(patsubst %.c,$(O)/%,$(wildcard tests/bench/bench_*.c))
CLANG_O	:= build/clang
TESTOBJ	:= $(patsubst %.c,$(O)/%.o,$(filter-out $(wildcard tests/unit/test_*.c), \
	   $(wildcard tests/unit/*.c)))

ifeq ($(V),1)
Q	:=
say	= @:
else
Q	:= @
say	= @printf '  %-7s %s\n' $(1) $(2) >&2
endif

prefix	?= /usr/local
bindir	?= $(prefix)/bin
datadir	?= $(prefix)/share
mandir	?= $(datadir)/man
docdir	?= $(datadir)/doc/tdmem
INSTALL	?= install

.PHONY: all man install run check check-kvm check-demand-paging unit test-warnings bench soak trials nightly-demo clean deps print-libs
.SECONDARY: $(TESTOBJ) $(UNIT:=.o) $(BENCH:=.o)

all: tdmem

# The program is linked into $(O) and copied out when that is the default.
tdmem: $(O)/tdmem
	$(Q)[ "$(O)" != build ] || cp $(O)/tdmem $@

$(O)/tdmem: $(O)/bench/tdmem.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The guest agent of VMs: freestanding, the same bytes from every build.
AGENT_CFLAGS := -std=gnu11 -I. $(WARN) -O2 -ffreestanding -fpie \
	   -fvisibility=hidden -fno-stack-protector -fcf-protection=none \
	   -fno-asynchronous-unwind-tables -mno-red-zone -mgeneral-regs-only
AGENT	:= $(O)/guest-agent/image
AGENT_C	:= $(patsubst %,$(AGENT)/%.o,main check gates world_vm world_td)
AGENT_OBJ := $(AGENT)/entry.o $(AGENT_C) $(AGENT)/agent.o $(AGENT)/td.o
# In its place in tests, linked with its entry, or all of it but one world.
HOSTILE	:= $(O)/tests/guest/hostile
PENDING	:= $(O)/tests/guest/pending
PENDING_OBJ := $(PENDING).o $(PENDING)_main.o $(filter-out %/main.o \
	   %/world_vm.o,$(AGENT_OBJ))

$(AGENT)/entry.o: guest-agent/image/entry.S
$(AGENT)/agent.o: guest-agent/agent.c
$(AGENT)/td.o: guest-agent/td.c
$(AGENT_C): $(AGENT)/%.o: guest-agent/image/%.c
$(HOSTILE).o: tests/guest/hostile.c
$(PENDING).o: tests/guest/pending.c
$(PENDING)_main.o: guest-agent/image/main.c
$(PENDING)_main.o: AGENT_CFLAGS += -DVECTOR_VE=14
$(AGENT_OBJ) $(HOSTILE).o $(PENDING).o $(PENDING)_main.o:
	$(call say,AGENT,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(AGENT_CFLAGS) -MMD -MP -c -o $@ $<

$(AGENT).bin: $(AGENT_OBJ)
$(HOSTILE).bin: $(AGENT)/entry.o $(AGENT)/gates.o $(HOSTILE).o
$(PENDING).bin: $(PENDING_OBJ)
$(AGENT).bin $(HOSTILE).bin $(PENDING).bin: guest-agent/image/image.lds
	$(call say,LINK,$@)
	$(Q)ld -static -z noexecstack --no-warn-rwx-segments -T $< \
		-o $(@:.bin=.elf) $(filter %.o,$^)
	$(Q)objcopy -O binary $(@:.bin=.elf) $@

$(O)/kvm/image.o: ALL_CFLAGS += -DAGENT_IMAGE_FILE='"$(AGENT).bin"'
$(O)/kvm/image.o: $(AGENT).bin
$(HOSTILE)_image.o: ALL_CFLAGS += -DAGENT_IMAGE_FILE='"$(HOSTILE).bin"'
$(HOSTILE)_image.o: kvm/image.S $(HOSTILE).bin
$(PENDING)_image.o: ALL_CFLAGS += -DAGENT_IMAGE_FILE='"$(PENDING).bin"'
$(PENDING)_image.o: kvm/image.S $(PENDING).bin
$(HOSTILE)_image.o $(PENDING)_image.o:
	$(call say,AS,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The kernel's side of the probe, without debug information but with BTF.
PROBE	:= $(O)/kvm/probe/probe.bpf
PROBE_ARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

$(PROBE): kvm/probe/probe.bpf.c kvm/probe/program.h kvm/probe/shared.h \
		guest-agent/hist.h
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPF_CLANG) -target bpf -O2 -g -ffreestanding -I. \
		-I/usr/include/$(PROBE_ARCH) -Wall -Wextra -Werror -c -o $@ $<

$(O)/kvm/probe/object.o: ALL_CFLAGS += -DPROBE_OBJECT_FILE='"$(PROBE)"'
$(O)/kvm/probe/object.o: $(PROBE)

$(LIB): $(LIBOBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The files that are built in are no #include.
$(O)/bench/plot/embed.o: $(wildcard plot/*)

$(O)/%.o: %.S
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What it includes with .incbin, and whether the library is there.
$(O)/bench/trend/dashboard_blobs.o: ALL_CFLAGS += $(BLOBFLAGS)
$(O)/bench/trend/dashboard_blobs.o: $(BLOBS)

# A unit test is one file with a main() of its own, linked with the library.
$(O)/tests/unit/test_%: $(O)/tests/unit/test_%.o $(TESTOBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) \
		$(LIBS) -lcmocka

# Their images are found before that of the library.
$(O)/tests/unit/test_kvm_hostile: $(HOSTILE)_image.o
$(O)/tests/unit/test_kvm_pending: $(PENDING)_image.o

# It runs the probe's BPF program as a part of itself.
$(O)/tests/unit/test_probe_bpf.o: ALL_CFLAGS += -Itests/unit/fake_bpf

# Its KVM is one of its own, tests/unit/fake_kvm.h.
WRAPPED	:= open close ioctl mmap munmap fallocate calloc
$(O)/tests/unit/test_td: LDFLAGS += $(addprefix -Wl$(comma)--wrap=,$(WRAPPED))

$(O)/tests/bench/bench_%: $(O)/tests/bench/bench_%.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The pages are made of the tables that --help is made of.
man: $(O)/tdmem
	$(Q)mkdir -p $(O)/man
	$(Q)$(O)/tdmem --help=man >$(O)/man/tdmem.1
	$(Q)for c in $$($(O)/tdmem --help | sed -n 's/^  tdmem \([a-z]*\) .*/\1/p'); \
	do $(O)/tdmem $$c --help=man >$(O)/man/tdmem-$$c.1 || exit 1; done

install: $(O)/tdmem man
	$(Q)$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man1 \
		$(DESTDIR)$(docdir) $(DESTDIR)$(datadir)/tdmem/schemas
	$(Q)$(INSTALL) $(O)/tdmem $(DESTDIR)$(bindir)/tdmem
	$(Q)$(INSTALL) -m 644 $(O)/man/*.1 $(DESTDIR)$(mandir)/man1
	$(Q)$(INSTALL) -m 644 results/*.schema.json \
		$(DESTDIR)$(datadir)/tdmem/schemas
	$(Q)$(INSTALL) -m 644 README.md docs/*.md $(DESTDIR)$(docdir)
	$(Q)$(INSTALL) -d $(DESTDIR)$(datadir)/tdmem/nightly
	$(Q)$(INSTALL) contrib/nightly/nightly.sh \
		$(DESTDIR)$(datadir)/tdmem/nightly
	$(Q)$(INSTALL) -m 644 contrib/nightly/tdmem-nightly.* \
		$(DESTDIR)$(datadir)/tdmem/nightly
	$(Q)for f in $$(find configs -name '*.json'); do \
		$(INSTALL) -D -m 644 $$f $(DESTDIR)$(datadir)/tdmem/$$f || \
		exit 1; done

unit: $(UNIT)

# Recursive, so that pkg-config is asked after the packages are there.
run:
	$(Q)sh $(DEPS) build
	$(Q)$(MAKE) --no-print-directory tdmem
	$(Q)./tdmem run configs/quick.json

check:
	$(Q)sh $(DEPS) check
	$(Q)$(MAKE) --no-print-directory all unit test-warnings
	$(Q)TDMEM=$(abspath $(O)/tdmem) TDMEM_CLANG=$(abspath $(CLANG_O)/tdmem) \
		sh tests/run.sh $(UNIT) $(SCRIPTS)

KVM_TESTS := rig kvm kvm_hostile probe
check-kvm:
	$(Q)sh $(DEPS) check
	$(Q)$(MAKE) --no-print-directory all $(O)/tests/unit/test_kvm_hostile \
		$(O)/tests/unit/test_kvm_faults \
		$(O)/tests/unit/test_kvm_pending \
		$(O)/tests/unit/test_probe_kernel
	$(Q)TDMEM=$(abspath $(O)/tdmem) sh tests/run.sh \
		$(KVM_TESTS:%=tests/cli/%.sh)

# Both compilers must be content; the second build is also what the tests
# compare the first one's results with.
test-warnings:
	$(Q)$(MAKE) --no-print-directory O=$(CLANG_O) CC=clang SANITIZE= \
		CFLAGS='-O2 -g -Werror' $(CLANG_O)/tdmem

nightly-demo: tdmem
	$(Q)sh contrib/nightly/demo.sh $(abspath $(O)/tdmem) \
		$(abspath $(O)/nightly-demo)

bench: $(BENCH) tdmem
	$(Q)TDMEM=$(abspath $(O)/tdmem) sh tests/bench/run.sh $(BENCH) \
		tests/bench/bench_counters.py tests/bench/bench_results.py

SOAK	?= 600
soak:
	$(Q)TDMEM_SOAK=$(SOAK) bash tests/cli/threads_tsan.sh

TRIALS	?= 100
trials: tdmem
	$(Q)/usr/bin/python3 tests/tools/aa_trials.py $(abspath $(O)/tdmem) \
		--trials $(TRIALS)

# Of speed, so it wants a machine that does nothing else.
check-demand-paging: $(O)/tdmem
	$(Q)TDMEM=$(abspath $(O)/tdmem) bash tests/rig/demand_paging.sh

deps:
	$(Q)sh $(DEPS) build

# For tests that link the program themselves.
print-libs:
	@echo $(LIBS)

clean:
	$(Q)rm -rf build tdmem

-include $(AGENT_OBJ:.o=.d) $(HOSTILE).d $(PENDING_OBJ:.o=.d) $(LIBOBJ:.o=.d) $(TESTOBJ:.o=.d) $(O)/bench/tdmem.d $(UNIT:=.d) $(BENCH:=.d)
