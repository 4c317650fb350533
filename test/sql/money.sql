-- Currencies: minor units, exchange rates, conversion, and the views in them.

\set SHOW_CONTEXT never
SET DateStyle = 'ISO';
SET TimeZone = 'UTC';

-- Minor units. What is not in the table, or no code at all, has two decimals.
SELECT c, revrtm.currency_scale(c) FROM unnest('{USD,JPY,KWD,CLF,XYZ,usd,JPYX,JP,"",NULL}'::text[]) c;
SELECT scale, count(*), string_agg(currency, ' ' ORDER BY currency COLLATE "C") FROM revrtm.currency WHERE shipped GROUP BY scale ORDER BY scale;
BEGIN;
INSERT INTO revrtm.currency (currency, scale) VALUES ('HUF', 0), ('ISK', 2);
SELECT currency, scale, currency_name, shipped, revrtm.currency_scale(currency) FROM revrtm.currency WHERE currency IN ('HUF', 'ISK') ORDER BY 1;
UPDATE revrtm.currency SET scale = 2 WHERE currency = 'CLP' RETURNING shipped;
SET revrtm.currency = 'HUF';
SELECT revrtm.currency_scale(NULL);
ROLLBACK;
INSERT INTO revrtm.currency (currency, scale) VALUES ('yen', 0);
INSERT INTO revrtm.currency (currency, scale) VALUES ('YEN', 5);

-- Rates.
CREATE SCHEMA cash;
CREATE TABLE cash.rate (f text, t text, d date, r numeric);
SELECT revrtm.fx('EUR', 'USD', '2026-01-05') AS nothing_bound, revrtm.fx_note('EUR', 'USD', '2026-01-05');
SELECT revrtm.bind('fx_rate', 'SELECT f AS from_currency, t AS to_currency, d AS on_date, r AS rate FROM cash.rate') IS NOT NULL AS bound;
INSERT INTO cash.rate VALUES
    ('EUR', 'USD', '2026-01-05', 1.10), ('EUR', 'USD', '2026-01-20', 1.25), ('EUR', 'USD', NULL, 9), ('EUR', 'USD', '2026-01-06', NULL),
    ('USD', 'EUR', '2026-01-14', 0.8), ('USD', 'JPY', '2026-01-05', 150), ('JPY', 'USD', '2026-03-01', 0.01),
    ('USD', 'KWD', '2026-01-05', 0.3), ('EUR', 'ZZZ', '2026-01-05', 12),
    ('AAA', 'USD', '2026-01-05', 3), ('AAA', 'USD', '2026-01-05', 2), ('AAA', 'USD', '2026-01-05', 4);
SELECT d AS day, revrtm.fx('EUR', 'USD', d), revrtm.fx_note('EUR', 'USD', d) AS note, CASE d
           WHEN '2026-01-04' THEN 'a later rate does not count' WHEN '2026-01-05' THEN 'the day itself' WHEN '2026-01-12' THEN 'seven days' WHEN '2026-01-13' THEN 'eight'
           WHEN '2026-01-14' THEN 'the other way round' WHEN '2026-01-20' THEN 'the pair itself comes first' ELSE 'both are too old' END AS why
FROM unnest('{2026-01-04,2026-01-05,2026-01-12,2026-01-13,2026-01-14,2026-01-20,2026-01-28}'::date[]) d;
SELECT revrtm.fx('JPY', 'USD', '2026-01-06') AS inverse, revrtm.fx('USD', 'JPY', '2026-01-06') AS direct,
       revrtm.fx('JPY', 'USD', '2026-03-02') AS its_own, revrtm.fx('USD', 'JPY', '2026-03-02') AS inverse_of_that,
       revrtm.fx('AAA', 'USD', '2026-01-05') AS lowest_of_a_day;
-- No rate is made of two others.
SELECT revrtm.fx('EUR', 'JPY', '2026-01-05') AS across, revrtm.fx_note('EUR', 'JPY', '2026-01-05');
-- NULL is the reporting currency; a currency is always worth itself.
SELECT revrtm.fx('EUR', NULL, '2026-01-05'), revrtm.fx(NULL, 'EUR', '2026-01-14') AS from_dollars, revrtm.fx('USD', NULL, NULL) AS same,
       revrtm.fx('???', '???', 'infinity') AS any_same, revrtm.fx_note(NULL, NULL, NULL) AS note;
