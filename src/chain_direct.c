/*-------------------------------------------------------------------------
 *
 * chain_direct.c
 *		Chains of order 1, solved directly. Pure: no PostgreSQL header.
 *
 * A state is a channel here, and the walk that never reaches it goes on as it
 * was. So removing it loses the chance to reach it times the chance to convert
 * from it; over the expected passes n of the state that is p / G, with p the
 * chance to convert from it and G its diagonal element of (D - T)^-1, the
 * inverse of the counted rates.
 *
 * Channels with few neighbours are eliminated one by one, fewest first; what
 * remains, where everything leads to everything, is swept as a dense matrix.
 * The inverse is then extended backwards over the eliminated ones, for pairs
 * of neighbours only: these are all that the diagonal needs. (Takahashi, Fagan
 * and Chen 1973.) Nothing is ever subtracted.
 *
 * Copyright (c) 2026, the revrtm developers; see LICENSE
 *-------------------------------------------------------------------------
 */
#include "chain.h"

#include <string.h>

/* Below this many channels, elimination one by one is not worth it. */
#define SMALL_CORE	64

/* Nor is it where the least number of neighbours is so large. */
#define LEAST_DENSE(neighbours, n) (3 * (neighbours) >= (n))

/* A neighbour, and the rates to it and from it; later the inverse's elements. */
typedef struct Edge
{
	size_t		node;
	double		out;
	double		in;
} Edge;

typedef struct Node
{
	Edge	   *edge;
	size_t		edges;
	size_t		room;
	size_t		place;			/* when it is eliminated; SIZE_MAX: in the core */
	double		end;			/* rate out of the chain */
	double		conversions;	/* rate of conversions; later the chance of one */
	double		amount;			/* likewise */
	double		pivot;			/* 1 / what leaves it when it is eliminated */
	double		inverse;		/* diagonal element of the inverse */
} Node;

static void
add_edge(const Chain *chain, Node *node, size_t to, double out, double in)
{
	if (node->edges == node->room)
	{
		Edge	   *old = node->edge;

		node->room = 2 * node->room + 8;
		node->edge = chain->shim.alloc(sizeof(Edge) * node->room);
		memcpy(node->edge, old, sizeof(Edge) * node->edges);
	}
	node->edge[node->edges].node = to;
	node->edge[node->edges].out = out;
	node->edge[node->edges++].in = in;
}

/*
 * Each node with its neighbours in either direction, in order.
 */
static Node *
make_nodes(const Chain *chain)
{
	size_t		n = chain->states;
	Node	   *node = chain->shim.alloc(sizeof(Node) * n);
	size_t	   *begin = chain->shim.alloc(sizeof(size_t) * (n + 2));
	uint32_t   *from = chain->shim.alloc(sizeof(uint32_t) * chain->first[n]);
	double	   *flow = chain->shim.alloc(sizeof(double) * chain->first[n]);

	/* The transitions by where they lead to; begin[] is one node ahead at first. */
	memset(begin, 0, sizeof(size_t) * (n + 2));
	for (size_t e = 0; e < chain->first[n]; e++)
		begin[chain->next[e] + 2]++;
	for (size_t i = 2; i <= n; i++)
		begin[i] += begin[i - 1];
	for (size_t i = 0; i < n; i++)
	{
		for (size_t e = chain->first[i]; e < chain->first[i + 1]; e++)
		{
			size_t		place = begin[chain->next[e] + 1]++;

			from[place] = (uint32_t) i;
			flow[place] = chain->flow[e];
		}
	}

	memset(node, 0, sizeof(Node) * n);
	for (size_t i = 0; i < n; i++)
	{
		size_t		out = chain->first[i];
		size_t		in = begin[i];
		double		sum = 0;
		Edge	   *edge;

		chain->shim.interrupt();
		node[i].room = chain->first[i + 1] - out + begin[i + 1] - in;
		node[i].edge = edge = chain->shim.alloc(sizeof(Edge) * node[i].room);
		while (out < chain->first[i + 1] || in < begin[i + 1])
		{
			size_t		to = out < chain->first[i + 1] ? chain->next[out] : SIZE_MAX;
			size_t		back = in < begin[i + 1] ? from[in] : SIZE_MAX;

			edge->node = to < back ? to : back;
			edge->out = to <= back ? chain->flow[out++] : 0;
			edge->in = back <= to ? flow[in++] : 0;
			sum += edge->out;
			edge++;
		}
		node[i].edges = (size_t) (edge - node[i].edge);
		node[i].end = chain->leave[i] - sum;
		node[i].conversions = chain->conversions[i];
		node[i].amount = chain->amount[i];
		node[i].place = SIZE_MAX;
	}
	return node;
}

