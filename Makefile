# flotilla: one Makefile for the whole tree. `make help` lists the targets.
#
#   V=1        show the commands            WERROR=1   warnings are errors (CI)
#   SAN=1      ASan + UBSan, in build-san/  BUILD=DIR  another output folder
#
# A source file that compiled with warnings is compiled again next time, so that a warning
# cannot hide in an incremental build. A change of flags rebuilds what it concerns.

MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

PREFIX  ?= /usr/local
DESTDIR ?=
SAN     ?=
COV     ?=
WERROR  ?=
V       ?=
Q       := $(if $(V),,@)
BUILD   ?= $(if $(SAN),build-san,$(if $(COV),build-coverage,build))
export BUILD SAN

# --- flags ------------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := gcc
endif
OPT      ?= $(if $(COV),-O0,-O2) -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
            -Wformat=2 -Wundef
HARDEN   := -fPIE -fstack-protector-strong -fcf-protection -fno-common -fvisibility=hidden
ifeq ($(SAN)$(COV),)
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifneq ($(SAN),)
VARIANT  := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifneq ($(COV),)
VARIANT  := --coverage
else
VARIANT  :=
endif
COMPILE  := $(CC) -std=gnu17 -D_GNU_SOURCE -I. $(OPT) $(WARNINGS) $(HARDEN) $(VARIANT) \
            $(CPPFLAGS) $(CFLAGS)
LINK     := $(CC) $(VARIANT) -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(LDFLAGS)
# Asked only when something is compiled, so that `make test` can install pkg-config first.
LIB_CFLAGS = $(eval LIB_CFLAGS := $(shell pkg-config --cflags libpq talloc jansson yaml-0.1 \
             libssh2 sqlite3 libsodium libzstd))$(LIB_CFLAGS)
AGENT_LIBS      := -ltalloc -ljansson -lyaml -lpq -lsodium -lzstd
CONTROLLER_LIBS := $(AGENT_LIBS) -lssh2 -lsqlite3 -lpg_query

# --- sources ----------------------------------------------------------------------------------

find_c          = $(sort $(foreach d,$(wildcard $(1)),$(shell find $(d) -name '*.c')))
FLOOR_SRC      := $(call find_c,agents/base agents/wire agents/pg agents/part)
AGENT_SRC      := $(call find_c,agents)
CONTROLLER_SRC := $(call find_c,controller)
UNIT_SRC       := $(wildcard tests/unit/test_*.c)
FUZZ_SRC       := $(wildcard tests/fuzz/fuzz_*.c)
BENCH_SRC      := $(wildcard tests/bench/bench_*.c)
# Shared by test programs (fixtures, scripted fakes): linked into each of them when needed.
TESTLIB_SRC    := $(call find_c,tests/fake)

object          = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
AGENT_MAIN     := agents/agent/main.c
CONTROLLER_MAIN := controller/main.c
PROGRAMS       := $(if $(wildcard $(CONTROLLER_MAIN)),$(BUILD)/flotilla) \
                  $(if $(wildcard $(AGENT_MAIN)),$(BUILD)/flotilla-agent)
ARCHIVES       := $(BUILD)/libcontroller.a $(BUILD)/libagent.a
UNIT_PROGRAMS  := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
OBJECTS        := $(call object,$(sort $(AGENT_SRC) $(CONTROLLER_SRC) $(UNIT_SRC) $(BENCH_SRC) \
                  $(TESTLIB_SRC)))

.PHONY: all demo demo-clean test check style fuzz bench coverage crash install clean help unit \
        golden scenario deps FORCE

all: $(PROGRAMS)

# --- compile and link -------------------------------------------------------------------------

$(BUILD)/flotilla: $(call object,$(CONTROLLER_SRC) $(FLOOR_SRC))
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(CONTROLLER_LIBS)

$(BUILD)/flotilla-agent: $(call object,$(AGENT_SRC))
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(AGENT_LIBS)

$(BUILD)/libagent.a: $(call object,$(filter-out $(AGENT_MAIN),$(AGENT_SRC)))
$(BUILD)/libcontroller.a: $(call object,$(filter-out $(CONTROLLER_MAIN),$(CONTROLLER_SRC)))
$(BUILD)/libtest.a: $(call object,$(TESTLIB_SRC))
# Thin and deterministic; made anew so that an object whose source is gone does not linger.
$(ARCHIVES) $(BUILD)/libtest.a: $(BUILD)/sources
	$(Q)rm -f $@ && ar rcsD $@ $(filter %.o,$^)

$(UNIT_PROGRAMS): $(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libtest.a $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $^ $(CONTROLLER_LIBS) -lcmocka

$(BENCH_PROGRAMS): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BUILD)/libtest.a $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $^ $(CONTROLLER_LIBS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	$(Q)$(COMPILE) $(LIB_CFLAGS) $(if $(WERROR),-Werror) -MMD -MP -c -o $@ $< 2>$@.warnings || \
	    { cat $@.warnings >&2; rm -f $@; exit 1; }
	$(Q)cat $@.warnings >&2

WARNED := $(if $(wildcard $(BUILD)/obj),$(patsubst %.warnings,%,$(shell \
          find $(BUILD)/obj -name '*.o.warnings' -size +0)))
ifneq ($(strip $(WARNED)),)
$(WARNED): FORCE
endif

# Rewritten only when its content changes: what was built with other flags or from another list
# of files is then out of date.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(COMPILE) | $(LINK)' | cmp -s - $@ || echo '$(COMPILE) | $(LINK)' >$@
$(BUILD)/sources: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(AGENT_SRC) $(CONTROLLER_SRC) $(TESTLIB_SRC)' | cmp -s - $@ || \
	    echo '$(AGENT_SRC) $(CONTROLLER_SRC) $(TESTLIB_SRC)' >$@
$(PROGRAMS): $(BUILD)/sources $(BUILD)/flags

-include $(OBJECTS:.o=.d)

# --- tests ------------------------------------------------------------------------------------

# Every runner ends with the line "N passed, N failed" and fails when a test did.
unit: $(UNIT_PROGRAMS)
	$(Q)tests/run unit

clean:
	rm -rf build build-san build-coverage build-fuzz