SELECT d AS day, revrtm.fx('EUR', 'USD', d), revrtm.fx_note('EUR', 'USD', d) FROM unnest('{NULL,infinity,-infinity,5874897-12-31,4713-01-01 BC}'::date[]) d;
-- The age is a setting.
SET revrtm.fx_max_age = '36h';
SELECT revrtm.fx_note('EUR', 'USD', '2026-01-06') AS a_day, revrtm.fx_note('EUR', 'USD', '2026-01-07') AS two_days;
SET revrtm.fx_max_age = 0;
SELECT revrtm.fx('EUR', 'USD', '2027-01-01'), revrtm.fx_note('EUR', 'USD', '2027-01-01'), revrtm.fx('EUR', 'USD', '5874897-12-31') AS at_the_end,
       revrtm.fx_note('EUR', 'USD', 'infinity') AS never, revrtm.fx_note('EUR', 'USD', '2026-01-04') AS before;
SET revrtm.fx_max_age = -1;
RESET revrtm.fx_max_age;
SHOW revrtm.fx_max_age;

-- Bad rows are named, whichever way round they are read.
CREATE PROCEDURE cash.wrong(day date, rate numeric) LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    INSERT INTO cash.rate VALUES ('BAD', 'USD', day, rate);
    PERFORM revrtm.convert_amount(1, 'USD', 'BAD', '2026-01-05');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE INFO '% % | % | %', state, message, detail, hint;
END
$$;
CALL cash.wrong('2026-01-05', 0);
CALL cash.wrong('2026-01-05', -1.1);
CALL cash.wrong('2030-01-01', 'NaN');
CALL cash.wrong('0044-03-15 BC', 'Infinity');
CALL cash.wrong('infinity', 1);
CALL cash.wrong('-infinity', 1);
INSERT INTO cash.rate VALUES (repeat('é', 60), 'USD', '2026-01-05', 0);
SELECT revrtm.fx_note(repeat('é', 60), 'USD', '2026-01-05');
DELETE FROM cash.rate WHERE f LIKE 'é%';

-- Amounts: rounded half away from zero to the minor unit of what they become.
SELECT a AS amount, revrtm.convert_amount(a, 'EUR', 'USD', '2026-01-05') AS dollars, revrtm.convert_amount(a, 'USD', 'JPY', '2026-01-05') AS yen,
       revrtm.convert_amount(a, 'USD', 'KWD', '2026-01-05') AS dinars, revrtm.convert_amount(a, 'KWD', 'USD', '2026-01-05') AS of_dinars,
       revrtm.convert_amount(a, 'JPY', 'JPY', NULL) AS same, revrtm.convert_amount(a, 'ZZZ', 'EUR', '2026-01-05') AS twelfth
FROM unnest('{0,0.01,1.005,12.06,12.05,99.99,1000000,12345678901234567890.12,NULL}'::numeric[]) a;
-- 12.06 / 12 is 1.005, and not a little less, as 12.06 times a rounded 1/12 is.
SELECT revrtm.convert_amount(12.06, 'ZZZ', 'EUR', '2026-01-05') AS divided, round(12.06 * revrtm.fx('ZZZ', 'EUR', '2026-01-05'), 2) AS multiplied;
SELECT count(*) AS refunds_unlike FROM generate_series(-50, 50) n, unnest('{EUR,USD,JPY,KWD}'::text[]) f, unnest('{EUR,USD,JPY,KWD}'::text[]) t
WHERE revrtm.convert_amount(n / 8.0, f, t, '2026-01-05') IS DISTINCT FROM -revrtm.convert_amount(-n / 8.0, f, t, '2026-01-05');
SELECT revrtm.convert_amount(5, 'GBP', 'USD', '2026-01-05') AS no_rate, revrtm.convert_amount(5, 'EUR', 'USD', '2026-01-13') AS too_old, revrtm.convert_amount(5, 'EUR', 'USD', NULL) AS no_day;
SELECT revrtm.reporting_amount(10, 'EUR', '2026-01-05'), revrtm.reporting_amount(10.005, NULL, NULL), revrtm.reporting_note('EUR', '2026-01-05'),
       revrtm.reporting_note('EUR', '2026-01-13'), revrtm.reporting_note('GBP', '2026-01-05'), revrtm.reporting_note(NULL, NULL);
SELECT revrtm.convert_amount('NaN', 'USD', 'USD', '2026-01-05');
SELECT revrtm.convert_amount('-Infinity', 'GBP', 'USD', '2026-01-05');

-- What a query has read is not kept for the next, in PL/pgSQL either.
DO $$
DECLARE
    rate numeric;
