-- Three years of real daily rates, dollars to thirteen currencies, two of which
-- ended: needs the environment variable REVRTM_DATA.
\set ON_ERROR_STOP 1
\set QUIET 1
\getenv data REVRTM_DATA
\if :{?data}
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
CREATE SCHEMA aw;
CREATE TABLE aw.currency_rate (id int, rate_date timestamp, from_code char(3), to_code char(3), average_rate numeric(19, 4), end_of_day_rate numeric(19, 4), modified timestamp);
\set load '\\copy aw.currency_rate FROM ''' :data '/adventureworks_oltp/CurrencyRate.csv'''
:load
SELECT plan(11);
SELECT is((SELECT count(*) FROM aw.currency_rate), 13532::bigint, 'all rates are loaded');
SELECT lives_ok($bind$ SELECT revrtm.bind('fx_rate', $$
    SELECT from_code::text AS from_currency, to_code::text AS to_currency, rate_date::date AS on_date, end_of_day_rate::numeric AS rate FROM aw.currency_rate $$) $bind$, 'they are bound');
SELECT is_empty('SELECT relation, column_name, problem FROM revrtm.binding_check() WHERE relation = ''fx_rate'' AND problem IS NOT NULL', 'no problem is left');

-- Random days, currencies and amounts, both ways, against a plain look-up.
CREATE FUNCTION pg_temp.draw(what text, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN (('x' || substr(md5(what), 1, 15))::bit(60)::bigint % n);
CREATE TEMP TABLE ask AS
SELECT i, (ARRAY['ARS', 'AUD', 'BRL', 'CAD', 'CNY', 'DEM', 'EUR', 'FRF', 'GBP', 'JPY', 'MXN', 'SAR', 'VEB', 'CHF'])[1 + pg_temp.draw(i || 'code', 14)] AS code,
       date '2011-05-20' + pg_temp.draw(i || 'day', 1120)::int AS day, (pg_temp.draw(i || 'amount', 20000000) - 5000000)::numeric / 100 AS amount
FROM generate_series(1, 4000) i;
CREATE TEMP TABLE expected AS
SELECT a.*, CASE WHEN a.day - r.day <= 7 THEN r.rate END AS rate, CASE WHEN r.day IS NULL THEN 'fx_missing' WHEN a.day - r.day > 7 THEN 'stale_fx' END AS note
FROM ask a LEFT JOIN LATERAL (SELECT c.rate_date::date AS day, c.end_of_day_rate AS rate FROM aw.currency_rate c
                              WHERE c.from_code = 'USD' AND c.to_code = a.code AND c.rate_date <= a.day ORDER BY c.rate_date DESC LIMIT 1) r ON true;
SELECT ok((SELECT count(*) FILTER (WHERE note IS NULL) > 3000 AND count(*) FILTER (WHERE note = 'stale_fx') > 100 AND count(*) FILTER (WHERE note = 'fx_missing') > 100 FROM expected), 'with and without a rate');
SELECT is_empty($$SELECT * FROM expected WHERE revrtm.fx('USD', code, day) IS DISTINCT FROM rate OR revrtm.fx_note('USD', code, day) IS DISTINCT FROM note$$, 'from dollars: the rate as it is');
SELECT is_empty($$SELECT * FROM expected WHERE revrtm.fx(code, 'USD', day) IS DISTINCT FROM 1 / rate OR revrtm.fx_note(code, 'USD', day) IS DISTINCT FROM note$$, 'to dollars: its inverse');
SELECT is_empty($$SELECT * FROM expected WHERE revrtm.convert_amount(amount, 'USD', code, day) IS DISTINCT FROM round(amount * rate, CASE code WHEN 'JPY' THEN 0 ELSE 2 END)$$, 'amounts from dollars');
SELECT is_empty($$SELECT * FROM expected WHERE revrtm.convert_amount(amount, code, 'USD', day) IS DISTINCT FROM round(round(amount / rate, 40), 2)$$, 'amounts to dollars');
SELECT is_empty($$SELECT * FROM expected WHERE abs(amount - revrtm.convert_amount(revrtm.convert_amount(amount, 'USD', code, day), code, 'USD', day)) > 0.005 + 0.5 / rate$$, 'there and back: within half a unit of each');

-- The mark ended with November 2011: its last rate holds for seven days.
SELECT results_eq($$SELECT d::date, revrtm.fx('USD', 'DEM', d::date), revrtm.fx_note('USD', 'DEM', d::date) FROM generate_series(timestamp '2011-12-06', '2011-12-08', '1 day') d$$,
    $$SELECT v.day, CASE WHEN v.day < '2011-12-08' THEN c.end_of_day_rate::numeric END, CASE WHEN v.day = '2011-12-08' THEN 'stale_fx' END
      FROM (VALUES (date '2011-12-06'), ('2011-12-07'), ('2011-12-08')) v (day), aw.currency_rate c WHERE c.to_code = 'DEM' AND c.rate_date = '2011-11-30'$$, 'the end of a currency');
SELECT is(revrtm.fx('EUR', 'GBP', '2012-01-02'), NULL, 'no rate is made of two others');
SELECT * FROM finish();
ROLLBACK;
\else
SELECT plan(1);
SELECT skip('REVRTM_DATA is not set', 1);
SELECT * FROM finish();
\endif