/* Where each neighbour of the node stands; where[] of others means nothing. */
static void
note_edges(const Node *node, size_t *where)
{
	for (size_t e = 0; e < node->edges; e++)
		where[node->edge[e].node] = e;
}

/*
 * The chain as seen while it is not in state k: its neighbours get direct
 * rates for the ways through it.
 */
static void
eliminate(const Chain *chain, Node *node, size_t k, size_t *where)
{
	Node	   *gone = &node[k];
	double		leave = gone->end;

	for (size_t e = 0; e < gone->edges; e++)
		leave += gone->edge[e].out;
	gone->pivot = 1 / leave;
	for (size_t e = 0; e < gone->edges; e++)
	{
		size_t		a = gone->edge[e].node;
		Node	   *from = &node[a];
		double		to_gone = gone->edge[e].in * gone->pivot;

		from->end += to_gone * gone->end;
		from->conversions += to_gone * gone->conversions;
		from->amount += to_gone * gone->amount;
		note_edges(from, where);
		from->edge[where[k]] = from->edge[--from->edges];
		where[from->edge[where[k]].node] = where[k];
		for (size_t f = 0; f < gone->edges; f++)
		{
			size_t		b = gone->edge[f].node;
			double		out = to_gone * gone->edge[f].out;
			double		in = gone->edge[f].in * gone->pivot * gone->edge[e].out;

			if (b == a)
				continue;
			if (where[b] < from->edges && from->edge[where[b]].node == b)
			{
				from->edge[where[b]].out += out;
				from->edge[where[b]].in += in;
			}
			else
				add_edge(chain, from, b, out, in);
		}
	}
}

/*
 * Eliminate nodes while they have few neighbours; their order goes to order[],
 * the others to core[].
 */
static size_t
eliminate_sparse(const Chain *chain, Node *node, size_t *order, size_t *core, size_t *where)
{
	size_t		n = chain->states;
	size_t		left = n;
	size_t		done = 0;

	for (size_t i = 0; i < n; i++)
		core[i] = i;
	memset(where, 0, sizeof(size_t) * n);
	while (left > SMALL_CORE)
	{
		size_t		least = 0;

		chain->shim.interrupt();
		for (size_t i = 1; i < left; i++)
		{
			if (node[core[i]].edges < node[core[least]].edges)
				least = i;
		}
		if (LEAST_DENSE(node[core[least]].edges, left))
			break;
		node[core[least]].place = done;
		order[done++] = core[least];
		eliminate(chain, node, core[least], where);
		left--;
		memmove(core + least, core + least + 1, sizeof(size_t) * (left - least));
	}
	return done;
}

/*
 * Extend the inverse to a node whose neighbours are all in it, at each pair of
 * them.
 */
static void
extend_inverse(Node *node, Node *own, const double *t, size_t width, const size_t *in_core,
			   size_t *where, double *to, double *from)
{
	double		returns = 0;
	double		conversions = own->conversions;
	double		amount = own->amount;

	for (size_t e = 0; e < own->edges; e++)
		to[e] = from[e] = 0;
	for (size_t e = 0; e < own->edges; e++)
	{
		const Edge *one = &own->edge[e];
		const Node *a = &node[one->node];

		/* Here and below: to[] is from a neighbour to this node, from[] back. */
		to[e] += a->inverse * one->in;
		from[e] += one->out * a->inverse;
		if (a->place != SIZE_MAX)
			note_edges(a, where);
		for (size_t f = 0; f < own->edges; f++)
		{
			const Edge *other = &own->edge[f];
			const Node *b = &node[other->node];
			double		there;
			double		back;

			/* Of a pair, whichever was eliminated first knows of the other. */
			if (a->place == SIZE_MAX)
			{
				if (b->place != SIZE_MAX || f <= e)
					continue;
				there = t[in_core[one->node] * width + in_core[other->node]];
				back = t[in_core[other->node] * width + in_core[one->node]];
			}
			else
			{
				if (b->place <= a->place)
					continue;
				there = a->edge[where[other->node]].out;
				back = a->edge[where[other->node]].in;
			}
			to[e] += there * other->in;
			to[f] += back * one->in;
			from[f] += one->out * there;
			from[e] += other->out * back;
		}
	}
	for (size_t e = 0; e < own->edges; e++)
	{
		Edge	   *edge = &own->edge[e];

		to[e] *= own->pivot;
		from[e] *= own->pivot;
		returns += edge->out * to[e];
		conversions += edge->out * node[edge->node].conversions;
		amount += edge->out * node[edge->node].amount;
		edge->out = from[e];
		edge->in = to[e];
	}
	own->inverse = own->pivot * (1 + returns);
	own->conversions = conversions * own->pivot;
	own->amount = amount * own->pivot;
}