BEGIN
    FOR i IN 1 .. 3 LOOP
        INSERT INTO cash.rate VALUES ('NEW', 'USD', '2026-01-05', 10 - i);
        rate := revrtm.fx('NEW', 'USD', '2026-01-05');
        UPDATE revrtm.currency SET scale = i WHERE currency = 'CLF';
        RAISE INFO 'rate %, amount %', rate, revrtm.convert_amount(1, 'CLF', 'CLF', NULL);
    END LOOP;
    ROLLBACK;
END
$$;

-- A CRM of few deals: yen, dinars, a refund, a stale rate, no rate, nobody's currency.
CREATE TABLE cash.deal (id text, amount numeric, currency text, won boolean, day date, margin numeric);
CREATE TABLE cash.touch (deal text, day date, channel text);
CREATE TABLE cash.spend (id text, period date, category text, amount numeric, currency text);
SELECT bool_and(revrtm.bind(relation, query) IS NOT NULL) AS bound
FROM (VALUES
('opportunity', $$SELECT id AS opportunity_id, id AS account_id, amount, currency, won AS is_won, day IS NOT NULL AS is_closed, timestamptz '2026-01-01 00:00Z' AS created_at,
    day AS close_date, NULL::timestamptz AS closed_at, margin FROM cash.deal$$),
('touch', $$SELECT deal || day || channel AS touch_id, day::timestamp AT TIME ZONE 'UTC' AS touched_at, channel, deal AS opportunity_id FROM cash.touch$$),
('spend', $$SELECT id AS spend_id, period, 'direct'::text AS route_id, category, amount, currency FROM cash.spend$$)) b (relation, query);
INSERT INTO cash.deal VALUES
    ('yen', 10001, 'JPY', true, '2026-01-06', NULL), ('dinar', 100.001, 'KWD', true, '2026-01-06', 10.005), ('refund', -100.001, 'KWD', true, '2026-01-06', -10.005),
    ('own', 100.01, NULL, true, '2026-01-06', 50), ('fine', 7.12345, 'USD', true, '2026-01-06', 1), ('stale', 100, 'EUR', true, '2026-01-13', 1),
    ('none', 100, 'GBP', true, '2026-01-06', 1), ('lost', 100, 'EUR', false, '2026-01-13', 1), ('open', 100, 'EUR', false, NULL, 1), ('empty', NULL, 'GBP', true, '2026-01-06', NULL);
INSERT INTO cash.touch SELECT d.id, date '2026-01-02' + c, (ARRAY['ad', 'call', 'fair'])[c] FROM cash.deal d, generate_series(1, 3) c;
INSERT INTO cash.spend VALUES ('1', '2026-01-06', 'content', 1000, 'JPY'), ('2', '2026-01-06', 'content', 1.005, 'KWD'), ('3', '2026-01-13', 'mdf', 5, 'EUR'),
    ('4', '2026-01-13', 'mdf', 5, 'USD'), ('5', '2026-01-06', 'tools', 5, 'GBP'), ('6', '2026-01-13', 'tools', 5, 'EUR');
INSERT INTO revrtm.channel_map VALUES ('ad', 'direct', 'content'), ('call', 'direct', 'mdf'), ('fair', 'direct', 'tools');
SELECT inserted FROM revrtm.refresh_journeys();
SET revrtm.as_of = '2026-01-22';

SELECT opportunity_id, amount, margin, deal_currency, deal_amount, note FROM revrtm.deal ORDER BY opportunity_id COLLATE "C";
SELECT opportunity_id, amount, note FROM revrtm.booking EXCEPT SELECT opportunity_id, amount, nullif(note, 'margin_estimated') FROM revrtm.deal;
SELECT opportunity_id, ordinal, amount, deal_currency, deal_amount FROM revrtm.attribution
WHERE model = 'linear' AND opportunity_id IN ('yen', 'dinar', 'refund', 'none') ORDER BY opportunity_id COLLATE "C", ordinal;
SELECT route_id, won, fx_missing, note, won_amount, open_amount FROM revrtm.pipeline;
SELECT category, spend, fx_missing, note FROM revrtm.route_spend ORDER BY category COLLATE "C";
SELECT category, spend, fx_missing, note FROM revrtm.route_romi WHERE model = 'linear' ORDER BY category COLLATE "C";
SELECT jsonb_array_elements_text(revrtm.council_pack('2026-01-01') -> 'notes') AS note;

