# revrtm: plain PGXS targets (all, install, installcheck, clean), and two
# commands that set up everything themselves: make demo, make check.

EXTENSION = revrtm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" revrtm.control)

MODULE_big = revrtm
OBJS = \
	src/allocate.o \
	src/allocate_concave.o \
	src/allocate_goal.o \
	src/allocate_limit.o \
	src/allocate_price.o \
	src/allocate_reach.o \
	src/allocate_units.o \
	src/attribution.o \
	src/binding.o \
	src/budget_allocate.o \
	src/budget_plan.o \
	src/budget_plan_io.o \
	src/budget_task.o \
	src/business_time.o \
	src/calendar.o \
	src/chain_dense.o \
	src/chain_direct.o \
	src/chain_iterate.o \
	src/claim.o \
	src/coalitions.o \
	src/coalitions_io.o \
	src/conflict.o \
	src/credibility.o \
	src/credit.o \
	src/credits.o \
	src/credits_io.o \
	src/criteria.o \
	src/curve.o \
	src/curve_fit.o \
	src/curve_search.o \
	src/data_driven.o \
	src/deal_tally.o \
	src/decision.o \
	src/demo.o \
	src/dictionary.o \
	src/eligibility.o \
	src/envelope.o \
	src/explain.o \
	src/extension.o \
	src/fx.o \
	src/guard.o \
	src/guard_claim.o \
	src/guard_field.o \
	src/guard_sweep.o \
	src/identity.o \
	src/journey.o \
	src/journey_agg.o \
	src/journey_io.o \
	src/journeys.o \
	src/literal.o \
	src/loop.o \
	src/lookup.o \
	src/markov.o \
	src/model.o \
	src/money.o \
	src/normalize.o \
	src/partner.o \
	src/override.o \
	src/owner.o \
	src/path_count.o \
	src/path_transform.o \
	src/plan_guard.o \
	src/programme.o \
	src/proportion.o \
	src/quantile.o \
	src/quantiles.o \
	src/quantiles_io.o \
	src/query.o \
	src/query_cache.o \
	src/registration.o \
	src/registration_event.o \
	src/registration_fields.o \
	src/registration_merge.o \
	src/registration_state.o \
	src/response_curve.o \
	src/response_sample.o \
	src/retention.o \
	src/revrtm.o \
	src/rival.o \
	src/roe_check.o \
	src/roe_margin.o \
	src/roe_route.o \
	src/roe_rule.o \
	src/role.o \
	src/role_audit.o \
	src/role_keep.o \
	src/role_route.o \
	src/scope.o \
	src/settings.o \
	src/shapley.o \
	src/shapley_rate.o \
	src/shrink_returns.o \
	src/split.o \
	src/tally.o \
	src/tally_io.o \
	src/touch_window.o \
	src/transitions.o \
	src/transitions_io.o \
	src/tree.o \
	src/tree_layout.o \
	src/tree_move.o \
	src/tree_place.o \
	src/tree_query.o \
	src/twin.o \
	src/wilson.o \
	src/zone.o

