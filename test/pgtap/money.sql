-- Properties of rates and conversion over random rates, days and amounts, the same at every run.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL client_min_messages = warning;
SELECT plan(24);

CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE FUNCTION pg_temp.code(what text) RETURNS text LANGUAGE sql IMMUTABLE RETURN (ARRAY['USD', 'EUR', 'JPY', 'KWD', 'CLF', 'GBP'])[1 + pg_temp.draw(what, 6)];
-- Some pairs have rates one way, some both ways, some none; gaps of up to a month, days with several rates, from 1e-6 to 1e6.
CREATE SCHEMA cash;
CREATE TABLE cash.rate AS
SELECT pg_temp.code(i || 'from') AS f, pg_temp.code(i || 'to') AS t, date '2025-01-01' + pg_temp.draw(i || 'day', 700)::int AS d,
       ((1 + pg_temp.draw(i || 'rate', 10000000))::numeric / 10 ^ (1 + pg_temp.draw(i || 'digits', 7)))::numeric AS r
FROM generate_series(1, 3000) i;
DELETE FROM cash.rate WHERE f = t OR (f, t) IN (('EUR', 'GBP'), ('GBP', 'EUR'), ('JPY', 'USD'), ('USD', 'KWD'), ('CLF', 'USD'));
SELECT ok((revrtm.bind('fx_rate', 'SELECT f AS from_currency, t AS to_currency, d AS on_date, r AS rate FROM cash.rate') IS NOT NULL), 'rates are bound');
CREATE TEMP TABLE ask AS
SELECT i, pg_temp.code(i || 'a') AS f, pg_temp.code(i || 'b') AS t, date '2024-12-01' + pg_temp.draw(i || 'on', 800)::int AS d,
       CASE i % 9 WHEN 0 THEN -1 WHEN 1 THEN 0 ELSE 1 END * (pg_temp.draw(i || 'amount', (10::numeric ^ (2 + i % 15))::bigint)::numeric / 10 ^ (i % 5))::numeric AS amount
FROM generate_series(1, 3000) i;

-- The definition, in plain SQL: the latest day of the pair on or before the day, of its rates the lowest, if it is young enough; else the pair the other way round.
CREATE FUNCTION pg_temp.latest(f text, t text, d date, max_age int, OUT rate numeric, OUT stale boolean) LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN max_age = 0 OR latest.d - x.d <= max_age THEN x.r END, NOT (max_age = 0 OR latest.d - x.d <= max_age)
    FROM cash.rate x WHERE x.f = latest.f AND x.t = latest.t AND x.d <= latest.d ORDER BY x.d DESC, x.r LIMIT 1 $$;
CREATE FUNCTION pg_temp.expected(max_age int) RETURNS TABLE (i int, f text, t text, d date, amount numeric, direct numeric, inverse numeric, note text, scale int) LANGUAGE sql STABLE AS $$
    SELECT a.i, a.f, a.t, a.d, a.amount, CASE WHEN a.f = a.t THEN 1 ELSE x.rate END, y.rate,
           CASE WHEN a.f <> a.t AND x.rate IS NULL AND y.rate IS NULL THEN CASE WHEN x.stale OR y.stale THEN 'stale_fx' ELSE 'fx_missing' END END,
           CASE a.t WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 WHEN 'CLF' THEN 4 ELSE 2 END
    FROM ask a LEFT JOIN LATERAL pg_temp.latest(a.f, a.t, a.d, max_age) x ON true LEFT JOIN LATERAL pg_temp.latest(a.t, a.f, a.d, max_age) y ON true $$;
CREATE TEMP TABLE expected AS SELECT * FROM pg_temp.expected(7);
ANALYZE expected;
SELECT ok(bool_and(n > 150), 'every way to a rate, and to none, is taken')
FROM (SELECT count(*) AS n FROM expected GROUP BY CASE WHEN f = t THEN 'same' WHEN direct IS NOT NULL THEN 'direct' WHEN inverse IS NOT NULL THEN 'inverse' ELSE note END) g;
SELECT is((SELECT count(DISTINCT CASE WHEN f = t THEN 'same' WHEN direct IS NOT NULL THEN 'direct' WHEN inverse IS NOT NULL THEN 'inverse' ELSE note END) FROM expected), 5::bigint, 'five ways');