/*
 * Does every state lead to so many others that none would be eliminated?
 */
static bool
is_dense(const Chain *chain)
{
	size_t		n = chain->states;

	for (size_t i = 0; i < n && n > SMALL_CORE; i++)
	{
		if (LEAST_DENSE(chain->first[i + 1] - chain->first[i], n))
			continue;
		return false;
	}
	return n <= CHAIN_MAX_DENSE;
}

/*
 * Such a chain needs no lists of neighbours.
 */
static void
solve_dense(const Chain *chain, double *conversions, double *amount)
{
	size_t		n = chain->states;
	size_t		width = rtm_chain_width(n, 3);
	double	   *t = chain->shim.alloc(sizeof(double) * rtm_chain_rows(n) * width);

	memset(t, 0, sizeof(double) * rtm_chain_rows(n) * width);
	for (size_t i = 0; i < n; i++)
	{
		double	   *row = t + i * width;
		double		flow = 0;

		for (size_t e = chain->first[i]; e < chain->first[i + 1]; e++)
		{
			row[chain->next[e]] = chain->flow[e];
			flow += chain->flow[e];
		}
		row[n] = chain->leave[i] - flow;
		row[n + 1] = chain->conversions[i];
		row[n + 2] = chain->amount[i];
	}
	rtm_chain_sweep(t, n, width, true, &chain->shim);
	for (size_t i = 0; i < n; i++)
	{
		conversions[chain->last[i]] = t[i * width + n + 1] / t[i * width + i];
		amount[chain->last[i]] = t[i * width + n + 2] / t[i * width + i];
	}
}

ChainStatus
rtm_chain_direct(const Chain *chain, double *conversions, double *amount)
{
	size_t		n = chain->states;
	Node	   *node;
	size_t	   *order;
	size_t	   *core;
	size_t	   *in_core;
	size_t	   *where;
	size_t		done;
	size_t		m;
	size_t		width;
	double	   *t;

	for (size_t c = 0; c < chain->channels; c++)
		conversions[c] = amount[c] = 0;
	if (is_dense(chain))
	{
		solve_dense(chain, conversions, amount);
		return CHAIN_DONE;
	}

	node = make_nodes(chain);
	order = chain->shim.alloc(sizeof(size_t) * n);
	core = chain->shim.alloc(sizeof(size_t) * n);
	in_core = chain->shim.alloc(sizeof(size_t) * n);
	where = chain->shim.alloc(sizeof(size_t) * n);
	done = eliminate_sparse(chain, node, order, core, where);
	m = n - done;
	width = rtm_chain_width(m, 3);
	if (m > CHAIN_MAX_DENSE)
		return CHAIN_TOO_DENSE;
	t = chain->shim.alloc(sizeof(double) * rtm_chain_rows(m) * width);
	memset(t, 0, sizeof(double) * rtm_chain_rows(m) * width);
	for (size_t i = 0; i < m; i++)
		in_core[core[i]] = i;
	for (size_t i = 0; i < m; i++)
	{
		const Node *own = &node[core[i]];

		for (size_t e = 0; e < own->edges; e++)
			t[i * width + in_core[own->edge[e].node]] = own->edge[e].out;
		t[i * width + m] = own->end;
		t[i * width + m + 1] = own->conversions;
		t[i * width + m + 2] = own->amount;
	}
	rtm_chain_sweep(t, m, width, done == 0, &chain->shim);
	for (size_t i = 0; i < m; i++)
	{
		node[core[i]].inverse = t[i * width + i];
		node[core[i]].conversions = t[i * width + m + 1];
		node[core[i]].amount = t[i * width + m + 2];
	}

	if (done > 0)
	{
		double	   *to = chain->shim.alloc(sizeof(double) * n);
		double	   *from = chain->shim.alloc(sizeof(double) * n);

		for (size_t k = done; k-- > 0;)
		{
			chain->shim.interrupt();
			extend_inverse(node, &node[order[k]], t, width, in_core, where, to, from);
		}
	}

	for (size_t i = 0; i < n; i++)
	{
		conversions[chain->last[i]] = node[i].conversions / node[i].inverse;
		amount[chain->last[i]] = node[i].amount / node[i].inverse;
	}
	return CHAIN_DONE;
}
