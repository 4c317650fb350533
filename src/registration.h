/*-------------------------------------------------------------------------
 *
 * registration.h
 *		Deal registrations: the row, its states, its rivals, its rules.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_REGISTRATION_H
#define REVRTM_REGISTRATION_H

#include "compat.h"

#include "nodes/bitmapset.h"
#include "utils/date.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "programme.h"
#include "scope.h"

/* The columns of deal_registration, by number. */
enum
{
	REG_ID = 1,
	REG_ACCOUNT,
	REG_PARTNER,
	REG_PRODUCT_CODES,
	REG_REGION_CODES,
	REG_PRODUCT,
	REG_REGION,
	REG_PROTECTION,
	REG_STATUS,
	REG_ACTIVE,
	REG_EXCLUSIVE,
	REG_AMOUNT,
	REG_CURRENCY,
	REG_EXPECTED_CLOSE,
	REG_EVIDENCE,
	REG_DETAILS,
	REG_SUBMITTED_AT,
	REG_DECIDED_AT,
	REG_CHECKED_AT,
	REG_DECISION_REASON,
	REG_OPPORTUNITY,
	REG_REVISION,
	REG_COLUMNS = REG_REVISION
};

extern const RtmColumn rtm_reg_column[REG_COLUMNS];

/* A registration: a row of the table, or one that might become such. */
typedef struct RtmRegistration
{
	Datum		value[REG_COLUMNS];
	bool		isnull[REG_COLUMNS];
} RtmRegistration;

#define REG_VALUE(reg, column)	((reg)->value[(column) - 1])
#define REG_ISNULL(reg, column)	((reg)->isnull[(column) - 1])
#define REG_SET(reg, column, datum) \
	(REG_VALUE(reg, column) = (datum), REG_ISNULL(reg, column) = false)

/* The table, open; 55000 where it is not as the extension made it. */
extern Relation rtm_open_registrations(LOCKMODE lock);
extern void rtm_read_registration(RtmRegistration *reg, HeapTuple tuple, TupleDesc desc);

extern bool rtm_column_differs(Relation rel, const RtmRegistration *a, const RtmRegistration *b,
							   int column);

/* A text column; NULL where it is NULL. */
extern char *rtm_registration_text(const RtmRegistration *reg, int column);

/* current_partner(), as a text Datum. */
extern Datum rtm_current_partner(bool *isnull);

/* Whether it keeps others out once it is active. */
extern bool rtm_is_exclusive(const RtmRegistration *reg);

/* Whether the days of protection are over on that day. */
extern bool rtm_protection_over(Datum protection, DateADT day);

/* Who acts: bits, as the actors of a transition. */
typedef enum RtmActor
{
	RTM_PARTNER = 1,
	RTM_STAFF = 2,
	RTM_SYSTEM = 4
} RtmActor;

extern const char *rtm_actor_name(RtmActor actor);

/*
 * Staff is who may write protection, below a definer's function too; all
 * others are partners. System are the scheduled calls.
 */
extern RtmActor rtm_actor(Relation rel);
extern bool rtm_system_call;

/* For scheduled calls: 42501 for who is not staff. */
extern void rtm_require_staff(Relation rel);

/* May the current user write the column in INSERT or UPDATE? */
extern bool rtm_may_write(Relation rel, int column, AclMode mode, Oid user);

/* And whoever called it, where a function runs with its definer's rights? */
extern bool rtm_may_choose(Relation rel, int column, AclMode mode);

/* The instant to put into a column by default: as_of, or the clock. */
extern TimestampTz rtm_default_instant(Relation rel, int column, AclMode mode);

/* The protection that starts on that day. */
extern Datum rtm_protection_from(const RtmProgramme *programme, DateADT day);

/* A range of days as text, the same under every DateStyle; and a day. */
extern char *rtm_range_text(Datum range);
extern char *rtm_day_text(DateADT day);
extern char *rtm_uuid_text(const pg_uuid_t *id);

/* Raises P0002: there is none that the caller may see. */
pg_noreturn extern void rtm_refuse_unknown(const pg_uuid_t *id);

/* States and their transitions, registration_state.c. */

typedef struct RtmState
{
	const char *status;
	bool		active;			/* it protects */
	bool		open;			/* it waits for a decision */
	bool		expires;		/* it is over with its protection */
} RtmState;

typedef struct RtmTransition
{
	const char *from;
	const char *to;
	int			actors;			/* RTM_ bits */
	bool		reason_required;
} RtmTransition;

typedef struct RtmMachine
{
	RtmTransition *transition;
	int			transitions;
} RtmMachine;

/* The columns that a state may leave open to change. */
extern bool rtm_business_column(int column);

/* The business column of that name; 0 for none. */
extern int	rtm_business_column_named(const char *name);

extern void rtm_read_transitions(RtmMachine *machine, MemoryContext context);

/* The state, or NULL for a status that is none. */
extern const RtmState *rtm_state(const char *status);