SELECT is_empty('SELECT *, revrtm.fx(f, t, d) FROM expected WHERE revrtm.fx(f, t, d) IS DISTINCT FROM coalesce(direct, 1 / inverse)', 'the rate of the day');
SELECT is_empty('SELECT *, revrtm.fx_note(f, t, d) FROM expected WHERE revrtm.fx_note(f, t, d) IS DISTINCT FROM note', 'and why there is none');
-- Half a unit and more goes up, away from zero: in whole numbers, without round().
CREATE FUNCTION pg_temp.half_up(numerator numeric, denominator numeric) RETURNS numeric LANGUAGE sql IMMUTABLE RETURN div(2 * numerator + denominator, 2 * denominator);
SELECT is_empty($$SELECT * FROM (SELECT *, revrtm.convert_amount(amount, f, t, d) AS converted,
    sign(amount) * CASE WHEN direct IS NOT NULL THEN pg_temp.half_up(abs(amount) * direct * 10::numeric ^ scale, 1) ELSE pg_temp.half_up(abs(amount) * 10::numeric ^ scale, inverse) END / 10::numeric ^ scale AS wanted
    FROM expected) x WHERE converted IS DISTINCT FROM wanted$$, 'the amount, to the minor unit');
SELECT is_empty('SELECT * FROM expected WHERE scale(revrtm.convert_amount(amount, f, t, d)) <> scale', 'in the decimals of its currency');
SELECT is_empty('SELECT * FROM expected WHERE revrtm.convert_amount(-amount, f, t, d) IS DISTINCT FROM -revrtm.convert_amount(amount, f, t, d)', 'a refund mirrors it');
SELECT is_empty('SELECT * FROM expected WHERE (revrtm.convert_amount(amount, f, t, d) IS NULL) <> (note IS NOT NULL)', 'an amount or a note, never both');

-- Any age, and other limits.
SET LOCAL revrtm.fx_max_age = 0;
SELECT is_empty('SELECT * FROM pg_temp.expected(0) WHERE revrtm.fx(f, t, d) IS DISTINCT FROM coalesce(direct, 1 / inverse) OR revrtm.fx_note(f, t, d) IS DISTINCT FROM note', 'without a limit');
SET LOCAL revrtm.fx_max_age = '1d';
SELECT is_empty('SELECT * FROM pg_temp.expected(1) WHERE revrtm.fx(f, t, d) IS DISTINCT FROM coalesce(direct, 1 / inverse) OR revrtm.fx_note(f, t, d) IS DISTINCT FROM note', 'of a day');
SET LOCAL revrtm.fx_max_age = '30d';
SELECT is_empty('SELECT * FROM pg_temp.expected(30) WHERE revrtm.fx(f, t, d) IS DISTINCT FROM coalesce(direct, 1 / inverse) OR revrtm.fx_note(f, t, d) IS DISTINCT FROM note', 'of a month');
RESET revrtm.fx_max_age;

-- The order of the rates changes nothing.
CREATE TEMP TABLE answer AS SELECT i, revrtm.fx(f, t, d), revrtm.convert_amount(amount, f, t, d) AS amount FROM expected;
CREATE TABLE cash.shuffled AS SELECT * FROM cash.rate ORDER BY md5(f || t || d || r);
SELECT ok((revrtm.bind('fx_rate', 'SELECT f AS from_currency, t AS to_currency, d AS on_date, r AS rate FROM cash.shuffled') IS NOT NULL), 'the same rates in another order');
SELECT is_empty('SELECT i, fx, amount FROM answer EXCEPT SELECT i, revrtm.fx(f, t, d), revrtm.convert_amount(amount, f, t, d) FROM expected', 'give the same answers');
SET LOCAL revrtm.currency = 'KWD';
SELECT is_empty($$SELECT * FROM expected WHERE t = 'KWD' AND ((revrtm.reporting_amount(amount, f, d), revrtm.reporting_note(f, d)) IS DISTINCT FROM (revrtm.convert_amount(amount, f, 'KWD', d), note)
                  OR revrtm.reporting_amount(amount, NULL, d) <> round(amount, 3))$$, 'reports convert to their currency');
RESET revrtm.currency;

-- A deal in its own currency and in another: converted once, split by the same weights, both foot.
CREATE TEMP TABLE credit AS
SELECT e.i, m.model, e.t, e.scale, revrtm.convert_amount(e.amount, e.f, e.f, NULL) AS own, revrtm.convert_amount(e.amount, e.f, e.t, e.d) AS other, revrtm.currency_scale(e.f) AS own_scale, c.*
FROM (SELECT *, revrtm.journey(ARRAY(SELECT 'c' || pg_temp.draw(e.i || 'touch' || k, 5) FROM generate_series(1, pg_temp.draw(e.i || 'touches', 12)) k)) AS j FROM expected e WHERE i <= 800) e,
     unnest('{first_touch,last_touch,linear,linear_unique,u_shaped,j_shaped}'::text[]) m (model),
     LATERAL revrtm.credit(e.j, m.model, revrtm.convert_amount(e.amount, e.f, e.f, NULL), revrtm.currency_scale(e.f), revrtm.convert_amount(e.amount, e.f, e.t, e.d), revrtm.currency_scale(e.t)) c;
