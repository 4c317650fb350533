/*-------------------------------------------------------------------------
 *
 * driver.c
 *		Runs a fuzz target where the compiler has no libFuzzer: on inputs that
 *		are random, but the same in every run, or on the files given.
 *
 *		cc -fsanitize=address,undefined -Isrc test/fuzz/curve_fuzz.c
 *			test/fuzz/driver.c src/curve.c -lm && ./a.out -runs=20000
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES 4096

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t seed = UINT64_C(88172645463325252);

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* In memory of exactly that size, so that a sanitizer sees each overrun. */
static void
run(const uint8_t *bytes, size_t size)
{
	uint8_t    *data = malloc(size + (size == 0));

	if (data == NULL)
		abort();
	memcpy(data, bytes, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int
main(int argc, char **argv)
{
	static uint8_t bytes[MOST_BYTES];
	long		runs = 0;
	int			i;

	for (i = 1; i < argc; i++)
	{
		FILE	   *file;

		if (sscanf(argv[i], "-runs=%ld", &runs) == 1 || argv[i][0] == '-')
			continue;
		file = fopen(argv[i], "rb");
		if (file == NULL)
		{
			perror(argv[i]);
			return 1;
		}
		run(bytes, fread(bytes, 1, sizeof(bytes), file));
		fclose(file);
	}

	for (; runs > 0; runs--)
	{
		size_t		size = (size_t) (random_bits() % (random_bits() % 16 ? 256 : sizeof(bytes)));
		/* Bytes of few kinds reach what uniform ones do not. */
		uint64_t	mask = random_bits() | (random_bits() % 2 ? UINT64_MAX : 0);
		size_t		at;

		for (at = 0; at < size; at++)
			bytes[at] = (uint8_t) (random_bits() >> 32 & mask >> at % 8 * 8);
		run(bytes, size);
	}
	return 0;
}
