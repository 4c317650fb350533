/*-------------------------------------------------------------------------
 *
 * normalize.c
 *		Rules that make two spellings of one id, domain or company equal.
 *
 * Characters are folded by tables of our own, so that a result depends on no
 * locale, version or library and can be stored and indexed.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "normalize.h"

#include <string.h>

static inline bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool
is_letter(unsigned char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

static inline char
lower(char c)
{
	return is_upper((unsigned char) c) ? (char) (c + 32) : c;
}

/* Blank in ASCII: what stands around values that people paste. */
static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ------------------------------------------------------- Salesforce ids */

static const char check_digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/* Of each five characters, bit i of the check says that the i-th is a capital. */
void
rtm_salesforce_check(const char *body, char *check)
{
	for (int group = 0; group < SALESFORCE_ID - SALESFORCE_BODY; group++)
	{
		int			capitals = 0;

		for (int i = 0; i < 5; i++)
			capitals |= is_upper((unsigned char) body[group * 5 + i]) << i;
		check[group] = check_digit[capitals];
	}
}

/*
 * An id of 18 characters survives systems that do not know upper from lower
 * case: where all letters are of one case, the check restores it.  Letters of
 * both cases that contradict the check are a typing error.
 */
SalesforceStatus
rtm_salesforce_id(const char *id, size_t length, char *out)
{
	char		check[SALESFORCE_ID - SALESFORCE_BODY];
	bool		uppers = false;
	bool		lowers = false;

	if (length != SALESFORCE_BODY && length != SALESFORCE_ID)
		return SALESFORCE_LENGTH;
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) id[i];

		if (!is_letter(c) && !is_digit(c))
			return SALESFORCE_CHARACTER;
		if (i < SALESFORCE_BODY)
		{
			uppers |= is_upper(c);
			lowers |= is_letter(c) && !is_upper(c);
		}
	}

	memcpy(out, id, SALESFORCE_BODY);
	rtm_salesforce_check(out, check);
	if (length == SALESFORCE_ID)
	{
		for (int group = 0; group < SALESFORCE_ID - SALESFORCE_BODY; group++)
		{
			char		given = id[SALESFORCE_BODY + group];
			const char *digit;

			given = (char) (is_letter((unsigned char) given) ? given & ~32 : given);
			if (given == check[group])
				continue;
			digit = strchr(check_digit, given);
			if (digit == NULL || (uppers && lowers))
				return SALESFORCE_CHECK;
			for (int i = 0; i < 5; i++)
			{
				char	   *c = &out[group * 5 + i];

				if ((digit - check_digit) >> i & 1)
					*c = (char) (is_letter((unsigned char) *c) ? *c & ~32 : *c);
				else
					*c = lower(*c);
			}
			check[group] = given;
		}
		/* What the check makes a capital may have been a digit. */
		rtm_salesforce_check(out, out + SALESFORCE_BODY);
		if (memcmp(out + SALESFORCE_BODY, check, sizeof(check)) != 0)
			return SALESFORCE_CHECK;
	}
	memcpy(out + SALESFORCE_BODY, check, sizeof(check));
	return SALESFORCE_OK;
}

/* ----------------------------------------------------------- characters */

/* A character that is none: a byte that is not UTF-8. */
#define NOT_UTF8	UINT32_MAX

/*
 * The character at in[0 .. length), length > 0, and how many bytes it takes.
 */
static uint32_t
next_character(const unsigned char *in, size_t length, size_t *bytes)
{
	uint32_t	c = in[0];
	size_t		more = c < 0xC2 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : c < 0xF5 ? 3 : 0;

	*bytes = 1;
	if (c < 0x80)
		return c;
	if (more == 0 || more >= length)
		return NOT_UTF8;
	c &= 0x3Fu >> more;
	for (size_t i = 1; i <= more; i++)
	{
		if ((in[i] & 0xC0) != 0x80)
			return NOT_UTF8;
		c = c << 6 | (in[i] & 0x3F);
	}
	if ((more == 2 && (c < 0x800 || (c >= 0xD800 && c < 0xE000))) ||
		(more == 3 && (c < 0x10000 || c > 0x10FFFF)))
		return NOT_UTF8;
	*bytes = more + 1;
	return c;
}

/*
 * What the Latin letters from U+00C0, U+01A0 and U+1E00 on are without their
 * accents; a capital stands for two letters, a full stop for none.
 */