# Joined in this order into the install script.
SQL_MODULES = \
	sql/00_prologue.sql \
	sql/05_settings.sql \
	sql/06_catalog.sql \
	sql/07_append_only.sql \
	sql/07_shipped.sql \
	sql/08_statistics.sql \
	sql/09_policy.sql \
	sql/10_binding.sql \
	sql/12_calendar.sql \
	sql/13_money.sql \
	sql/14_identity.sql \
	sql/15_route.sql \
	sql/20_journey.sql \
	sql/22_journeys.sql \
	sql/30_attribution.sql \
	sql/32_markov.sql \
	sql/33_shapley.sql \
	sql/34_attribution_policy.sql \
	sql/35_deal_journey.sql \
	sql/36_fit.sql \
	sql/36_refresh.sql \
	sql/40_tree.sql \
	sql/42_registration.sql \
	sql/43_eligibility.sql \
	sql/44_conflict.sql \
	sql/44_life_cycle.sql \
	sql/45_claim.sql \
	sql/46_certification.sql \
	sql/46_merge.sql \
	sql/47_fund.sql \
	sql/48_duplicate.sql \
	sql/49_twin.sql \
	sql/50_deal.sql \
	sql/51_conflict_view.sql \
	sql/52_explain.sql \
	sql/52_guard.sql \
	sql/52_margin.sql \
	sql/52_role.sql \
	sql/53_action_plan.sql \
	sql/54_activity.sql \
	sql/54_sla.sql \
	sql/54_sla_tick.sql \
	sql/54_partner_role.sql \
	sql/55_freeze.sql \
	sql/55_partner_credit.sql \
	sql/56_ledger.sql \
	sql/57_reconcile.sql \
	sql/60_curve.sql \
	sql/62_curve_fit.sql \
	sql/65_allocate.sql \
	sql/70_romi.sql \
	sql/71_comparison.sql \
	sql/71_romi_rule.sql \
	sql/72_budget.sql \
	sql/73_enablement.sql \
	sql/73_tally.sql \
	sql/73_target.sql \
	sql/74_kpi_store.sql \
	sql/74_tally_store.sql \
	sql/74_kpi.sql \
	sql/74_partner_score.sql \
	sql/74_scorecard.sql \
	sql/74_waterfall.sql \
	sql/76_criteria.sql \
	sql/76_fair.sql \
	sql/76_guardrail.sql \
	sql/76_motion.sql \
	sql/77_maturity_model.sql \
	sql/77_potential.sql \
	sql/77_romi_credit.sql \
	sql/77_motion_romi.sql \
	sql/77_expected_romi.sql \
	sql/77_unit_economics.sql \
	sql/78_account_tier.sql \
	sql/78_play.sql \
	sql/79_coverage.sql \
	sql/79_loop.sql \
	sql/79_maturity.sql \
	sql/79_overlap.sql \
	sql/79_territory.sql \
	sql/80_adapter.sql \
	sql/81_council_rule.sql \
	sql/81_council_store.sql \
	sql/82_proposal.sql \
	sql/82_council.sql \
	sql/82_council_pack.sql \
	sql/83_demo_market.sql \
	sql/84_demo_deals.sql \
	sql/85_demo.sql \
	sql/86_demo_programme.sql \
	sql/86_demo_registration.sql \
	sql/86_demo_revenue.sql \
	sql/87_demo_portfolio.sql \
	sql/88_demo_maturity.sql \
	sql/87_demo_enablement.sql \
	sql/90_catalog.sql \
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
	journeys \
	attribution \
	calendar \
	binding \
	identity \
	deal_journey \
	attribution_policy \
	data_driven \
	demo \
	adapter \
	tree \
	move \
	registration \
	registration_life \
	registration_rls \
	trap \
	role \
	eligibility \
	eligibility_route \
	margin \
	registration_input \
	claim \
	conflict \
	guard \
	sla \
	curve \
	curve_fit \
	allocate \
	hardening \
	statistics \
	tally \
	kpi \
	romi \
	council \
	council_hold \
	freeze \
	money \
	policy \
	partner_role \
	portfolio \
	maturity \
	enablement \
	catalog \
	api \
	uninstall
REGRESS_OPTS = --inputdir=test

ISOLATION = \
	bind \
	iso_conflict \
	iso_council \
	iso_fund \
	iso_guard \
	iso_move \
	iso_policy \
	iso_protect \
	iso_refresh \
	iso_register \
	iso_role \
	iso_sla \
	iso_tally \
	iso_tree
ISOLATION_OPTS = --inputdir=test --outputdir=.