/* The columns that may change in it. */
extern Bitmapset *rtm_editable(const RtmState *state);
extern const RtmTransition *rtm_transition(const RtmMachine *machine, const char *from,
										   const char *to, RtmActor actor);
pg_noreturn extern void rtm_refuse_transition(Relation rel, const RtmMachine *machine,
											  const char *from, const char *to, RtmActor actor);

/* What else is in the way, rival.c. */

typedef struct RtmRival
{
	pg_uuid_t	id;
	char	   *account;
	char	   *partner;
	Datum		protection;
	TimestampTz submitted_at;
} RtmRival;

/* What is said of a protection in the way; */
#define RTM_CONFLICT "deal registration conflicts with an active registration"
#define RTM_CONFLICT_HINT "Narrow the products or regions, wait for the protection to end, " \
	"or have channel management resolve the conflict."

/* and to a caller who may not read the rival. */
#define RTM_RIVAL_HIDDEN "Another active registration protects this account and scope."

/*
 * The active exclusive registration in the way of this one's account, scope
 * and protection, the earliest of several, but for the one called self (may be
 * NULL).
 */
extern bool rtm_find_rival(Relation rel, const RtmRegistration *reg, const pg_uuid_t *self,
						   RtmRival *rival);

typedef enum RtmSearch
{
	RTM_OWN,					/* the partner's, that waits or still protects */
	RTM_OWN_PROTECTED,			/* the partner's, exclusive, whose protection overlaps */
	RTM_EARLIER,				/* anybody's, exclusive, that waits longer */
	RTM_WAITING					/* anybody's, exclusive, that waits */
} RtmSearch;

/* Another registration of the account whose scope overlaps, likewise. */
extern bool rtm_find_other(Relation rel, const RtmRegistration *reg,
						   RtmSearch search, DateADT day, const pg_uuid_t *self,
						   RtmRival *other);

/* May the caller read it? And what is said of it, if so. */
extern bool rtm_may_tell(Oid relid, const RtmRival *rival);
extern char *rtm_rival_text(const RtmRival *rival);

/* Raises 23P01 roe_protected. */
pg_noreturn extern void rtm_refuse_rival(Relation rel, const RtmRival *rival);

/*
 * Has its account been merged into another, registration_merge.c? The
 * survivor, where the caller may know it, else NULL.
 */
extern bool rtm_is_merged(Relation rel, const RtmRegistration *reg, char **survivor);

/* Raises 23514 roe_account_merged if so. */
extern void rtm_refuse_merged(Relation rel, const RtmRegistration *reg);

/*
 * What a registration went through, extension.c. Raises 23514 roe_extension
 * where the terms do not let the caller extend it so.
 */
extern void rtm_check_extension(Relation rel, const RtmRegistration *old,
								const RtmRegistration *new, TimestampTz at);

/* Was it with its partner for longer than it keeps its place? */
extern bool rtm_loses_place(Relation rel, const RtmRegistration *old, TimestampTz at);

/* The rules of engagement, roe_rule.c, eligibility.c and roe_route.c. */

typedef enum RtmRuleKind
{
	RTM_BLOCKED_ROUTE,
	RTM_DIRECT_ACTIVE,
	RTM_DUPLICATE,
	RTM_EXISTING_CUSTOMER,
	RTM_INCOMPLETE,
	RTM_MIN_AMOUNT,
	RTM_PENDING,
	RTM_PROTECTED,
	RTM_CERTIFIED,
	RTM_PARTNER_TIER,
	RTM_POSSIBLE_DUPLICATE,
	RTM_TERRITORY,
	RTM_GUARDRAIL,
	RTM_INCUMBENT,
	RTM_PROTECTED_STAGE,
	RTM_SECOND_REGISTRANT,
	RTM_TENDER
} RtmRuleKind;

#define RTM_RULE_KINDS (RTM_TENDER + 1)

typedef enum RtmVerdict
{
	RTM_PASS,
	RTM_WARN,
	RTM_REVIEW,
	RTM_DENY
} RtmVerdict;

typedef struct RtmRule
{
	const char *rule;
	RtmRuleKind kind;
	RtmVerdict	verdict;		/* where it does not pass */
	List	   *fields;			/* incomplete: names; blocked_route: routes (char *) */
	Interval   *lookback;		/* existing_customer, direct_active, incumbent */
	List	   *currencies;		/* min_amount: codes (char *), */
	List	   *minima;			/* and for each its least amount (Numeric) */
	RtmVerdict	unassigned;		/* blocked_route: where none of them is open */
	int			people;			/* certified: at least so many */
	const char *tier;			/* partner_tier: this one or a better one */
	RtmVerdict	approval;		/* guardrail: where somebody may approve it */
	const char *route;			/* guardrail: the route of registrations */
	Interval   *window;			/* incumbent: days before the end of a term, */
	Interval   *term;			/* and how long one is that the CRM has no end of */
	bool		reduced;		/* second_registrant: it passes beside the first, */
	Datum		factor;			/* with this part of the discount (numeric) */
	bool		non_exclusive;	/* tender: who registers for one keeps nobody out */
} RtmRule;