static const char latin_00c0[] =
"aaaaaaAceeeeiiiidnooooo.ouuuuyTSaaaaaaAceeeeiiiidnooooo.ouuuuyTy"
"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiJJjjkkklllllll"
"lllnnnnnnnnnooooooOOrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static const char latin_01a0[] =
"oo.............uu...................ZZZ......aaiioouuuuuuuuuu.aa"
"aa....ggkkoooo..jZZZgg..nnaa....aaaaeeeeiiiioooorrrruuuusstt";
static const char latin_1e00[] =
"aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
"mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
"wwwwwwwwwwxxxxyyzzzzzzhtwy.s..S.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
"eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy";

static char
latin_base(uint32_t c)
{
	if (c >= 0xC0 && c - 0xC0 < sizeof(latin_00c0) - 1)
		return latin_00c0[c - 0xC0];
	if (c >= 0x1A0 && c - 0x1A0 < sizeof(latin_01a0) - 1)
		return latin_01a0[c - 0x1A0];
	if (c >= 0x1E00 && c - 0x1E00 < sizeof(latin_1e00) - 1)
		return latin_1e00[c - 0x1E00];
	return '.';
}

typedef enum CharacterKind
{
	CHARACTER_LETTER,			/* or digit: part of a word */
	CHARACTER_MARK,				/* as if it were not there */
	CHARACTER_BETWEEN			/* ends a word */
} CharacterKind;

/* Of a character beyond ASCII. */
static CharacterKind
kind_of(uint32_t c)
{
	/* combining accents, apostrophes, what has no width */
	if ((c >= 0x300 && c <= 0x36F) || c == 0x2BC || c == 0x2018 || c == 0x2019 ||
		c == 0xAD || (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF ||
		(c >= 0xFE00 && c <= 0xFE0F))
		return CHARACTER_MARK;

	/* controls, signs, punctuation, spaces and symbols of several blocks */
	if ((c < 0xC0 && c != 0xAA && c != 0xB5 && c != 0xBA) || c == 0xD7 || c == 0xF7 ||
		(c >= 0x2000 && c <= 0x206F) || (c >= 0x20A0 && c <= 0x2BFF) ||
		(c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) || c == 0x30FB ||
		(c >= 0xFF01 && c <= 0xFF0F) || (c >= 0xFF1A && c <= 0xFF20) ||
		(c >= 0xFF3B && c <= 0xFF40) || (c >= 0xFF5B && c <= 0xFF65))
		return CHARACTER_BETWEEN;
	return CHARACTER_LETTER;
}

/*
 * Letters of Latin, Greek and Cyrillic in lower case; others as they are.  All
 * that change take two bytes in either case.
 */
static uint32_t
lower_character(uint32_t c)
{
	if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3AB) ||
		(c >= 0x410 && c <= 0x42F))
		return c + 0x20;
	/* Pairs of capital and small: even and odd, but odd and even in two stretches. */
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
		return c + (c & 1);
	if (c >= 0x100 && c <= 0x177 && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149)
		return c | 1;
	if (c == 0x178)
		return 0xFF;
	if (c >= 0x400 && c <= 0x40F)
		return c + 0x50;
	return c;
}

/* The character's bytes, in lower case. */
static void
put_lower(char *out, const unsigned char *in, size_t bytes, uint32_t c)
{
	uint32_t	small = c == NOT_UTF8 ? c : lower_character(c);

	memcpy(out, in, bytes);
	if (small != c)
	{
		out[0] = (char) (0xC0 | small >> 6);
		out[1] = (char) (0x80 | (small & 0x3F));
	}
}

/* -------------------------------------------------------------- domains */

static bool
is_domain(const char *name, size_t length)
{
	size_t		label = 0;		/* bytes of the label so far */
	int			labels = 1;
	bool		numeric = true;

	for (size_t at = 0; at < length;)
	{
		unsigned char c = (unsigned char) name[at];
		size_t		bytes = 1;

		if (c == '.')
		{
			if (label == 0 || name[at - 1] == '-')
				return false;
			label = 0;
			labels++;
			numeric = true;
			at++;
			continue;
		}
		if (c >= 0x80)
		{
			uint32_t	character = next_character((const unsigned char *) name + at,
												   length - at, &bytes);

			if (character != NOT_UTF8 && kind_of(character) != CHARACTER_LETTER)
				return false;
			numeric = false;
		}
		else if (is_letter(c) || (c == '-' && label > 0))
			numeric = false;
		else if (!is_digit(c))
			return false;
		label += bytes;
		if (label > 63)
			return false;
		at += bytes;
	}
	/* A last label of digits is an address of the network. */
	return labels > 1 && label > 0 && name[length - 1] != '-' && !numeric;
}

