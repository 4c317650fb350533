/*-------------------------------------------------------------------------
 *
 * normalize_test.c
 *		Unit test of the rules for ids, domains and company names, without a
 *		server: examples, and random bytes in exactly the room they may use.
 *
 *		cc -fsanitize=address,undefined -Isrc test/unit/normalize_test.c src/normalize.c
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "normalize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int	tests = 0;
static int	failures = 0;
static long interrupts = 0;

static void
report(const char *name, long bad)
{
	tests++;
	if (bad != 0)
		failures++;
	printf("%sok %d - %s", bad ? "not " : "", tests, name);
	if (bad != 0)
		printf(" (%ld bad)", bad);
	printf("\n");
}

static void
count_interrupt(void)
{
	interrupts++;
}

static uint64_t seed = UINT64_C(88172645463325252);

static size_t
random_below(size_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t) (seed % limit);
}

/* Exactly as much memory as asked for, so that a sanitizer sees each overrun. */
static char *
room(size_t bytes)
{
	char	   *p = malloc(bytes > 0 ? bytes : 1);

	if (p == NULL)
		abort();
	return p;
}

static size_t
company(const char *name, size_t length, char **out)
{
	char	   *in = room(length);
	size_t		n;

	memcpy(in, name, length);
	*out = room(rtm_company_room(in, length));
	n = rtm_normal_company(in, length, *out, count_interrupt);
	free(in);
	return n;
}

static size_t
domain(const char *address, size_t length, char *out)
{
	char	   *in = room(length);
	char	   *own = room(DOMAIN_MOST);
	size_t		n;

	memcpy(in, address, length);
	n = rtm_normal_domain(in, length, own);
	memcpy(out, own, n);
	free(in);
	free(own);
	return n;
}

static long
differs(const char *given, const char *got, size_t n, const char *wanted)
{
	if (n == strlen(wanted) && memcmp(got, wanted, n) == 0)
		return 0;
	printf("# '%s' gives '%.*s', not '%s'\n", given, (int) n, got, wanted);
	return 1;
}

static void
test_company(void)
{
	static const char *const example[][2] = {
		{"Acme", "acme"}, {"  ACME,\tInc. ", "acme"}, {"Acme Co., Ltd.", "acme"},
		{"The Acme Company", "acme"}, {"Theta Ltd", "theta"}, {"The", "the"},
		{"The Company", "the company"}, {"Company", "company"}, {"& Co", "and co"},
		{"Inc Inc Inc", "inc"}, {"Co & Co", "co"}, {"Barnes & Noble", "barnes and noble"},
		{"AT&T", "at and t"}, {"&", "and"}, {"&&", "and and"}, {"Rolls-Royce plc", "rolls royce"},
		{"S.A. Foo S.A.", "sa foo"}, {"Foo S. A.", "foo"}, {"Foo S.p.A", "foo"},
		{"Plan B S.A.", "plan b"},
		{"Plan B S A", "plan b"}, {"S A", "s a"}, {"Novo A/S", "novo"}, {"J.Crew", "j crew"},
		{"J. Crew", "j crew"}, {"U.S. Steel", "us steel"}, {"Amazon.com", "amazon com"},
		{"3.5 Inc", "3 5"}, {"Inco", "inco"}, {"Foo Private Limited", "foo"},
		{"Foo Pvt. Ltd.", "foo"},
		{"M\xc3\xbcller GmbH & Co. KG", "muller"}, {"Mu\xcc\x88ller", "muller"},
		{"STRAßE \xc3\x86RØ \xc5\x92uvre \xc3\x9e\xc3\xb3r", "strasse aero oeuvre thor"},
		{"\xc5\x81\xc3\xb3" "d\xc5\xba sp. z o.o.", "lodz"},
		{"Vi\xe1\xbb\x87t D\xc6\xb0\xc6\xa1ng", "viet duong"},
		{"\xc8\x98tefan \xc8\x9a\xc4\x83ndarei", "stefan tandarei"},
		{"L\xe2\x80\x99Or\xc3\xa9\x61l SA", "loreal"}, {"Macy's", "macys"},
		{"A\xc2\xa0" "B\xe2\x80\x94" "C", "a b c"}, {"Acme\xe2\x84\xa2 \xc2\xae", "acme"},
		{"\xd0\x93\xd0\x90\xd0\x97 \xd0\x81", "\xd0\xb3\xd0\xb0\xd0\xb7 \xd1\x91"},
		{"\xce\x9f\xce\xa0\xce\x91\xce\xa3 \xce\xbf\xcf\x82",
		"\xce\xbf\xcf\x80\xce\xb1\xcf\x83 \xce\xbf\xcf\x83"},
		{"\xef\xbc\xa6\xef\xbd\x95\xef\xbd\x8a\xef\xbd\x89\xe3\x80\x80"
		"\xef\xbc\xab\xef\xbc\x8e\xef\xbc\xab", "fuji"},
		{"\xe6\xa0\xaa\xe5\xbc\x8f", "\xe6\xa0\xaa\xe5\xbc\x8f"}, {"", ""}, {" - !", ""},
		{"caf\xe9 \xff", "caf\xe9 \xff"}, {"x\xe2\x80", "x\xe2\x80"}
	};
	long		bad = 0;
	char	   *out;

	for (size_t i = 0; i < sizeof(example) / sizeof(example[0]); i++)
	{
		size_t		n = company(example[i][0], strlen(example[i][0]), &out);

		bad += differs(example[i][0], out, n, example[i][1]);
		free(out);
	}
	report("company names as they should be", bad);

	/* Any bytes. */
	{
		static const char *const part[] = {
			"&", " ", ".", "a", "S.A.", "Co", "inc", "and", "the ", "\xc3", "\xbc", "\xc3\x9f",
				"\xe2\x80",
			"\xef\xbd\x81", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc0\x80", "'", "B", "/", "9"
		};
		long		spaces = 0;
		long		kept = 0;

		bad = 0;
		for (int round = 0; round < 200000; round++)
		{
			char		text[64];
			size_t		length = 0;
			size_t		n;

			for (size_t parts = random_below(9); parts > 0; parts--)
			{
				const char *p = part[random_below(sizeof(part) / sizeof(part[0]))];

				if (random_below(4) == 0)
					text[length++] = (char) random_below(256);
				memcpy(text + length, p, strlen(p));
				length += strlen(p);
			}
			n = company(text, length, &out);
			bad += n > rtm_company_room(text, length);
			for (size_t i = 0; i < n; i++)
				spaces += out[i] == ' ' && (i == 0 || i == n - 1 || out[i - 1] == ' ');
			for (size_t i = 0; i < n; i++)
				kept += (out[i] >= 'A' && out[i] <= 'Z') || strchr("&./'", out[i]) != NULL;
			free(out);
		}
		report("company names of random bytes stay in their room", bad);
		report("single spaces between words", spaces);
		report("no capitals and punctuation left", kept);
	}

	{
		size_t		length = 4000000;
		char	   *text = room(length);
		size_t		n;

		for (size_t i = 0; i < length; i++)
			text[i] = " inc"[i % 4];
		interrupts = 0;
		n = company(text, length, &out);
		bad = n != 3 || interrupts < 100;
		free(out);
		memset(text, '&', length);
		n = company(text, length, &out);
		bad += n != 4 * length - 1;
		free(out);
		free(text);
		report("long names, interruptible", bad);
	}
}

