/*-------------------------------------------------------------------------
 *
 * chain_dense.c
 *		The inverse of a chain's rates, without a subtraction.
 *		Pure: no PostgreSQL header.
 *
 * States are swept out one after the other: the others then have the rates of
 * the chain as seen while it is not in a swept one, and between swept states
 * stands the inverse. A pivot is the sum of what leaves the state, never one
 * less a probability, so every number is a sum of positive ones, and as exact
 * as its inputs, however seldom the chain ends. (Grassmann, Taksar and Heyman
 * 1985, Operations Research 33.)
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "chain.h"

#include <string.h>

#define PANEL	64				/* states swept together */
#define ROWS	4				/* of the block that stays in registers */
#define COLUMNS	8

typedef double Vector __attribute__((vector_size(32), aligned(8), may_alias));

/*
 * Adds the product of a, `depth` columns of four rows each, and r, `depth`
 * rows of eight columns each, to four rows of t. The sums are variables one by
 * one, so that they stay in registers.
 */
static inline __attribute__((always_inline)) void
add_product_body(double *t, size_t width, const double *a, const double *r, size_t depth)
{
	Vector	   *row0 = (Vector *) t;
	Vector	   *row1 = (Vector *) (t + width);
	Vector	   *row2 = (Vector *) (t + 2 * width);
	Vector	   *row3 = (Vector *) (t + 3 * width);
	Vector		left0 = row0[0];
	Vector		left1 = row1[0];
	Vector		left2 = row2[0];
	Vector		left3 = row3[0];
	Vector		right0 = row0[1];
	Vector		right1 = row1[1];
	Vector		right2 = row2[1];
	Vector		right3 = row3[1];

	for (size_t k = 0; k < depth; k++)
	{
		const Vector *source = (const Vector *) (r + k * COLUMNS);
		Vector		left = source[0];
		Vector		right = source[1];

		left0 += a[k * ROWS] * left;
		right0 += a[k * ROWS] * right;
		left1 += a[k * ROWS + 1] * left;
		right1 += a[k * ROWS + 1] * right;
		left2 += a[k * ROWS + 2] * left;
		right2 += a[k * ROWS + 2] * right;
		left3 += a[k * ROWS + 3] * left;
		right3 += a[k * ROWS + 3] * right;
	}
	row0[0] = left0;
	row1[0] = left1;
	row2[0] = left2;
	row3[0] = left3;
	row0[1] = right0;
	row1[1] = right1;
	row2[1] = right2;
	row3[1] = right3;
}

static void
add_product(double *t, size_t width, const double *a, const double *r, size_t depth)
{
	add_product_body(t, width, a, r, depth);
}

typedef void (*AddProduct) (double *, size_t, const double *, const double *, size_t);

/* Wider registers do the same operations, so the result is the same. */
#if defined(__x86_64__) && defined(__GNUC__)
static __attribute__((target("avx2"))) void
add_product_avx2(double *t, size_t width, const double *a, const double *r, size_t depth)
{
	add_product_body(t, width, a, r, depth);
}

static AddProduct
choose_product(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") ? add_product_avx2 : add_product;
}
#else
static AddProduct
choose_product(void)
{
	return add_product;
}
#endif

/*
 * Sweep the b states of a panel: p holds the rates between them, rest what
 * leaves each for states that come later, or for good.
 */
static void
sweep_panel(double (*p)[PANEL], double *rest, size_t b)
{
	for (size_t k = 0; k < b; k++)
	{
		double		pivot = rest[k];

		for (size_t j = k + 1; j < b; j++)
			pivot += p[k][j];
		pivot = 1 / pivot;
		for (size_t i = 0; i < b; i++)
		{
			double		f = p[i][k] * pivot;

			if (i == k)
				continue;
			if (i > k)
				rest[i] += f * rest[k];
			for (size_t j = 0; j < b; j++)
				p[i][j] += f * p[k][j];
			p[i][k] = f;
		}
		for (size_t j = 0; j < b; j++)
			p[k][j] *= pivot;
		p[k][k] = pivot;
	}
}

void
rtm_chain_sweep(double *t, size_t n, size_t width, bool diagonal, const ChainShim *shim)
{
	double		p[PANEL][PANEL];
	double		packed[PANEL * PANEL];
	double		rest[PANEL];
	size_t		rows = (n + ROWS - 1) / ROWS * ROWS;
	double	   *a = shim->alloc(sizeof(double) * rows * PANEL);
	double	   *r = shim->alloc(sizeof(double) * PANEL * width);
	double	   *panel = shim->alloc(sizeof(double) * PANEL * width);
	AddProduct	product = choose_product();

	for (size_t from = 0; from < n; from += PANEL)
	{
		size_t		b = n - from < PANEL ? n - from : PANEL;
		size_t		to = from + b;

		for (size_t k = 0; k < b; k++)
		{
			double	   *source = t + (from + k) * width;

			memcpy(p[k], source + from, sizeof(double) * b);
			p[k][k] = 0;
			rest[k] = source[n];
			for (size_t j = to; j < n; j++)
				rest[k] += source[j];
		}
		sweep_panel(p, rest, b);

		/* The panel's rows, times its inverse, in strips of eight columns. */
		memset(packed, 0, sizeof(packed));
		for (size_t i = 0; i < b; i++)
		{
			for (size_t k = 0; k < b; k++)
				packed[i / ROWS * ROWS * b + k * ROWS + i % ROWS] = p[i][k];
		}
		memset(panel, 0, sizeof(double) * PANEL * width);
		for (size_t c = 0; c < width; c += COLUMNS)
		{
			double	   *strip = r + c * b;

			shim->interrupt();
			for (size_t k = 0; k < b; k++)
				memcpy(strip + k * COLUMNS, t + (from + k) * width + c,
					   sizeof(double) * COLUMNS);
			for (size_t i = 0; i < b; i += ROWS)
				product(panel + i * width + c, width, packed + i * b, strip, b);
		}
		for (size_t k = 0; k < b; k++)
		{
			memcpy(panel + k * width + from, p[k], sizeof(double) * b);
			for (size_t c = 0; c < width; c += COLUMNS)
				memcpy(r + c * b + k * COLUMNS, panel + k * width + c, sizeof(double) * COLUMNS);
		}

		/* The panel's columns of the other rows go to a; what is left is zero. */
		memset(a, 0, sizeof(double) * rows * b);
		for (size_t i = 0; i < n; i++)
		{
			double	   *source = t + i * width + from;

			if (i >= from && i < to)
				continue;
			for (size_t k = 0; k < b; k++)
				a[i / ROWS * ROWS * b + k * ROWS + i % ROWS] = source[k];
			memset(source, 0, sizeof(double) * b);
		}

		for (size_t i = 0; i < rows; i += ROWS)
		{
			/* Between swept states only the diagonal may be wanted. */
			size_t		c = diagonal && i + ROWS <= from ? from / COLUMNS * COLUMNS : 0;

			if (i / ROWS % 16 == 0)
				shim->interrupt();
			if (c > 0)
			{
				for (size_t d = i; d < i + ROWS; d++)
				{
					for (size_t k = 0; k < b; k++)
						t[d * width + d] += a[i * b + k * ROWS + d % ROWS] *
							r[d / COLUMNS * COLUMNS * b + k * COLUMNS + d % COLUMNS];
				}
			}
			for (; c < width; c += COLUMNS)
				product(t + i * width + c, width, a + i * b, r + c * b, b);
		}
		for (size_t k = 0; k < b; k++)
			memcpy(t + (from + k) * width, panel + k * width, sizeof(double) * width);
	}
}
