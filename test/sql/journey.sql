-- The journey: what goes in, what comes out, and what is refused.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FUNCTION pg_temp.failure(statement text, OUT state text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    state := 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
                            detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
CREATE FUNCTION pg_temp.states(VARIADIC statements text[]) RETURNS TABLE (statement text, state text, message text)
LANGUAGE sql AS $$
    SELECT left(s, 70), f.state, left(f.message, 100) FROM unnest(statements) WITH ORDINALITY u (s, i), pg_temp.failure(s) f ORDER BY i
$$;

CREATE TABLE touched (deal text, id text, at timestamptz, channel text, milestone text);
INSERT INTO touched VALUES
('d1', 't3', '2026-01-03 10:00:00+00', 'email', NULL),
('d1', 't1', '2026-01-01 10:00:00+00', 'ads', 'LC'),
('d1', 't2', '2026-01-02 10:00:00.123456+00', 'email', 'OC|FT'),
('d1', 't4', NULL, 'lost', NULL),
('d1', 't5', '2026-01-04 10:00:00+00', NULL, NULL),
('d2', 'a', '2026-01-01 10:00:00+00', 'x', NULL),
('d2', 'B', '2026-01-01 10:00:00+00', 'y', NULL),
('d2', NULL, '2026-01-01 10:00:00+00', 'z', NULL),
('d3', 'n', NULL, 'x', NULL);

-- Aggregates: order is that of time, then of touch ids bytewise, none first.
SELECT deal, revrtm.journey_agg(at, channel, milestone, id) AS journey FROM touched GROUP BY deal ORDER BY deal;
SELECT deal, revrtm.journey_agg(at, channel) AS journey FROM touched GROUP BY deal ORDER BY deal;
SELECT revrtm.journey_agg(at, channel, milestone, id) AS of_nothing, revrtm.journey_agg(at, channel) AS either FROM touched WHERE false;

-- The order of the rows and the state's growth cannot be seen.
CREATE TABLE many AS
SELECT i, timestamptz '2026-01-01 00:00:00+00' + (i * 7919 % 1000) * interval '1 hour' AS at, 'channel ' || i % 300 AS channel,
       (ARRAY[NULL, 'LC', 'OC', 'LC|CW'])[1 + i % 4] AS milestone, 'touch ' || i AS id
FROM generate_series(1, 3000) i;
SELECT count(DISTINCT j::text), max(revrtm.touch_count(j)), max(cardinality(revrtm.channels(j)))
FROM (SELECT revrtm.journey_agg(at, channel, milestone, id ORDER BY i) FROM many
      UNION ALL SELECT revrtm.journey_agg(at, channel, milestone, id ORDER BY i DESC) FROM many
      UNION ALL SELECT revrtm.journey_agg(at, channel, milestone, id ORDER BY md5(i::text)) FROM many) m (j);
SELECT revrtm.path(revrtm.journey_agg(at, channel, milestone, id)) =
       array_agg(channel ORDER BY at, id COLLATE "C") AS same_path FROM many;

-- As a window, over a running and a moving frame: states are not shared.
SELECT channel, revrtm.path(revrtm.journey_agg(at, channel) OVER (ORDER BY at)) AS running,
       revrtm.path(revrtm.journey_agg(at, channel) OVER (ORDER BY at ROWS 1 PRECEDING)) AS moving
FROM touched WHERE deal = 'd1' AND at IS NOT NULL ORDER BY at;

-- Text: what is written is read back, under any settings.
CREATE TABLE kept (name text, j revrtm.journey);
INSERT INTO kept VALUES
('empty', '{}'),
('path', '{a,b,a}'),
('one', '{a@2026-01-31T09:30:00Z}'),
('milestones', '{a@2026-01-31T09:30:00Z|FT|LC,b@2026-01-31T09:30:01Z|OC|CW}'),
('ids', '{a@2026-01-31T09:30:00Z|#1,a@2026-01-31T09:30:00Z|LC|#2,b@2026-01-31T09:30:00.5Z|#dropped}'),
('escapes', $${"a\\@b\\|c\\\\d","\"quoted\" and, comma","","é"}$$),
('offset', '{a@2026-01-31T09:30:00+05:30,b@2026-01-31 09:30:00-08}'),
('micro', '{a@2026-01-31T09:30:00.000001Z,a@2026-01-31T09:30:00.000002Z}'),
('unsorted', '{z@2026-01-31T09:30:00Z,a@2026-01-30T09:30:00Z}'),
('old', '{a@0001-01-01T00:00:00Z,b@0000-02-29T00:00:00Z,c@-0001-01-01T00:00:00Z,d@-4700-01-01T00:00:00Z}'),
('future', '{a@294276-12-31T23:59:59.999999Z,b@10000-01-01T00:00:00Z}'),
('wide', (SELECT revrtm.journey(array_agg('channel ' || i)) FROM generate_series(1, 700) i)),
('untimed milestones', '{a|LC,b|CW}');
SELECT name, j FROM kept WHERE name <> 'wide' ORDER BY name;
SET TimeZone = 'Asia/Kolkata';
SET DateStyle = 'German, DMY';
SET IntervalStyle = 'sql_standard';
SELECT name, j::text::revrtm.journey OPERATOR(revrtm.=) j AS same, j::text::revrtm.journey OPERATOR(revrtm.<>) j AS differs,
       md5(j::text) = (SELECT md5(k.j::text) FROM kept k WHERE k.name = kept.name) AS same_text
FROM kept ORDER BY name;
SELECT j FROM kept WHERE name = 'offset';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
RESET IntervalStyle;
-- Years before 1 are what PostgreSQL calls BC.
SELECT revrtm.journey_agg(t, 'x') AS j, revrtm.journey_agg(t, 'x')::text::revrtm.journey OPERATOR(revrtm.=) revrtm.journey_agg(t, 'x') AS same
FROM unnest('{0001-12-31 00:00:00+00 BC,0002-01-01 00:00:00+00 BC,4713-12-01 00:00:00+00 BC}'::timestamptz[]) t;

-- Binary: the same journeys, and hostile bytes.
\copy kept TO 'results/journey.bin' (FORMAT binary)
CREATE TABLE back (name text, j revrtm.journey);
\copy back FROM 'results/journey.bin' (FORMAT binary)
SELECT count(*), count(*) FILTER (WHERE back.j OPERATOR(revrtm.=) kept.j) AS same FROM kept JOIN back USING (name);
-- A bytea's binary form is its bytes: that forges any message.
CREATE TABLE forged (bytes bytea);
CREATE TABLE received (j revrtm.journey);
INSERT INTO forged VALUES ('\x010000000001000000016100000001000000000000');
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
SELECT * FROM received;
-- no version, one that is not known
UPDATE forged SET bytes = '';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x63';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
-- counts that lie: of channels, of the bytes of a name, of touches
UPDATE forged SET bytes = '\x0100ffffffff';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0100000000017fffffff61';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x01000000000100000001617fffffff0000000000';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
-- a channel that there is not, a milestone that there is not
UPDATE forged SET bytes = '\x010000000001000000016100000001000000010000';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x010000000001000000016100000001000000001000';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
-- infinity as an instant
UPDATE forged SET bytes = '\x010100000001000000016100000001000000007fffffffffffffff0000';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
-- an id that is cut off, bytes left over, a name with a zero byte
UPDATE forged SET bytes = '\x010000000001000000016100000001000000000001000000ff31';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x010000000001000000016100000001000000000000ff';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
UPDATE forged SET bytes = '\x0100000000010000000100000000010000000000000000';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
-- touches out of order and a channel that no touch has come out canonical
TRUNCATE received;
UPDATE forged SET bytes = bytea '\x0101000000020000000162000000016100000002'
    || '\x00000001' || int8send(86400000000) || '\x0000' || '\x00000001' || int8send(0) || '\x0400';
\copy forged TO 'results/journey.bin' (FORMAT binary)
\copy received FROM 'results/journey.bin' (FORMAT binary)
SELECT j, j OPERATOR(revrtm.=) '{a@2000-01-01T00:00:00Z|OC,a@2000-01-02T00:00:00Z}' AS same FROM received;

-- Bad literals.
SELECT * FROM pg_temp.states(
    $$SELECT 'a,b'::revrtm.journey$$,
    $$SELECT ''::revrtm.journey$$,
    $$SELECT '{a,NULL}'::revrtm.journey$$,
    $$SELECT '{{a,b},{c,d}}'::revrtm.journey$$,
    $$SELECT '{a,b@2026-01-01T00:00:00Z}'::revrtm.journey$$,
    $$SELECT '{b@2026-01-01T00:00:00Z,a}'::revrtm.journey$$,
    $$SELECT '{a@}'::revrtm.journey$$,
    $$SELECT '{a@infinity}'::revrtm.journey$$,
    $$SELECT '{a@now}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:00}'::revrtm.journey$$,
    $$SELECT '{a@2026-02-29T00:00:00Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-13-01T00:00:00Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T24:00:00Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:60Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:00.Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:00.1234567Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:00+99:00}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:00ZZ}'::revrtm.journey$$,
    $$SELECT '{a@999999-01-01T00:00:00Z}'::revrtm.journey$$,
    $$SELECT '{a@-9999-01-01T00:00:00Z}'::revrtm.journey$$,
    $$SELECT '{a@2026-01-01T00:00:00Z@2026-01-01T00:00:00Z}'::revrtm.journey$$,
    $$SELECT '{a|XX}'::revrtm.journey$$,
    $$SELECT '{a|}'::revrtm.journey$$,
    $$SELECT '{a|LC\\|OC}'::revrtm.journey$$,
    $$SELECT '{a|lc}'::revrtm.journey$$,
    $$SELECT ('{' || repeat('x', 100000) || '}')::revrtm.journey$$);
\x
SELECT * FROM pg_temp.failure($$SELECT '{a@2026-01-01}'::revrtm.journey$$);
SELECT * FROM pg_temp.failure($$SELECT revrtm.journey_agg(now(), 'x', 'SQL')$$);
\x

-- Bad arguments.
SELECT * FROM pg_temp.states(
    $$SELECT revrtm.journey_agg('infinity'::timestamptz, 'x')$$,
    $$SELECT revrtm.journey_agg('-infinity'::timestamptz, 'x')$$,
    $$SELECT revrtm.journey_agg(now(), 'x', 'LC|')$$,
    $$SELECT revrtm.journey_agg(now(), 'x', 'LC||OC')$$,
    $$SELECT revrtm.journey_agg(now(), 'x', '')$$,
    $$SELECT revrtm.journey_agg(now(), 'x', repeat('é', 50000))$$,
    $$SELECT revrtm.journey_agg(now(), repeat('x', 1024))$$,
    $$SELECT revrtm.journey_agg(now(), repeat('x', 1025))$$,
    $$SELECT revrtm.journey_agg(now(), 'x', NULL, repeat('x', 100000))$$,
    $$SELECT revrtm.journey_agg(timestamptz 'epoch' + i * interval '1 s', 'channel ' || i) FROM generate_series(1, 65535) i$$,
    $$SELECT revrtm.journey_agg(timestamptz 'epoch' + i * interval '1 s', 'channel ' || i) FROM generate_series(1, 65536) i$$,
    $$SELECT revrtm.journey(ARRAY['a', NULL])$$,
    $$SELECT revrtm.journey(ARRAY[['a', 'b'], ['c', 'd']])$$,
    $$SELECT revrtm.rollup(j) FROM unnest('{"{a,b}","{c}"}'::revrtm.journey[]) j$$,
    $$SELECT revrtm.rollup(j) FROM unnest('{"{a@2026-01-01T00:00:00Z}","{c}"}'::revrtm.journey[]) j$$,
    $$SELECT revrtm.rollup(j) FROM unnest('{"{c}","{a@2026-01-01T00:00:00Z}"}'::revrtm.journey[]) j$$,
    $$SELECT revrtm.mark_milestones('{a,b}', now(), now(), true)$$,
    $$SELECT revrtm.journey_accum(NULL, now(), 'x')$$,
    $$SELECT revrtm.journey_accum('{a@2026-01-01T00:00:00Z}', now(), 'x', NULL, 'id')$$,
    $$SELECT revrtm.journey_rollup('{a}', '{b}')$$);
-- Called as plain functions they give back at most what they were given.
SELECT revrtm.journey_accum('{a}', NULL, 'x') AS a, revrtm.journey_accum(NULL, NULL, NULL) AS b,
       revrtm.journey_rollup('{a}', NULL) AS c, revrtm.journey_final('{a}') AS d, revrtm.journey_final(NULL) AS e;

-- Accessors.
SELECT name, revrtm.path(j), revrtm.channels(j), revrtm.touch_count(j) FROM kept WHERE name <> 'wide' ORDER BY name;
SELECT revrtm.path(j) = (SELECT array_agg('channel ' || i ORDER BY i) FROM generate_series(1, 700) i) AS same, revrtm.touch_count(j) FROM kept WHERE name = 'wide';
SELECT revrtm.path(NULL), revrtm.touch_count(NULL), revrtm.journey(NULL::text[]), revrtm.journey('{}'::text[]);

-- rollup of parts is the whole, whatever the parts.
SELECT parts, whole OPERATOR(revrtm.=) rolled AS same
FROM unnest(ARRAY[1, 2, 7, 100]) parts
     CROSS JOIN LATERAL (SELECT revrtm.rollup(p.j) AS rolled
                         FROM (SELECT revrtm.journey_agg(at, channel, milestone) AS j FROM many WHERE i <= 1000 GROUP BY i % parts) p) r
     CROSS JOIN (SELECT revrtm.journey_agg(at, channel, milestone) AS whole FROM many WHERE i <= 1000) w
ORDER BY parts;
SELECT revrtm.rollup(j) AS of_nulls FROM unnest(ARRAY[NULL, NULL]::revrtm.journey[]) j;
SELECT revrtm.rollup(j) AS one_untimed FROM unnest(ARRAY[NULL, '{a,b}', '{}']::revrtm.journey[]) j;
SELECT revrtm.rollup(j) AS of_empty FROM unnest(ARRAY['{}', '{}']::revrtm.journey[]) j;

-- Milestones: the latest touch not after the instant, equal included; one without a touch is absent.
SELECT revrtm.mark_milestones(j, '2026-01-02', '2026-01-03', true) AS own,
       revrtm.mark_milestones(j, '2026-01-02', '2026-01-02', false) AS same,
       revrtm.mark_milestones(j, '2025-12-31', '-infinity', NULL) AS missing,
       revrtm.mark_milestones(j, NULL, 'infinity', true) AS after_all
FROM (SELECT '{a@2026-01-01T00:00:00Z|FT|CW,b@2026-01-02T00:00:00Z|LC,c@2026-01-03T00:00:00Z}'::revrtm.journey) k (j);
SELECT revrtm.mark_milestones('{}', now(), now(), true) AS empty, revrtm.mark_milestones(NULL, now(), now(), true) AS of_null;

-- Equality, grouping and hash joins; large values go through TOAST.
SELECT count(DISTINCT j::text) AS texts, (SELECT count(*) FROM (SELECT j FROM kept GROUP BY j) g) AS groups FROM kept;
INSERT INTO back SELECT 'large', revrtm.journey_agg(at, channel, milestone, id) FROM many;
SELECT revrtm.touch_count(j), j OPERATOR(revrtm.=) (SELECT revrtm.journey_agg(at, channel, milestone, id) FROM many) AS same
FROM back WHERE name = 'large';
-- Packed: eight bytes a touch and the names.
SELECT pg_column_size(revrtm.journey_agg(timestamptz '2026-01-01' + i * interval '61 min', 'channel ' || i % 5)) < 8 * 1000 AS small
FROM generate_series(1, 1000) i;

DROP TABLE touched, many, kept, back, forged, received;