SELECT is_empty('SELECT i, model FROM credit GROUP BY i, model, own, other HAVING sum(amount) IS DISTINCT FROM own OR sum(converted) IS DISTINCT FROM other', 'both sums are exact');
SELECT is_empty('SELECT * FROM credit WHERE weight = 0 AND (amount <> 0 OR converted <> 0) OR abs(amount - own * weight::numeric) > 10.0 ^ -own_scale + abs(own) * 1e-15
                 OR abs(converted - other * weight::numeric) > 10.0 ^ -scale + abs(other) * 1e-15', 'no part is a unit off its share');
SELECT is_empty('SELECT * FROM credit WHERE min_scale(amount) > own_scale OR min_scale(converted) > scale', 'parts are whole minor units');

-- The views do the same in every reporting currency; the checks are zero.
CREATE TABLE cash.deal AS SELECT i, f, d, amount FROM expected WHERE i <= 400 AND abs(amount) < 1e9;
SELECT ok(bool_and(revrtm.bind(relation, query) IS NOT NULL), 'deals are bound') FROM (VALUES
    ('opportunity', $$SELECT i::text AS opportunity_id, (i % 40)::text AS account_id, amount, f AS currency, true AS is_won, true AS is_closed,
                             d::timestamp AT TIME ZONE 'UTC' AS created_at, d AS close_date FROM cash.deal$$),
    ('touch', $$SELECT i || ' ' || k AS touch_id, (d - k)::timestamp AT TIME ZONE 'UTC' AS touched_at, 'c' || k % 3 AS channel, i::text AS opportunity_id
                FROM cash.deal, generate_series(1, i % 6) k$$)) b (relation, query);
SELECT is((SELECT inserted FROM revrtm.refresh_journeys()), (SELECT count(*) FROM cash.deal), 'and stored');
CREATE FUNCTION pg_temp.unlike() RETURNS TABLE (what text, key text) LANGUAGE sql STABLE AS $$
    SELECT 'deal', d.opportunity_id FROM revrtm.deal d JOIN cash.deal k ON k.i::text = d.opportunity_id
    WHERE (d.amount, d.deal_currency, d.deal_amount, nullif(d.note, 'margin_estimated'))
          IS DISTINCT FROM (revrtm.convert_amount(k.amount, k.f, revrtm.setting('currency'), k.d), k.f, revrtm.convert_amount(k.amount, k.f, k.f, k.d), revrtm.fx_note(k.f, revrtm.setting('currency'), k.d))
    UNION ALL
    SELECT 'attribution', a.opportunity_id FROM revrtm.attribution a JOIN revrtm.deal d USING (opportunity_id)
    GROUP BY a.model, a.opportunity_id, d.amount, d.deal_amount HAVING sum(a.amount) IS DISTINCT FROM d.amount OR sum(a.deal_amount) IS DISTINCT FROM d.deal_amount
    UNION ALL
    SELECT 'scale', a.attribution_key FROM revrtm.attribution a WHERE min_scale(a.amount) > revrtm.currency_scale(NULL) OR min_scale(a.deal_amount) > revrtm.currency_scale(a.deal_currency)
    UNION ALL
    SELECT 'channel', c.channel_attribution_key FROM revrtm.channel_attribution c
         FULL JOIN (SELECT model, channel, period, coalesce(sum(amount), 0) AS amount FROM revrtm.attribution GROUP BY 1, 2, 3) a USING (model, channel, period) WHERE c.revenue IS DISTINCT FROM a.amount
         AND (a.model IS NOT NULL OR c.revenue <> 0)
    UNION ALL
    SELECT 'check', k.attribution_check_key FROM revrtm.attribution_check k WHERE k.difference <> 0 OR k.own_difference <> 0 OR k.deal_difference <> 0 $$;
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'in dollars');
SET LOCAL revrtm.currency = 'JPY';
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'in yen');
SET LOCAL revrtm.currency = 'KWD';
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'in dinars');
SET LOCAL revrtm.currency = 'CLF';
SELECT is_empty('SELECT * FROM pg_temp.unlike()', 'in units of four decimals');
SELECT * FROM finish();
ROLLBACK;
