# revrtm: plain PGXS targets (all, install, installcheck, clean), and two
# commands that set up everything themselves: make demo, make check.

EXTENSION = revrtm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" revrtm.control)

MODULE_big = revrtm
OBJS = \
	src/allocate.o \
	src/attribution.o \
	src/binding.o \
	src/budget_allocate.o \
	src/budget_plan.o \
	src/business_time.o \
	src/calendar.o \
	src/claim.o \
	src/credit.o \
	src/credits.o \
	src/credits_io.o \
	src/curve.o \
	src/decision.o \
	src/demo.o \
	src/eligibility.o \
	src/fx.o \
	src/journey.o \
	src/journey_agg.o \
	src/journey_io.o \
	src/literal.o \
	src/model.o \
	src/money.o \
	src/partner.o \
	src/programme.o \
	src/proportion.o \
	src/quantile.o \
	src/quantiles.o \
	src/quantiles_io.o \
	src/query_cache.o \
	src/registration.o \
	src/registration_event.o \
	src/registration_state.o \
	src/response_curve.o \
	src/revrtm.o \
	src/rival.o \
	src/roe_check.o \
	src/roe_rule.o \
	src/scope.o \
	src/settings.o \
	src/split.o \
	src/touch_window.o \
	src/wilson.o \
	src/zone.o

# Joined in this order into the install script.
SQL_MODULES = \
	sql/00_prologue.sql \
	sql/05_settings.sql \
	sql/07_shipped.sql \
	sql/08_statistics.sql \
	sql/10_binding.sql \
	sql/12_calendar.sql \
	sql/13_money.sql \
	sql/15_route.sql \
	sql/20_journey.sql \
	sql/30_attribution.sql \
	sql/35_deal_journey.sql \
	sql/40_tree.sql \
	sql/42_registration.sql \
	sql/43_eligibility.sql \
	sql/45_claim.sql \
	sql/50_deal.sql \
	sql/60_curve.sql \
	sql/65_allocate.sql \
	sql/70_romi.sql \
	sql/72_budget.sql \
	sql/75_council.sql \
	sql/80_adapter.sql \
	sql/83_demo_market.sql \
	sql/84_demo_deals.sql \
	sql/85_demo.sql \
	sql/86_demo_programme.sql \
	sql/99_grants.sql

REVRTM_SQL = sql/revrtm--$(EXTVERSION).sql
DATA_built = $(REVRTM_SQL)
DATA = $(wildcard sql/revrtm--*--*.sql)
DOCS = $(wildcard doc/*.md)

# The tests, each list in the order they run; doc/development.md says which
# kind is for what.
REGRESS = \
	install \
	journey \
	attribution \
	calendar \
	binding \
	deal_journey \
	demo \
	adapter \
	tree \
	registration \
	registration_life \
	registration_rls \
	eligibility \
	claim \
	curve \
	allocate \
	hardening \
	statistics \
	council \
	money \
	api \
	uninstall
REGRESS_OPTS = --inputdir=test

ISOLATION = \
	bind \
	iso_refresh \
	iso_register \
	iso_tree
ISOLATION_OPTS = --inputdir=test --outputdir=.

PGTAP = \
	test/pgtap/adapter_seed.sql \
	test/pgtap/adventureworks_rates.sql \
	test/pgtap/allocate.sql \
	test/pgtap/attribution.sql \
	test/pgtap/calendar.sql \
	test/pgtap/claim.sql \
	test/pgtap/demo_council.sql \
	test/pgtap/maven_claims.sql \
	test/pgtap/maven_crm.sql \
	test/pgtap/money.sql \
	test/pgtap/pathdata.sql \
	test/pgtap/registration.sql \
	test/pgtap/statistics.sql

TAP = \
	test/t/doc.pl \
	test/t/dump_binding.pl \
	test/t/dump_restore.pl

# Plain C programs over the pure mathematics: test/unit/NAME.c, linked with
# the sources in UNIT_NAME.
UNIT = \
	allocate_test \
	business_time_test \
	quantile_test \
	split_test \
	wilson_test
UNIT_allocate_test = src/allocate.c src/curve.c
UNIT_business_time_test = src/business_time.c
UNIT_quantile_test = src/quantile.c
UNIT_split_test = src/split.c src/attribution.c
UNIT_wilson_test = src/wilson.c

ifneq ($(strip $(TAP)),)
TAP_TESTS = 1
PROVE_TESTS = $(TAP)
endif

PG_CPPFLAGS = -DREVRTM_VERSION='"$(EXTVERSION)"'
# Fused multiply-add would change results between machines.
PG_CFLAGS = -ffp-contract=off -fvisibility=hidden
SHLIB_LINK = -lm
EXTRA_CLEAN = build

# pg_regress looks for a test in sql/ before it looks in test/sql/, and both
# kinds keep their golden files in expected/.
ifneq ($(wildcard $(REGRESS:%=sql/%.sql)),)
$(error a test has the name of a module: $(wildcard $(REGRESS:%=sql/%.sql)))
endif
ifneq ($(filter $(REGRESS),$(ISOLATION)),)
$(error a regress and an isolation test share a name: $(filter $(REGRESS),$(ISOLATION)))
endif

# These run on a machine that has only make, so they are parsed without PGXS;
# the build that they start comes back here and includes it.
COMMANDS = setup demo check bench psql dist
ifneq ($(filter $(COMMANDS) list-%,$(MAKECMDGOALS)),)

OTHER_GOALS = $(filter-out $(COMMANDS) list-%,$(MAKECMDGOALS))
.PHONY: $(COMMANDS) $(OTHER_GOALS)

# A killed make takes its command along.
RUN = @exec setpriv --pdeathsig TERM

setup:
	$(RUN) tools/setup check

demo:
	$(RUN) tools/setup demo
	$(RUN) tools/cluster -k build/demo psql -Xqf tools/demo.sql
	@echo 'The demo is kept under build/demo: make psql opens it, make clean removes it.'

check:
	$(RUN) tools/setup check
	$(RUN) tools/cluster -m PROFILE=-DUSE_ASSERT_CHECKING build/check tools/check

bench:
	$(RUN) tools/setup demo
	$(RUN) tools/cluster build/bench bench/run

psql:
	$(RUN) tools/server build/demo psql -d demo $(ARGS)

dist:
	mkdir -p build
	git archive --format=zip --prefix=revrtm-$(EXTVERSION)/ \
		-o build/revrtm-$(EXTVERSION).zip HEAD

list-%:
	@echo $($*)

$(OTHER_GOALS):
	@$(MAKE) --no-print-directory $@

else

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

ifneq ($(PGXS),)
include $(PGXS)

$(REVRTM_SQL): $(SQL_MODULES) revrtm.control Makefile
	cat $(SQL_MODULES) > $@

else

all install installdirs installcheck uninstall:
	@echo 'There is no pg_config with server headers here. As root:' >&2
	@tools/setup -n demo >&2
	@exit 1

clean distclean:
	rm -rf $(EXTRA_CLEAN) $(OBJS) $(OBJS:.o=.bc) revrtm.so $(REVRTM_SQL)

endif
endif