size_t
rtm_normal_domain(const char *in, size_t length, char *out)
{
	const char *end = in + length;
	const char *p;
	size_t		n;

	while (in < end && is_blank(*in))
		in++;
	while (in < end && is_blank(end[-1]))
		end--;

	/* scheme://, or // alone, or mailto: */
	for (p = in; p < end && (is_letter((unsigned char) *p) || is_digit((unsigned char) *p) ||
							 *p == '+' || *p == '-' || *p == '.'); p++)
		;
	if (p < end && *p == ':' && end - p > 2 && p[1] == '/' && p[2] == '/')
		in = p + 3;
	else if (p == in && end - p > 1 && p[0] == '/' && p[1] == '/')
		in = p + 2;
	else if (p < end && *p == ':' && p - in == 6)
	{
		static const char mailto[] = "mailto";
		int			i = 0;

		while (i < 6 && lower(in[i]) == mailto[i])
			i++;
		if (i == 6)
			in = p + 1;
	}

	/* The authority, its part after the user, without the port. */
	for (p = in; p < end && *p != '/' && *p != '?' && *p != '#' && *p != '\\'; p++)
	{
		if (*p == '@')
			in = p + 1;
	}
	end = p;
	for (p = end; p > in && is_digit((unsigned char) p[-1]); p--)
		;
	if (p > in && p[-1] == ':')
		end = p - 1;

	if (end - in > 4 && memchr(in + 4, '.', (size_t) (end - in - 4)) != NULL &&
		lower(in[0]) == 'w' && lower(in[1]) == 'w' && lower(in[2]) == 'w' && in[3] == '.')
		in += 4;
	if (in < end && end[-1] == '.')
		end--;

	n = (size_t) (end - in);
	if (n == 0 || n > DOMAIN_MOST || !is_domain(in, n))
		return 0;
	for (size_t at = 0, bytes; at < n; at += bytes)
	{
		const unsigned char *character = (const unsigned char *) in + at;
		uint32_t	c = next_character(character, n - at, &bytes);

		if (c < 0x80)
			out[at] = lower((char) c);
		else
			put_lower(out + at, character, bytes, c);
	}
	return n;
}

/* ------------------------------------------------------------ companies */

/*
 * Legal forms, as folded.  Those of single letters are also met with spaces
 * between: S.A. is sa, but S. A. and A/S are two words each.
 */
static const char *const legal_form[] = {
	"inc", "incorporated", "corp", "corporation", "co", "company", "companies",
	"llc", "llp", "lllp", "lp", "pllc", "pc", "pbc", "plc", "ltd", "ltda",
	"private limited", "limited", "pty", "pte", "pvt", "sdn", "bhd", "berhad", "tbk",
	"gmbh", "mbh", "ggmbh", "ag", "kg", "kgaa", "ohg", "ug", "se",
	"sa", "sas", "sasu", "sarl", "sca", "scs", "snc", "sl", "slu", "sau", "srl", "srls",
	"spa", "sprl", "bvba", "bv", "nv", "vof", "lda", "eireli",
	"ab", "as", "asa", "aps", "oy", "oyj", "ehf",
	"sro", "spzoo", "sp zoo", "sp z oo", "sp z o o", "doo", "ood", "eood", "kft", "zrt", "nyrt",
	"kk", "gk"
};

static bool
ends_in(const char *text, size_t length, const char *word, size_t n)
{
	return length > n && text[length - n - 1] == ' ' && memcmp(text + length - n, word, n) == 0;
}

/* The same with a space after each letter of the word but the last. */
static bool
ends_in_letters(const char *text, size_t length, const char *word, size_t n)
{
	if (n < 2 || n > 4 || length < 2 * n || text[length - 2 * n] != ' ')
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (text[length - 1 - 2 * i] != word[n - 1 - i] ||
			(i + 1 < n && text[length - 2 - 2 * i] != ' '))
			return false;
	}
	return true;
}

