/*-------------------------------------------------------------------------
 *
 * normalize.h
 *		Rules that make two spellings of one id, domain or company equal.
 *		Pure: no PostgreSQL header, no locale, UTF-8.
 *
 * Whatever the bytes are, valid UTF-8 or not, the functions are defined and
 * take time in proportion to them; an interrupt function may leave by longjmp.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_NORMALIZE_H
#define REVRTM_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A Salesforce id: 15 characters that know upper from lower case, 3 that repeat the case. */
#define SALESFORCE_BODY		15
#define SALESFORCE_ID		18

typedef enum SalesforceStatus
{
	SALESFORCE_OK,
	SALESFORCE_LENGTH,			/* not of 15 or 18 characters */
	SALESFORCE_CHARACTER,		/* not of letters and digits alone */
	SALESFORCE_CHECK			/* the last 3 contradict the others */
} SalesforceStatus;

/* The 3 characters that repeat the case of the 15. */
extern void rtm_salesforce_check(const char *body, char *check);

/* The id of 18 characters, into out. */
extern SalesforceStatus rtm_salesforce_id(const char *id, size_t length, char *out);

/* A domain name has at most so many bytes. */
#define DOMAIN_MOST			253

/*
 * The domain in a URL, an address of electronic mail or a bare name, into
 * out[DOMAIN_MOST]; its length, 0 where there is none.
 */
extern size_t rtm_normal_domain(const char *in, size_t length, char *out);

/*
 * A company's name, folded and without its legal form, into out, which has
 * room for rtm_company_room() bytes; its length, 0 where no letter or digit
 * is left.
 */
extern size_t rtm_company_room(const char *in, size_t length);
extern size_t rtm_normal_company(const char *in, size_t length, char *out,
								 void (*interrupt) (void));

#endif							/* REVRTM_NORMALIZE_H */
