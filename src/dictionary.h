/*-------------------------------------------------------------------------
 *
 * dictionary.h
 *		The channels of an aggregate state: names and their numbers.
 *
 * A dictionary is a section of a flat varlena:
 *
 *	header
 *	slots		room for `capacity` names
 *	table		2 x capacity slots of an open hash over the names
 *	text		the bytes of all names
 *
 * Channels are numbered as they come; nothing that is shown depends on it.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#ifndef REVRTM_DICTIONARY_H
#define REVRTM_DICTIONARY_H

#include "compat.h"

#include "journey.h"

/* The names met last, by a key that costs less than a hash. */
#define DICTIONARY_RECENT	256

typedef struct DictionarySlot
{
	uint32		start;			/* within the text */
	uint32		len;
	uint32		hash;
} DictionarySlot;

typedef struct Dictionary
{
	uint32		channels;
	uint32		capacity;		/* a power of two */
	uint32		text_used;
	uint32		text_size;
	uint32		recent[DICTIONARY_RECENT];	/* number + 1 */
} Dictionary;

#define DICTIONARY_NONE		PG_UINT32_MAX

/* Where a name met last is kept: a few of its bytes tell most apart. */
static inline uint32
dictionary_place(const Bytes *name)
{
	uint64		head = 0;
	uint64		tail = 0;

	if (name->len >= sizeof(uint64))
	{
		memcpy(&head, name->data, sizeof(uint64));
		memcpy(&tail, name->data + name->len - sizeof(uint64), sizeof(uint64));
	}
	else if (name->len >= sizeof(uint32))
	{
		memcpy(&head, name->data, sizeof(uint32));
		memcpy(&tail, name->data + name->len - sizeof(uint32), sizeof(uint32));
	}
	else if (name->len > 0)
	{
		head = (uint8) name->data[0];
		tail = (uint64) (uint8) name->data[name->len / 2] << 8 | (uint8) name->data[name->len - 1];
	}
	head = (head ^ (tail << 1 | tail >> 63) ^ name->len) * UINT64CONST(0x9E3779B97F4A7C15);
	return (uint32) (head >> 56) % DICTIONARY_RECENT;
}

static inline DictionarySlot *
dictionary_slots(const Dictionary *d)
{
	return (DictionarySlot *) (d + 1);
}

static inline uint32 *
dictionary_table(const Dictionary *d)
{
	return (uint32 *) (dictionary_slots(d) + d->capacity);
}

static inline char *
dictionary_text(const Dictionary *d)
{
	return (char *) (dictionary_table(d) + 2 * (Size) d->capacity);
}

static inline Bytes
dictionary_name(const Dictionary *d, uint32 number)
{
	const DictionarySlot *slot = &dictionary_slots(d)[number];
	Bytes		result = {dictionary_text(d) + slot->start, slot->len};

	return result;
}

static inline Size
dictionary_size(uint32 capacity, uint32 text_size)
{
	return sizeof(Dictionary) + (sizeof(DictionarySlot) + 2 * sizeof(uint32)) * (Size) capacity +
		text_size;
}

/* In zeroed memory, with the contents of old, if any. */
extern void rtm_dictionary_init(Dictionary *d, const Dictionary *old, uint32 capacity,
								uint32 text_size);

/*
 * The number of a name. DICTIONARY_NONE: it is new; it can be added while
 * there is room.
 */
extern uint32 rtm_dictionary_find(Dictionary *d, const Bytes *name);
extern uint32 rtm_dictionary_add(Dictionary *d, const Bytes *name);

static inline bool
dictionary_has_room(const Dictionary *d, uint32 len)
{
	return d->channels < d->capacity && d->text_size - d->text_used >= len;
}

/* Bytewise, as names are ordered everywhere. */
extern int	rtm_compare_names(Bytes a, Bytes b);

/* All numbers, in the order of their names. */
extern uint32 *rtm_dictionary_order(const Dictionary *d);

#endif							/* REVRTM_DICTIONARY_H */