PGTAP = \
	test/pgtap/adapter_seed.sql \
	test/pgtap/adventureworks_quota.sql \
	test/pgtap/adventureworks_rates.sql \
	test/pgtap/adventureworks_territory.sql \
	test/pgtap/allocate.sql \
	test/pgtap/attribution.sql \
	test/pgtap/attribution_policy.sql \
	test/pgtap/calendar.sql \
	test/pgtap/claim.sql \
	test/pgtap/conflict.sql \
	test/pgtap/council.sql \
	test/pgtap/curve_fit.sql \
	test/pgtap/demo_council.sql \
	test/pgtap/duplicate.sql \
	test/pgtap/eligibility_route.sql \
	test/pgtap/enablement.sql \
	test/pgtap/freeze.sql \
	test/pgtap/guard.sql \
	test/pgtap/identity.sql \
	test/pgtap/kpi.sql \
	test/pgtap/loop.sql \
	test/pgtap/margin.sql \
	test/pgtap/markov.sql \
	test/pgtap/maturity.sql \
	test/pgtap/maven_claims.sql \
	test/pgtap/maven_crm.sql \
	test/pgtap/maven_kpi.sql \
	test/pgtap/maven_registration.sql \
	test/pgtap/money.sql \
	test/pgtap/move.sql \
	test/pgtap/partner_role.sql \
	test/pgtap/pathdata.sql \
	test/pgtap/pathdata_markov.sql \
	test/pgtap/portfolio.sql \
	test/pgtap/real_curves.sql \
	test/pgtap/registration.sql \
	test/pgtap/role.sql \
	test/pgtap/romi.sql \
	test/pgtap/sla.sql \
	test/pgtap/statistics.sql \
	test/pgtap/policy.sql

TAP = \
	test/t/attack.pl \
	test/t/bulk_load.pl \
	test/t/crash.pl \
	test/t/curve_fit.pl \
	test/t/doc.pl \
	test/t/drivers.pl \
	test/t/dump_binding.pl \
	test/t/dump_restore.pl \
	test/t/race.pl \
	test/t/replication.pl

# Plain C programs over the pure mathematics: test/unit/NAME.c, linked with
# the sources in UNIT_NAME.
UNIT = \
	allocate_global_test \
	allocate_nlopt_test \
	allocate_test \
	business_time_test \
	chain_test \
	credibility_test \
	curve_fit_test \
	normalize_test \
	quantile_test \
	shapley_test \
	split_test \
	tree_layout_test \
	wilson_test
ALLOCATE = src/allocate.c src/allocate_concave.c src/allocate_goal.c src/allocate_limit.c \
	src/allocate_price.c src/allocate_reach.c src/allocate_units.c src/envelope.c src/curve.c
UNIT_allocate_global_test = $(ALLOCATE)
UNIT_allocate_nlopt_test = $(ALLOCATE)
UNIT_allocate_test = $(ALLOCATE)
UNIT_business_time_test = src/business_time.c
UNIT_credibility_test = src/credibility.c
UNIT_curve_fit_test = src/curve_fit.c src/curve_search.c src/curve.c
UNIT_normalize_test = src/normalize.c
UNIT_quantile_test = src/quantile.c
UNIT_chain_test = src/chain_dense.c src/chain_direct.c src/chain_iterate.c
UNIT_shapley_test = src/shapley_rate.c
UNIT_split_test = src/split.c src/attribution.c
UNIT_tree_layout_test = src/tree_layout.c
UNIT_wilson_test = src/wilson.c

# Fuzz targets of the pure mathematics: test/fuzz/NAME.c, likewise with the
# sources in FUZZ_NAME.
FUZZ = \
	allocate_fuzz \
	curve_fuzz \
	curve_fit_fuzz
FUZZ_allocate_fuzz = $(ALLOCATE)
FUZZ_curve_fuzz = src/curve.c
FUZZ_curve_fit_fuzz = src/curve_fit.c src/curve_search.c src/curve.c

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
	@REVRTM_SERVER_OPTIONS='-c shared_buffers=2GB -c max_wal_size=8GB -c random_page_cost=1.1' \
		exec setpriv --pdeathsig TERM tools/cluster build/bench bench/run

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
