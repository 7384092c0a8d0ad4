# coreclaw: every command that the README names. `make help` lists them.

LUAS      ?= 5.1 5.2 5.3 5.4 jit
# PORTABLE=1: as on systems without epoll, poll(2) on a thread of its own.
BUILD     ?= build$(if $(PORTABLE),/portable)
CC        ?= gcc
OPT       ?= -O2 -g
CFLAGS    ?= $(OPT)
# What builds for somebody else's machine says WERROR= : a newer compiler knows new warnings.
WERROR    ?= -Werror
WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR)
STANDARD  := -std=c99 -D_GNU_SOURCE $(if $(PORTABLE),-DCC_PORTABLE) -fPIC -fvisibility=hidden -pthread
# nodelete: libcurl's resolver threads may outlive lua_close (DESIGN: QUICK_EXIT crashes without it).
LINK      := -shared -pthread -Wl,-z,nodelete

PKG_5.1 := lua5.1
PKG_5.2 := lua5.2
PKG_5.3 := lua5.3
PKG_5.4 := lua5.4
PKG_jit := luajit
NAME     = $(if $(filter jit,$(1)),luajit,lua$(1))

CC_SRC  := $(sort $(wildcard src/cc_*.c))
LCC_SRC := $(sort $(wildcard src/lcc_*.c)) src/core.c
HEADERS := $(wildcard src/*.h)
CC_OBJ  := $(CC_SRC:src/%.c=$(BUILD)/cc/%.o)
MODULES := $(foreach v,$(LUAS),$(BUILD)/$(call NAME,$(v))/coreclaw/core.so)

.PHONY: build
build: $(MODULES) ## Build the C core for every Lua, each below its own folder in build/

$(BUILD)/cc/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(CFLAGS) $(shell pkg-config --cflags libcurl) -c $< -o $@

define lua_rules
$(BUILD)/$(call NAME,$(1))/%.o: src/%.c $(HEADERS)
	@mkdir -p $$(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(CFLAGS) $$(shell pkg-config --cflags $(PKG_$(1))) -c $$< -o $$@
$(BUILD)/$(call NAME,$(1))/coreclaw/core.so: $(LCC_SRC:src/%.c=$(BUILD)/$(call NAME,$(1))/%.o) $(CC_OBJ)
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS) $(LINK) $$^ $$(shell pkg-config --libs libcurl) -o $$@
endef
$(foreach v,5.1 5.2 5.3 5.4 jit,$(eval $(call lua_rules,$(v))))

# ---- for users -----------------------------------------------------------------------------------

# The one place of the version is src/core.c; a release is what was committed.
VERSION  = $(shell git show HEAD:src/core.c | sed -n 's/^.define CORECLAW_VERSION "\(.*\)"/\1/p')
RELEASE  = coreclaw-$(VERSION)
DIST     = $(BUILD)/dist
PREFIX  ?= /usr/local
# Where the release's rockspec says that the tarball lies.
URL     ?= file://$(abspath $(DIST))/$(RELEASE).tar.gz
API      = $(if $(filter jit,$(1)),5.1,$(1))
# Neovim takes either: LuaJIT and Lua 5.1 have one binary interface.
NVIM_LUA = $(shell pkg-config --exists luajit && echo jit || echo 5.1)

.PHONY: install
install: ## Install without LuaRocks: make install LUAS=5.4 PREFIX=/usr/local (LUAS: 5.1 … 5.4, jit)
	@$(MAKE) --no-print-directory -s build WERROR=
	@set -e; for pair in $(foreach v,$(LUAS),$(call NAME,$(v)):$(call API,$(v))); do \
	  lua=$${pair%%:*}; share="$(PREFIX)/share/lua/$${pair#*:}"; lib="$(PREFIX)/lib/lua/$${pair#*:}"; \
	  (cd lua && find coreclaw -name '*.lua') | while read -r file; do \
	    install -D -m 644 "lua/$$file" "$(DESTDIR)$$share/$$file"; done; \
	  install -D -m 755 "$(BUILD)/$$lua/coreclaw/core.so" "$(DESTDIR)$$lib/coreclaw/core.so"; \
	  mkdir -p "$(DESTDIR)$(PREFIX)/bin"; \
	  printf '#!/bin/sh\nexec %s -e "package.cpath = [[%s/?.so;]] .. package.cpath" "%s" "$$@"\n' \
	    "$$lua" "$$lib" "$$share/coreclaw/cli/main.lua" >"$(DESTDIR)$(PREFIX)/bin/coreclaw"; \
	  chmod 755 "$(DESTDIR)$(PREFIX)/bin/coreclaw"; \
	done

.PHONY: nvim
nvim: ## Make this folder a plugin of Neovim: builds lua/coreclaw/core.so
	@$(MAKE) --no-print-directory -s build LUAS=$(NVIM_LUA) WERROR=
	@install -m 755 $(BUILD)/$(call NAME,$(NVIM_LUA))/coreclaw/core.so lua/coreclaw/core.so

.PHONY: dist
dist: ## The source tarball of the last commit and its rockspec, in build/dist: make dist URL=https://…
	@mkdir -p $(DIST)
	@git -c tar.umask=0022 archive --prefix=$(RELEASE)/ -o $(DIST)/$(RELEASE).tar HEAD && gzip -9nf $(DIST)/$(RELEASE).tar
	@git show HEAD:coreclaw-scm-1.rockspec | sed -e 's|^version = .*|version = "$(VERSION)-1"|' \
	  -e 's|^  url = .*|  url = "$(URL)",|' >$(DIST)/$(RELEASE)-1.rockspec
	@cd $(DIST) && ls $(RELEASE)*

# ---- for tests -----------------------------------------------------------------------------------

SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

.PHONY: sanitized
sanitized:
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)/asan LUAS="5.4 jit" OPT="$(SANITIZE)"

# As with a libcurl before 7.80, which does not ask before it sends.
.PHONY: unguarded
unguarded:
	@$(MAKE) --no-print-directory build BUILD=$(BUILD)/unguarded LUAS=5.4 OPT="$(OPT) -DCC_NO_PREREQ"

# As on systems without epoll: poll(2) on a thread of its own. By hand: make PORTABLE=1
.PHONY: portable
portable:
	@$(MAKE) --no-print-directory build PORTABLE=1 BUILD=$(BUILD)/portable LUAS=jit

# The lower half alone, without any Lua, under the sanitizers.
C_TESTS := $(patsubst spec/core/%.c,$(BUILD)/c-tests/%,$(wildcard spec/core/*_test.c))

# What runs a thread once more under its own sanitizer, which goes with no other.
THREAD_TESTS := $(BUILD)/c-tests/cc_thread_tsan $(BUILD)/c-tests/cc_block_tsan

# The binding without memory, on the oldest Lua and the newest.
MEMORY_TESTS := $(BUILD)/c-tests/lcc_alloc_lua5.1 $(BUILD)/c-tests/lcc_alloc_lua5.4

.PHONY: c-tests
c-tests: $(C_TESTS) $(THREAD_TESTS) $(MEMORY_TESTS)

SAN_OBJ := $(CC_SRC:src/%.c=$(BUILD)/c-tests/cc/%.o)

$(BUILD)/c-tests/cc/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(SANITIZE) $(shell pkg-config --cflags libcurl) -c $< -o $@

$(BUILD)/c-tests/lcc_alloc_%: spec/core/lcc_alloc.c $(SAN_OBJ) $(LCC_SRC) $(HEADERS) spec/support/check.h
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(SANITIZE) -Isrc -Ispec/support $(shell pkg-config --cflags libcurl $*) \
	  $< $(SAN_OBJ) $(LCC_SRC) $(shell pkg-config --libs libcurl $*) -o $@

TSAN_OBJ := $(CC_SRC:src/%.c=$(BUILD)/c-tests/tsan/%.o)
TSAN     := -O1 -g -fsanitize=thread

$(BUILD)/c-tests/tsan/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(TSAN) $(shell pkg-config --cflags libcurl) -c $< -o $@

$(BUILD)/c-tests/%_tsan: spec/core/%_test.c $(TSAN_OBJ) $(HEADERS) spec/support/check.h
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(TSAN) -Isrc -Ispec/support \
	  $(shell pkg-config --cflags libcurl) $< $(TSAN_OBJ) $(shell pkg-config --libs libcurl) -o $@

$(BUILD)/c-tests/cc_alloc_test: WRAPPED := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=cc_block_take

$(BUILD)/c-tests/%: spec/core/%.c $(SAN_OBJ) $(HEADERS) spec/support/check.h
	@mkdir -p $(@D)
	$(CC) $(STANDARD) $(WARNINGS) $(SANITIZE) -Isrc -Ispec/support \
	  $(shell pkg-config --cflags libcurl) $< $(SAN_OBJ) $(WRAPPED) $(shell pkg-config --libs libcurl) -o $@

# Whatever bytes may come: see spec/fuzz. What reads JSON as Lua does needs a Lua, 5.4.
FUZZ        := json text response lua
FUZZ_FLAGS  := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
  -fno-sanitize-recover=undefined
FUZZ_OBJ    := $(CC_SRC:src/%.c=$(BUILD)/fuzz/cc/%.o)
FUZZ_SOURCE  = $(FUZZ_OBJ) $(if $(filter lua,$*),$(LCC_SRC))
FUZZ_LINK    = $(shell pkg-config --libs libcurl $(if $(filter lua,$*),lua5.4)) -lm
FUZZ_CFLAGS  = $(shell pkg-config --cflags libcurl $(if $(filter lua,$*),lua5.4))

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ:%=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/cc/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	clang $(STANDARD) $(WARNINGS) $(FUZZ_FLAGS) $(shell pkg-config --cflags libcurl) -c $< -o $@

$(BUILD)/fuzz/%: spec/fuzz/%_fuzz.c spec/fuzz/fuzz.h $(FUZZ_OBJ) $(LCC_SRC) $(HEADERS)
	@mkdir -p $(@D)
	clang $(STANDARD) $(WARNINGS) $(FUZZ_FLAGS) -Isrc -Ispec/fuzz $(FUZZ_CFLAGS) $< $(FUZZ_SOURCE) $(FUZZ_LINK) -o $@

DEMO_PACKAGES := gcc make pkg-config lua5.4 liblua5.4-dev libluajit2-5.1-dev libcurl4-openssl-dev \
  ca-certificates lua-cjson nginx libnginx-mod-http-lua curl libxml2
TEST_PACKAGES := $(DEMO_PACKAGES) lua5.1 lua5.2 lua5.3 luajit2 liblua5.1-0-dev liblua5.2-dev \
  liblua5.3-dev lua-busted lua-luaossl python3 openssl valgrind procps libxlsxwriter4 gnumeric libxml2-utils \
  clang libclang-rt-14-dev \
  neovim lua-luv lua-cqueues lua-argparse tmux zsh fish
# Those that are measured beside us; what of it cannot be had is absent from the table. node's are from npm.
BENCH_PACKAGES := lua-curl lua-socket lua-http python3-requests python3-urllib3 wrk \
  $(if $(shell command -v npm),,nodejs npm)
DOC_PACKAGES  := lua5.4 lua-ldoc
# luarocks fetches nothing in spec/install; with those behind it, it starts no process for every file.
TEST_PACKAGES += $(DOC_PACKAGES) git luarocks lua-filesystem lua-md5 lua-posix lua-zlib
LINT_PACKAGES := $(TEST_PACKAGES) lua-check cppcheck

# What a Lua of this name needs to find our modules in the tree, and nobody else's.
lua_env = LUA_PATH="./lua/?.lua;./lua/?/init.lua;./?.lua;;" LUA_CPATH="./$(BUILD)/$(1)/?.so;;"

.PHONY: demo
demo: ## Install what is missing, build, start the sandbox, run a Worker, print its rows
	@sh spec/support/install.sh $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory -s build LUAS="5.4 jit"
	@$(call lua_env,lua5.4) lua5.4 examples/quickstart.lua $(ARGS)

.PHONY: test
test: ## Install what is missing, build for every Lua, run everything, count it
	@sh spec/support/install.sh $(TEST_PACKAGES)
	@sh spec/support/test.sh

.PHONY: test-long
test-long: ## What takes too long for `make test`: the sandbox at 500 requests a second, 50,000 calls in nginx
	@sh spec/support/install.sh $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory -s build LUAS="5.4 jit"
	@rm -rf $(BUILD)/test
	@sh spec/support/suite.sh load sh spec/support/busted.sh lua5.4 '--pattern=_long%.lua$$' spec/sandbox
	@sh spec/support/suite.sh nginx sh spec/support/busted.sh luajit '--pattern=_long%.lua$$' spec/hosts
	@cat $(BUILD)/test/load.count $(BUILD)/test/nginx.count | awk '{ p += $$1; f += $$2; s += $$3 } \
	  END { print p " passed, " f " failed, " s " skipped"; exit f > 0 || NR < 2 }'

.PHONY: fuzz
fuzz: ## Fuzz the C core: make fuzz SECONDS_EACH=60 TARGET=json SEED=1 (all targets if none is named)
	@sh spec/support/install.sh $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory -s fuzz-targets
	@sh spec/fuzz/run.sh $(or $(SECONDS_EACH),60) $(or $(TARGET),$(FUZZ))

.PHONY: campaign
campaign: ## A campaign of faults against the sandbox's books: make campaign N=100000 SEED=1 JOBS=2 (or TRIAL=4711 SEED=1)
	@sh spec/support/install.sh $(DEMO_PACKAGES) openssl
	@$(MAKE) --no-print-directory -s build LUAS="5.4 jit"
	@sh spec/faults/campaign.sh $(or $(LUA),lua5.4)

export N FROM SEED JOBS TRIAL SECONDS QUICK ROWS

# The C programs of the benchmark: libcurl alone, and with lua-cjson behind it.
BENCH_C   := spec/bench/raw/main.c spec/bench/raw/easy.c spec/bench/raw/multi.c
BENCH_CC   = $(CC) -std=c99 -D_GNU_SOURCE $(WARNINGS) -O2
BENCH_OUT := build/bench

.PHONY: bench-programs
bench-programs: $(addprefix $(BENCH_OUT)/,raw raw-lua5.4 raw-luajit once command)

$(BENCH_OUT)/raw: $(BENCH_C) spec/bench/raw/decode.c spec/bench/raw/raw.h
	@mkdir -p $(@D)
	$(BENCH_CC) $(filter %.c,$^) $(shell pkg-config --cflags --libs libcurl) -o $@

$(BENCH_OUT)/raw-%: $(BENCH_C) spec/bench/raw/lua.c spec/bench/raw/raw.h
	@mkdir -p $(@D)
	$(BENCH_CC) $(filter %.c,$^) -Wl,-E $(shell pkg-config --cflags --libs libcurl $*) -o $@

$(BENCH_OUT)/%: spec/bench/raw/%.c
	@mkdir -p $(@D)
	$(BENCH_CC) $< $(shell pkg-config --cflags --libs libcurl) -o $@

.PHONY: bench
bench: ## Measure against libcurl in C and other clients: make bench QUICK=1 ROWS="get reload"
	@sh spec/support/install.sh $(DEMO_PACKAGES) lua5.4 luajit2 python3 openssl
	@sh spec/bench/others.sh $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory -s build LUAS="5.4 jit"
	@sh spec/bench/run.sh

.PHONY: lint
lint: ## luacheck; gcc and clang with all warnings; cppcheck; the boundary of the two alphabets
	@sh spec/support/install.sh $(LINT_PACKAGES)
	@luacheck -q lua spec examples *.rockspec .luacheckrc
	@sh spec/support/lint.sh

.PHONY: docs
docs: ## The reference of everything public, from lua/coreclaw/types.lua by LDoc, in build/docs
	@sh spec/support/install.sh $(DOC_PACKAGES)
	@rm -rf $(BUILD)/docs && mkdir -p $(BUILD)/docs/source
	@lua5.4 spec/support/docs.lua $(BUILD)/docs/source
	@ldoc --fatalwarnings -q -p coreclaw -t coreclaw -d $(BUILD)/docs $(BUILD)/docs/source/coreclaw.lua

.PHONY: sandbox
sandbox: ## Run the emulator of the platform in the foreground: make sandbox PORT=8080 KEY=secret
	@sh spec/support/install.sh $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory -s build LUAS="5.4 jit"
	@$(call lua_env,lua5.4) lua5.4 lua/coreclaw/sandbox/main.lua \
	  $(if $(PORT),--port $(PORT)) $(if $(KEY),--key $(KEY)) $(ARGS)

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(BUILD) lua/coreclaw/core.so

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | sort | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'