/* The length of the text without a legal form at its end; never nothing. */
static size_t
without_form(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(legal_form) / sizeof(legal_form[0]); i++)
	{
		size_t		n = strlen(legal_form[i]);

		if (ends_in(text, length, legal_form[i], n))
			return length - n - 1;
		if (ends_in_letters(text, length, legal_form[i], n))
			return length - 2 * n;
	}
	return length;
}

size_t
rtm_company_room(const char *in, size_t length)
{
	size_t		room = length;

	/* Every other character takes at least the bytes that it becomes. */
	for (const char *p = in; (p = memchr(p, '&', length - (size_t) (p - in))) != NULL; p++)
		room += 4;
	return room;
}

/* A letter of ASCII that stands alone. */
static bool
is_initial(const char *in, size_t length, size_t at)
{
	for (size_t i = at > 0 ? at - 1 : 0; i < length && i <= at + 1; i++)
	{
		unsigned char c = (unsigned char) in[i];

		if ((is_letter(c) || is_digit(c) || c >= 0x80) != (i == at))
			return false;
	}
	return at < length && is_letter((unsigned char) in[at]);
}

/*
 * Words of letters and digits, folded, with single spaces between.
 */
static size_t
fold_words(const char *in, size_t length, char *out, void (*interrupt) (void))
{
	static const char pairs[] = "AaeOoeTthSssJijZdz";
	size_t		n = 0;
	bool		open = false;	/* whether a word is in hand */

	for (size_t at = 0, turn = 0; at < length; turn++)
	{
		const unsigned char *p = (const unsigned char *) in + at;
		size_t		bytes;
		uint32_t	c = next_character(p, length - at, &bytes);
		CharacterKind kind = CHARACTER_LETTER;
		char		base = '.';

		if (turn % 65536 == 65535)
			interrupt();
		at += bytes;
		/* As any sigma, the one that ends a word; as ASCII, that in full width. */
		if (c == 0x3C2)
			c = 0x3A3;
		if (c >= 0xFF10 && c <= 0xFF5A && kind_of(c) == CHARACTER_LETTER)
			c -= 0xFEE0;
		if (c < 0x80)
		{
			base = lower((char) c);
			if (c == '\'' || c == '`')
				kind = CHARACTER_MARK;
			else if (c == '.' && at > 1 && is_initial(in, length, at - 2) &&
					 is_initial(in, length, at))
				kind = CHARACTER_MARK;	/* S.p.A. */
			else if (!is_letter((unsigned char) c) && !is_digit((unsigned char) c))
				kind = CHARACTER_BETWEEN;
		}
		else if (c != NOT_UTF8)
		{
			base = latin_base(c);
			if (base == '.')
				kind = kind_of(c);
		}

		if (kind == CHARACTER_MARK)
			continue;
		if (kind == CHARACTER_BETWEEN)
		{
			open = false;
			if (c == '&')
			{
				if (n > 0)
					out[n++] = ' ';
				memcpy(out + n, "and", 3);
				n += 3;
			}
			continue;
		}

		if (!open)
		{
			if (n > 0)
				out[n++] = ' ';
			open = true;
		}
		if (base == '.')
		{
			put_lower(out + n, p, bytes, c);
			n += bytes;
		}
		else if (is_upper((unsigned char) base))
		{
			memcpy(out + n, strchr(pairs, base) + 1, 2);
			n += 2;
		}
		else
			out[n++] = base;
	}
	return n;
}

size_t
rtm_normal_company(const char *in, size_t length, char *out, void (*interrupt) (void))
{
	size_t		folded = fold_words(in, length, out, interrupt);
	size_t		n = folded;
	size_t		shorter;

	for (size_t turn = 1; (shorter = without_form(out, n)) < n; turn++)
	{
		if (turn % 4096 == 0)
			interrupt();
		n = shorter;
		/* ... & Co */
		while (ends_in(out, n, "and", 3))
			n -= 4;
	}

	/* A name of nothing else stays whole. */
	if (n == 3 && n < folded && (memcmp(out, "the", 3) == 0 || memcmp(out, "and", 3) == 0))
		return folded;
	if (n > 4 && memcmp(out, "the ", 4) == 0)
	{
		n -= 4;
		memmove(out, out + 4, n);
	}
	return n;
}
