# podwire — make · make demo · make test · make soak · make bench · make bench-linux · make fuzz · make install
PREFIX  ?= /usr/local
BUILD   ?= build
CC      ?= gcc
PKGS    := libcjson yaml-0.1 sqlite3 zlib libcgraph libgvc ncursesw libmnl libnftables
WARN    := -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS  ?= -O2 -g
# Field tables reach lists of every type through one type (model/api/field.c): -fno-strict-aliasing.
override CFLAGS += -std=gnu17 -D_GNU_SOURCE -fno-strict-aliasing -I. $(WARN) $(SAN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
# What draws and what speaks nft is opened when it is needed (viz/diagram/gvlib.c, sim/linux/nft_run.c), by the name that the linker would have taken.
LAZY    := libcgraph libgvc libnftables
# The others come as archives where there are any: each shared one costs the start of a command 0.1 ms.
archive  = $(if $(findstring /,$(shell $(CC) -print-file-name=lib$(1).a)),-l:lib$(1).a,-l$(1))
LDLIBS  += $(foreach l,$(shell pkg-config --libs $(filter-out $(LAZY),$(PKGS)) 2>/dev/null),$(if $(filter -l%,$(l)),$(call archive,$(patsubst -l%,%,$(l))),$(l))) -lm
soname   = '"$(shell readlink -f "$$($(CC) -print-file-name=$(1).so)" | sed 's,.*/,,; s,\(\.so\.[0-9]*\).*,\1,')"'
override LDFLAGS += $(SAN)

LIB   := $(filter-out viz/cli/main.c sim/linux/static/%,$(shell find model sim viz -name '*.c' | sort))
TEST  := $(shell find tests/unit tests/conformance tests/differential tests/tui -name '*_test.c' 2>/dev/null | sort)
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
FUZZ  := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
obj    = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

all: $(BUILD)/podwire

$(BUILD)/libpodwire.a: $(call obj,$(LIB))
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/podwire: $(BUILD)/obj/viz/cli/main.o $(BUILD)/libpodwire.a
	@echo "  LD  $@" && $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/unit: $(call obj,$(TEST)) $(BUILD)/obj/tests/unit/main.o $(BUILD)/obj/tests/tui/fake.o $(BUILD)/libpodwire.a
	@echo "  LD  $@" && $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

$(BUILD)/bench_tui: $(BUILD)/obj/tests/tui/fake.o

$(BUILD)/bench_%: $(BUILD)/obj/tests/bench/bench_%.o $(BUILD)/libpodwire.a
	@echo "  LD  $@" && $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D) && echo "  CC  $<" && $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# The two programs that stand in the lab's namespaces (sim/linux/static), small and static; podwire carries both in itself.
STATIC := -O2 -std=gnu17 -D_GNU_SOURCE -I. $(WARN) -static -s
$(BUILD)/pause: sim/linux/static/pause.c Makefile
	@mkdir -p $(@D) && echo "  LD  $@" && $(CC) $(STATIC) -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
		-Wl,-z,noseparate-code,--build-id=none -o $@ $<
$(BUILD)/workload: $(addprefix sim/linux/,h2.c h2.h $(addprefix static/,workload.c workload.h answer.c journal.c relay.c relay.h health.c health.h script.c script.h)) Makefile
	@mkdir -p $(@D) && echo "  LD  $@" && $(CC) $(STATIC) -o $@ $(filter %.c,$^)
$(BUILD)/obj/viz/diagram/gvlib.o: override CFLAGS += -DCGRAPH_SO=$(call soname,libcgraph) -DGVC_SO=$(call soname,libgvc)
$(BUILD)/obj/sim/linux/nft_run.o: override CFLAGS += -DNFTABLES_SO=$(call soname,libnftables)
$(BUILD)/obj/sim/linux/image.o: override CFLAGS += -DIMAGE_DIR='"$(BUILD)"'
$(BUILD)/obj/sim/linux/image.o: $(BUILD)/pause $(BUILD)/workload

# Everything that builds and tests need; installs what is missing, or says the one line that does.
deps:
	@tests/deps.sh

demo: deps
	@$(MAKE) -s -j$$(nproc) all
	@tests/demo.sh

# gcc, then clang with the sanitizers, each with its own objects; then what runs the program as people do.
test: deps
	@tests/run.sh

bench: all $(BENCH)
	@for b in $(BENCH); do echo "== $$b" && $$b || exit 1; done

# The same network by ip and nft commands and by Mininet, too (some minutes).
bench-linux: all $(BUILD)/bench_linux
	@$(BUILD)/bench_linux all

# The same as test, for longer: 2,000 random clusters against the reference, 2,100 of engine, walk and evaluator; N (200) in real namespaces, where full
# agreement is required; then N times up and down, and nothing may stay.
soak: deps all $(BUILD)/unit
	@SEEDS=2000 tests/cli/policy_test.sh
	@SEEDS=700 $(BUILD)/unit walk_and_engine
	@tests/differential/fidelity.sh $(or $(N),200) $(or $(SEED),1)
	@CYCLES=$(or $(N),200) tests/differential/up_test.sh
	@ROUNDS=$(or $(N),200) tests/differential/crash_test.sh

# SECONDS_EACH=60 make fuzz; a crash is left in build/fuzz/ and becomes a test.
fuzz:
	@tests/fuzz/run.sh

# The figures in docs/, by the commands that docs/figures.md shows.
docs: all
	@docs/figures.sh

golden-accept: all
	@tests/golden.sh accept

install: all
	install -D -m 755 $(BUILD)/podwire $(DESTDIR)$(PREFIX)/bin/podwire
	@mkdir -p $(DESTDIR)$(PREFIX)/share/podwire && cp -r scenarios $(DESTDIR)$(PREFIX)/share/podwire/

clean:
	rm -rf $(BUILD) build-* demo

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: soak all deps demo test bench bench-linux fuzz docs golden-accept install clean
