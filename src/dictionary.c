/*-------------------------------------------------------------------------
 *
 * dictionary.c
 *		The channels of an aggregate state: names and their numbers.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "dictionary.h"

void
rtm_dictionary_init(Dictionary *d, const Dictionary *old, uint32 capacity, uint32 text_size)
{
	uint32		mask = 2 * capacity - 1;

	d->capacity = capacity;
	d->text_size = text_size;
	if (old == NULL)
		return;
	d->channels = old->channels;
	d->text_used = old->text_used;
	memcpy(d->recent, old->recent, sizeof(d->recent));
	memcpy(dictionary_slots(d), dictionary_slots(old), sizeof(DictionarySlot) * old->channels);
	memcpy(dictionary_text(d), dictionary_text(old), old->text_used);
	for (uint32 i = 0; i < d->channels; i++)
	{
		uint32		h = dictionary_slots(d)[i].hash & mask;

		while (dictionary_table(d)[h] != 0)
			h = (h + 1) & mask;
		dictionary_table(d)[h] = i + 1;
	}
}

static inline bool
has_name(const Dictionary *d, uint32 number, const Bytes *name)
{
	const DictionarySlot *slot = &dictionary_slots(d)[number];

	return slot->len == name->len &&
		memcmp(dictionary_text(d) + slot->start, name->data, name->len) == 0;
}

static inline uint32
name_hash(const Bytes *name)
{
	return hash_bytes((const unsigned char *) name->data, name->len);
}

uint32
rtm_dictionary_find(Dictionary *d, const Bytes *name)
{
	uint32	   *recent = &d->recent[dictionary_place(name)];
	uint32		mask = 2 * d->capacity - 1;
	uint32		hash;

	if (*recent != 0 && has_name(d, *recent - 1, name))
		return *recent - 1;
	hash = name_hash(name);
	for (uint32 h = hash & mask; dictionary_table(d)[h] != 0; h = (h + 1) & mask)
	{
		uint32		number = dictionary_table(d)[h] - 1;

		if (dictionary_slots(d)[number].hash == hash && has_name(d, number, name))
		{
			*recent = number + 1;
			return number;
		}
	}
	return DICTIONARY_NONE;
}

uint32
rtm_dictionary_add(Dictionary *d, const Bytes *name)
{
	DictionarySlot *slot = &dictionary_slots(d)[d->channels];
	uint32		mask = 2 * d->capacity - 1;
	uint32		h;

	Assert(dictionary_has_room(d, name->len));
	slot->start = d->text_used;
	slot->len = name->len;
	slot->hash = name_hash(name);
	memcpy(dictionary_text(d) + slot->start, name->data, name->len);
	d->text_used += name->len;
	for (h = slot->hash & mask; dictionary_table(d)[h] != 0;)
		h = (h + 1) & mask;
	dictionary_table(d)[h] = ++d->channels;
	return d->channels - 1;
}

int
rtm_compare_names(Bytes a, Bytes b)
{
	int			c = memcmp(a.data, b.data, Min(a.len, b.len));

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int
compare_numbers(const void *left, const void *right, void *dictionary)
{
	CHECK_FOR_INTERRUPTS();
	return rtm_compare_names(dictionary_name(dictionary, *(const uint32 *) left),
							 dictionary_name(dictionary, *(const uint32 *) right));
}

uint32 *
rtm_dictionary_order(const Dictionary *d)
{
	uint32	   *order = palloc(sizeof(uint32) * Max(d->channels, 1));

	for (uint32 i = 0; i < d->channels; i++)
		order[i] = i;
	qsort_arg(order, d->channels, sizeof(uint32), compare_numbers, unconstify(Dictionary *, d));
	return order;
}