static void
test_domain(void)
{
	static const char *const example[][2] = {
		{"acme.com", "acme.com"}, {" WWW.Acme.COM. ", "acme.com"},
		{"https://www.acme.com/a?b#c", "acme.com"},
		{"http://user:p%40ss@shop.acme.co.uk:8080/x", "shop.acme.co.uk"},
		{"//cdn.acme.io/x", "cdn.acme.io"},
		{"ann@acme.com", "acme.com"}, {"mailto:Ann@Acme.com?subject=x", "acme.com"},
		{"MAILTO:a@b.de", "b.de"},
		{"a@b@c.de", "c.de"}, {"acme.com:443", "acme.com"}, {"acme.com:", "acme.com"},
		{"acme.com?x", "acme.com"},
		{"acme.com\\x", "acme.com"}, {"www.com", "www.com"}, {"www.co.uk", "co.uk"},
		{"www2.acme.com", "www2.acme.com"},
		{"M\xc3\x9cnchen.DE", "m\xc3\xbcnchen.de"},
		{"\xc5\xb8\xc5\xb9\xc4\xb9.\xcf\x82", "\xc3\xbf\xc5\xba\xc4\xba.\xcf\x82"},
		{"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
		{"a-b.c-d.io", "a-b.c-d.io"},
		{"1.com", "1.com"}, {"git+ssh://acme.com/x", "acme.com"},
		{"", ""}, {" ", ""}, {"acme", ""}, {"acme.", ""}, {".acme.com", ""}, {"acme..com", ""},
		{"acme.com..", ""},
		{"-acme.com", ""}, {"acme-.com", ""}, {"acme.com-", ""}, {"ac me.com", ""},
		{"ac_me.com", ""}, {"10.0.0.1", ""},
		{"http://[::1]/", ""}, {"http://", ""}, {"mailto:", ""}, {"n/a", ""},
		{"acme.com, acme.de", ""},
		{"acme\xc2\xa0.com", ""}, {"ac\xe2\x80\x8bme.com", ""}, {"ann@", ""},
		{"@acme.com", "acme.com"}
	};
	char		out[DOMAIN_MOST];
	char		text[300];
	long		bad = 0;

	for (size_t i = 0; i < sizeof(example) / sizeof(example[0]); i++)
		bad += differs(example[i][0], out, domain(example[i][0], strlen(example[i][0]), out),
			example[i][1]);
	report("domains as they should be", bad);

	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	bad = domain(text, 253, out) != 253 || domain(text, 254, out) != 0;
	text[63] = 'a';
	bad += domain(text, 253, out) != 0;
	report("labels of 63 bytes and names of 253", bad);

	bad = 0;
	for (int round = 0; round < 300000; round++)
	{
		static const char some[] = "aW.w/:@-?#\\ \t9\xc3\xbc\xe2";
		char		again[DOMAIN_MOST];
		size_t		length = random_below(24);
		size_t		n;

		for (size_t i = 0; i < length; i++)
			text[i] = random_below(8) == 0 ? (char) random_below(256) :
				some[random_below(sizeof(some) - 1)];
		n = domain(text, length, out);
		/* A domain is its own but for a www. that stands behind another. */
		if (n > 0 && memcmp(out, "www.", 4) != 0)
			bad += domain(out, n, again) != n || memcmp(out, again, n) != 0;
	}
	report("domains of random bytes, and of domains", bad);
}

static void
test_salesforce(void)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char		id[SALESFORCE_ID];
	char		other[SALESFORCE_ID];
	char		out[SALESFORCE_ID];
	long		bad = 0;
	long		missed = 0;

	bad += rtm_salesforce_id("0013000000D6WTO", 15, out) != SALESFORCE_OK ||
		memcmp(out, "0013000000D6WTOAA3", 18) != 0;
	bad += rtm_salesforce_id("0013000000D6WTOAA3", 18, out) != SALESFORCE_OK ||
		memcmp(out, "0013000000D6WTOAA3", 18) != 0;
	bad += rtm_salesforce_id("0013000000d6wtoaa3", 18, out) != SALESFORCE_OK ||
		memcmp(out, "0013000000D6WTOAA3", 18) != 0;
	bad += rtm_salesforce_id("0013000000D6WToAA3", 18, out) != SALESFORCE_CHECK;
	bad += rtm_salesforce_id("0013000000d6wtobaa", 18, out) != SALESFORCE_CHECK;
	bad += rtm_salesforce_id("0013000000d6wtoaa9", 18, out) != SALESFORCE_CHECK;
	bad += rtm_salesforce_id("0013000000D6WT", 14, out) != SALESFORCE_LENGTH;
	bad += rtm_salesforce_id("", 0, out) != SALESFORCE_LENGTH;
	bad += rtm_salesforce_id("0013000000D6WT-", 15, out) != SALESFORCE_CHARACTER;
	bad += rtm_salesforce_id("0013000000D6WTOA 3", 18, out) != SALESFORCE_CHARACTER;
	report("ids as they should be", bad);

	bad = 0;
	for (int round = 0; round < 200000; round++)
	{
		size_t		at = random_below(SALESFORCE_BODY);

		for (int i = 0; i < SALESFORCE_BODY; i++)
			id[i] = digit[random_below(62)];
		bad += rtm_salesforce_id(id, SALESFORCE_BODY, id) != SALESFORCE_OK;
		for (int fold = 0; fold < 2; fold++)
		{
			for (int i = 0; i < SALESFORCE_ID; i++)
			{
				if (fold == 0)
					other[i] = (char) (id[i] >= 'a' && id[i] <= 'z' ? id[i] - 32 : id[i]);
				else
					other[i] = (char) (id[i] >= 'A' && id[i] <= 'Z' ? id[i] + 32 : id[i]);
			}
			bad += rtm_salesforce_id(other, SALESFORCE_ID, out) != SALESFORCE_OK ||
				memcmp(out, id, SALESFORCE_ID) != 0;
		}
		/* One letter of the wrong case. */
		memcpy(other, id, SALESFORCE_ID);
		if (other[at] >= 'A')
		{
			bool		uppers = false;
			bool		lowers = false;

			other[at] ^= 32;
			for (int i = 0; i < SALESFORCE_BODY; i++)
			{
				uppers |= other[i] >= 'A' && other[i] <= 'Z';
				lowers |= other[i] >= 'a';
			}
			missed += uppers && lowers &&
				rtm_salesforce_id(other, SALESFORCE_ID, out) != SALESFORCE_CHECK;
		}
		/* Any bytes. */
		for (int i = 0; i < SALESFORCE_ID; i++)
			other[i] = random_below(4) ? digit[random_below(62)] : (char) random_below(256);
		rtm_salesforce_id(other, random_below(SALESFORCE_ID + 1), out);
		rtm_salesforce_id(other, SALESFORCE_ID, out);
	}
	report("the case of an id comes back from capitals and from small letters", bad);
	report("a letter of the wrong case is found", missed);
}

int
main(void)
{
	test_company();
	test_domain();
	test_salesforce();
	printf("1..%d\n", tests);
	return failures != 0;
}