-- Whatever the reporting currency, both columns foot under every model, in whole minor units.
CREATE FUNCTION cash.foots() RETURNS TABLE (currency text, deals bigint, amounts bigint, foots boolean, foots_own boolean, whole boolean, checked boolean, council boolean) LANGUAGE sql
RETURN (revrtm.setting('currency'), (SELECT count(*) FROM revrtm.deal), (SELECT count(amount) FROM revrtm.deal),
    (SELECT bool_and(a.amount IS NOT DISTINCT FROM d.amount) FROM (SELECT model, opportunity_id, sum(amount) AS amount FROM revrtm.attribution GROUP BY 1, 2) a JOIN revrtm.deal d USING (opportunity_id)),
    (SELECT bool_and(a.amount IS NOT DISTINCT FROM d.deal_amount) FROM (SELECT model, opportunity_id, sum(deal_amount) AS amount FROM revrtm.attribution GROUP BY 1, 2) a JOIN revrtm.deal d USING (opportunity_id)),
    (SELECT bool_and(min_scale(amount) <= revrtm.currency_scale(NULL) AND min_scale(deal_amount) <= revrtm.currency_scale(deal_currency)) FROM revrtm.attribution),
    (SELECT count(*) > 0 AND count(*) FILTER (WHERE difference <> 0 OR own_difference <> 0 OR deal_difference <> 0) = 0 FROM revrtm.attribution_check),
    (SELECT bool_and(min_scale(revenue) <= revrtm.currency_scale(NULL) AND min_scale(margin) <= revrtm.currency_scale(NULL)) FROM revrtm.channel_attribution)
    AND (SELECT bool_and(min_scale(revenue) <= revrtm.currency_scale(NULL) AND min_scale(margin) <= revrtm.currency_scale(NULL) AND min_scale(spend) <= revrtm.currency_scale(NULL)) FROM revrtm.route_romi));
SELECT * FROM cash.foots();
SET revrtm.currency = 'JPY';
SELECT * FROM cash.foots();
SELECT opportunity_id, ordinal, amount, deal_currency, deal_amount FROM revrtm.attribution
WHERE model = 'u_shaped' AND opportunity_id IN ('yen', 'own') ORDER BY opportunity_id COLLATE "C", ordinal;
SET revrtm.currency = 'KWD';
SELECT * FROM cash.foots();
SELECT opportunity_id, ordinal, amount, deal_currency, deal_amount FROM revrtm.attribution
WHERE model = 'u_shaped' AND opportunity_id IN ('dinar', 'refund', 'fine') ORDER BY opportunity_id COLLATE "C", ordinal;
SET revrtm.currency = 'CLF';
SELECT * FROM cash.foots();

-- The budget is moved in whole yen, and in fils.
SET revrtm.currency = 'JPY';
SET revrtm.fx_max_age = 0;
INSERT INTO revrtm.budget_line (line, route_id, category, curve) VALUES
    ('content', 'direct', 'content', revrtm.curve('log', 0, 7)), ('mdf', 'direct', 'mdf', revrtm.curve('log', 0, 9));
SELECT line, current, proposed, change, bound FROM revrtm.budget_proposal('2026-01-01');
SET revrtm.currency = 'KWD';
SELECT line, current, proposed, change, bound FROM revrtm.budget_proposal('2026-01-01');
RESET revrtm.currency;
RESET revrtm.fx_max_age;

-- credit() splits a deal in two currencies at once.
SELECT * FROM revrtm.credit('{a,b,c}', 'linear', 100, 0, 0.67, 2);
SELECT * FROM revrtm.credit('{a,b}', 'linear', NULL, NULL, -0.01, NULL);
SELECT * FROM revrtm.credit('{a,b}', 'linear', 1, 2, 1, 19);

-- What the owner of the tables may make of them does not reach C code as something else.
BEGIN;
ALTER TABLE revrtm.currency DROP CONSTRAINT currency_scale_check;
UPDATE revrtm.currency SET scale = 300 WHERE currency = 'JPY';
SELECT revrtm.currency_scale('USD');
ROLLBACK;
BEGIN;
ALTER TABLE revrtm.currency DROP CONSTRAINT currency_currency_check, DROP CONSTRAINT currency_scale_check, ALTER scale DROP NOT NULL, ALTER scale TYPE text;
UPDATE revrtm.currency SET scale = NULL WHERE currency = 'JPY';
INSERT INTO revrtm.currency (currency, scale) VALUES ('yen', '7'), ('', '7'), ('USD', '3');
SELECT revrtm.currency_scale('USD') AS usd, revrtm.currency_scale('JPY') AS jpy, revrtm.currency_scale('yen') AS yen;
ROLLBACK;

DELETE FROM revrtm.budget_line;
DELETE FROM revrtm.channel_map;
SELECT count(revrtm.unbind(relation)) AS unbound FROM unnest('{opportunity,touch,spend,fx_rate}'::text[]) relation;
SELECT deleted FROM revrtm.refresh_journeys(verify => true);
DROP SCHEMA cash CASCADE;
