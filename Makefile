# revrtm: plain PGXS targets (all, install, installcheck, clean), and two
# commands that set up everything themselves: make demo, make check.

EXTENSION = revrtm
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" revrtm.control)

MODULE_big = revrtm
OBJS = \
	src/allocate.o \
	src/budget_allocate.o \
	src/budget_plan.o \
	src/curve.o \
	src/response_curve.o \
	src/revrtm.o \
	src/settings.o

# Joined in this order into the install script.
SQL_MODULES = \
	sql/00_prologue.sql \
	sql/05_settings.sql \
	sql/60_curve.sql \
	sql/65_allocate.sql \
	sql/99_grants.sql

REVRTM_SQL = sql/revrtm--$(EXTVERSION).sql
DATA_built = $(REVRTM_SQL)
DATA = $(wildcard sql/revrtm--*--*.sql)
DOCS = $(wildcard doc/*.md)

REGRESS = \
	install \
	curve \
	allocate \
	uninstall
REGRESS_OPTS = --inputdir=test

# Plain C, each compiled alone: cc -I. -Isrc FILE -lm
UNIT = \
	test/unit/allocate_test.c

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
