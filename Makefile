# revrtm: plain PGXS targets (all, install, installcheck, clean), and two
# commands that set up everything themselves: make demo, make check.

EXTENSION = revrtm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" revrtm.control)

MODULE_big = revrtm
OBJS = \
	src/attribution.o \
	src/binding.o \
	src/credit.o \
	src/credits.o \
	src/demo.o \
	src/journey.o \
	src/journey_agg.o \
	src/journey_io.o \
	src/literal.o \
	src/model.o \
	src/money.o \
	src/revrtm.o \
	src/settings.o \
	src/split.o \
	src/touch_window.o

# Joined in this order into the install script.
SQL_MODULES = \
	sql/00_prologue.sql \
	sql/05_settings.sql \
	sql/07_shipped.sql \
	sql/10_binding.sql \
	sql/15_route.sql \
	sql/20_journey.sql \
	sql/30_attribution.sql \
	sql/35_deal_journey.sql \
	sql/50_deal.sql \
	sql/70_romi.sql \
	sql/85_demo.sql \
	sql/86_demo_programme.sql \
	sql/99_grants.sql

REVRTM_SQL = sql/revrtm--$(EXTVERSION).sql
DATA_built = $(REVRTM_SQL)
DATA = $(wildcard sql/revrtm--*--*.sql)
DOCS = $(wildcard doc/*.md)

REGRESS = \
	install \
	binding \
	demo \
	uninstall
REGRESS_OPTS = --inputdir=test

ISOLATION =
ISOLATION_OPTS = --inputdir=test --outputdir=.

PG_CPPFLAGS = -DREVRTM_VERSION='"$(EXTVERSION)"'
# Fused multiply-add would change results between machines.
PG_CFLAGS = -ffp-contract=off -fvisibility=hidden
SHLIB_LINK = -lm

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(REVRTM_SQL): $(SQL_MODULES) revrtm.control Makefile
	cat $(SQL_MODULES) > $@
