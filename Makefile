# podwire — make · make demo · make test · make bench · make fuzz · make install
PREFIX  ?= /usr/local
BUILD   ?= build
CC      ?= gcc
PKGS    := libcjson yaml-0.1 sqlite3 libcgraph libgvc ncursesw libmnl
WARN    := -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS  ?= -O2 -g
CFLAGS  += -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(SAN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS  += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
LDFLAGS += $(SAN)

LIB  := $(filter-out viz/cli/main.c,$(shell find model sim viz -name '*.c' | sort))
TEST := $(shell find tests/unit tests/conformance tests/differential -name '*_test.c' 2>/dev/null | sort)
obj   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

all: $(BUILD)/podwire

$(BUILD)/libpodwire.a: $(call obj,$(LIB))
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/podwire: $(BUILD)/obj/viz/cli/main.o $(BUILD)/libpodwire.a
	@echo "  LD  $@" && $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/unit: $(call obj,$(TEST)) $(BUILD)/obj/tests/unit/main.o $(BUILD)/libpodwire.a
	@echo "  LD  $@" && $(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D) && echo "  CC  $<" && $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

clean:
	rm -rf $(BUILD) demo

.PHONY: all clean