typedef struct RtmRules
{
	RtmRule    *rule;			/* the enabled ones, by name bytewise */
	int			rules;
} RtmRules;

extern const RtmRules *rtm_read_rules(MemoryContext context);

/* Has another partner registered the account under another id? twin.c */
extern RtmVerdict rtm_account_twin(Relation rel, const RtmRegistration *reg, DateADT day);

/* What is judged by, read once for a call's whole query. */
typedef struct RtmTerms
{
	MemoryContext context;
	const RtmProgramme *programme;
	RtmMachine	machine;		/* read when a row changes its state */
	bool		has_transitions;
	const RtmRules *rules;
	struct RtmRoutes *routes;	/* of roe_route.c */
} RtmTerms;

extern RtmTerms *rtm_query_terms(FmgrInfo *flinfo);

/* What not every query needs is read when it does. */
extern const RtmMachine *rtm_terms_machine(RtmTerms *terms);
extern const RtmRules *rtm_terms_rules(RtmTerms *terms);

typedef struct RtmFinding
{
	const char *rule;
	RtmRuleKind kind;
	RtmVerdict	verdict;
	const char *code;			/* NULL where it passes */
	char	   *detail;
} RtmFinding;

/* A registration on its way through the rules. */
typedef struct RtmCase
{
	RtmTerms   *terms;
	Relation	rel;
	const RtmRegistration *reg;
	const pg_uuid_t *self;
	TimestampTz at;
	DateADT		day;			/* of that instant, in the programme's zone */
	bool		enforce;		/* the row is written, not asked about */
	const RtmRule *customer;	/* the rules whose facts were asked for, */
	const RtmRule *direct;
	bool		existing_customer;	/* and what they are */
	bool		direct_active;
} RtmCase;

/* The rule does not pass; or the caller may not be told. */
extern void rtm_fail(RtmFinding *finding, const RtmRule *rule, char *detail);
extern void rtm_needs_review(RtmFinding *finding);

/*
 * May the caller see the registrations of its partner? Staff may, and who
 * acts for the partner.
 */
extern bool rtm_may_see_partner(Relation rel, const RtmRegistration *reg);

/* Rules that rest on where a partner may sell, of registrations with scopes. */
extern void rtm_ask_territory(const RtmCase *on, const RtmRule *rule, RtmFinding *finding);
extern void rtm_ask_routes(const RtmCase *on, const RtmRule *rule, RtmFinding *finding);

/* May the caller read a relation, below a definer's function too? Every deal? */
extern bool rtm_may_read(const char *relation);
extern bool rtm_may_see_deals(void);

/* Rules that keep the margin, roe_margin.c. */
extern void rtm_ask_margin(const RtmCase *on, const RtmRule *rule, RtmFinding *finding);

/* Is it one that is to be entered without keeping others out? */
extern bool rtm_shares_ground(RtmTerms *terms, Relation rel, const RtmRegistration *reg);

/* Does it ask for other discounts than before? */
extern bool rtm_discounts_differ(const RtmRegistration *old, const RtmRegistration *new);

/* Raises 23514 roe_guardrail where they are denied, eligibility.c. */
extern void rtm_refuse_discounts(RtmTerms *terms, Relation rel, const RtmRegistration *reg,
								 const pg_uuid_t *self, TimestampTz at);

/*
 * Raises 23514 roe_excluded where a rule protects the stage of the deal that
 * a registration is linked to, is taken from, or asks other discounts for.
 */
extern void rtm_refuse_late_link(RtmTerms *terms, Relation rel, const RtmRegistration *old,
								 const RtmRegistration *new, TimestampTz at);

/* Overrides, override.c: until when one lets it pass by a rule; NULL for none. */
extern char *rtm_overridden(Relation rel, const pg_uuid_t *id, const char *rule, TimestampTz at);

/* While an override is written into the log of its registration. */
typedef struct RtmOverride
{
	const pg_uuid_t *id;		/* of the registration */
	Datum		changed;		/* jsonb */
	const char *reason;
} RtmOverride;

extern const RtmOverride *rtm_override_of(const RtmRegistration *reg);

/*
 * Judge a registration by every rule, as of an instant. Its scopes are NULL
 * where they could not be derived; rules that need them are left out then.
 * To enforce them on a row that is written only what could deny is asked, and
 * a rival that would put a partner's registration into the queue. The list is
 * of RtmFinding *.
 */
extern List *rtm_judge(RtmTerms *terms, Relation rel, const RtmRegistration *reg,
					   const pg_uuid_t *self, TimestampTz at, bool enforce);

/* Raises 23514 roe_not_eligible, roe_excluded or roe_guardrail where a finding denies. */
extern void rtm_enforce(Relation rel, List *findings);

#endif							/* REVRTM_REGISTRATION_H */
