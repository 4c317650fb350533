-- Currencies: their minor units, exchange rates, and conversion. Whatever
-- converts or splits money asks here.

CREATE TABLE revrtm.currency (
    currency      text PRIMARY KEY CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    scale         integer NOT NULL CHECK (scale BETWEEN 0 AND 4),
    currency_name text,
    shipped       boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.currency', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.currency IS
'Currencies whose minor unit is not a hundredth, as ISO 4217 has them; any currency without a row has two decimals. Insert a row for one of your own, or edit one.';
COMMENT ON COLUMN revrtm.currency.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN revrtm.currency.scale IS 'Decimals of the minor unit, 0 to 4: what amounts are rounded to and split in.';
COMMENT ON COLUMN revrtm.currency.currency_name IS 'Name of the currency.';
COMMENT ON COLUMN revrtm.currency.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

INSERT INTO revrtm.currency (currency, scale, currency_name, shipped) VALUES
('BHD', 3, 'Bahraini Dinar', true),
('BIF', 0, 'Burundi Franc', true),
('CLF', 4, 'Unidad de Fomento', true),
('CLP', 0, 'Chilean Peso', true),
('DJF', 0, 'Djibouti Franc', true),
('GNF', 0, 'Guinean Franc', true),
('IQD', 3, 'Iraqi Dinar', true),
('ISK', 0, 'Iceland Krona', true),
('JOD', 3, 'Jordanian Dinar', true),
('JPY', 0, 'Yen', true),
('KMF', 0, 'Comorian Franc', true),
('KRW', 0, 'Won', true),
('KWD', 3, 'Kuwaiti Dinar', true),
('LYD', 3, 'Libyan Dinar', true),
('OMR', 3, 'Rial Omani', true),
('PYG', 0, 'Guarani', true),
('RWF', 0, 'Rwanda Franc', true),
('TND', 3, 'Tunisian Dinar', true),
('UGX', 0, 'Uganda Shilling', true),
('UYI', 0, 'Uruguay Peso en Unidades Indexadas', true),
('UYW', 4, 'Unidad Previsional', true),
('VND', 0, 'Dong', true),
('VUV', 0, 'Vatu', true),
('XAF', 0, 'CFA Franc BEAC', true),
('XOF', 0, 'CFA Franc BCEAO', true),
('XPF', 0, 'CFP Franc', true);

CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.currency
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('currency');
SELECT revrtm.register_policy('revrtm.currency');
GRANT SELECT ON revrtm.currency TO PUBLIC;

CREATE FUNCTION revrtm.currency_scale(currency text) RETURNS integer
LANGUAGE c STABLE PARALLEL SAFE COST 5
AS 'MODULE_PATHNAME', 'revrtm_currency_scale';
COMMENT ON FUNCTION revrtm.currency_scale(text) IS
'Decimals of a currency''s minor unit, from revrtm.currency; 2 for one without a row. NULL is the reporting currency. A query reads the table once.';

CREATE FUNCTION revrtm.fx(from_currency text, to_currency text, on_date date) RETURNS numeric
LANGUAGE c STABLE PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_fx';
COMMENT ON FUNCTION revrtm.fx(text, text, date) IS
'Units of to_currency for one of from_currency: the latest rate of revrtm.fx_rate on or before the day, of several the lowest, not older than revrtm.fx_max_age; else 1 / the rate of the pair the other way round, to 16 digits or more. 1 between a currency and itself. A NULL currency is the reporting currency. NULL where there is no such rate (fx_note says why), and for a NULL or infinite day. A query reads each pair once. 22023 naming the row for a rate that is not finite and above zero, or that has an infinite day.';

CREATE FUNCTION revrtm.fx_note(from_currency text, to_currency text, on_date date) RETURNS text
LANGUAGE c STABLE PARALLEL SAFE COST 10
AS 'MODULE_PATHNAME', 'revrtm_fx_note';
COMMENT ON FUNCTION revrtm.fx_note(text, text, date) IS
'Why fx() is NULL: fx_missing (no rate on or before the day) or stale_fx (the latest is older than revrtm.fx_max_age); NULL where there is a rate. Errors as fx().';

CREATE FUNCTION revrtm.convert_amount(amount numeric, from_currency text, to_currency text, on_date date) RETURNS numeric
LANGUAGE c STABLE PARALLEL SAFE COST 15
AS 'MODULE_PATHNAME', 'revrtm_convert_amount';
COMMENT ON FUNCTION revrtm.convert_amount(numeric, text, text, date) IS
'The amount in to_currency at the rate that fx() finds, rounded half away from zero to the minor unit of to_currency; divided, not multiplied, where only the pair the other way round has a rate. A NULL currency is the reporting currency. NULL for a NULL amount and without a rate. 22023 for NaN and infinity, and as fx().';

-- One expression without sub-select each: the planner puts them in place.
CREATE FUNCTION revrtm.reporting_amount(amount numeric, currency text, on_date date) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.convert_amount(amount, currency, NULL, on_date);
END;
COMMENT ON FUNCTION revrtm.reporting_amount(numeric, text, date) IS
'convert_amount() to the reporting currency, revrtm.currency, which a NULL currency is.';

CREATE FUNCTION revrtm.reporting_note(currency text, on_date date) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT revrtm.fx_note(currency, NULL, on_date);
END;
COMMENT ON FUNCTION revrtm.reporting_note(text, date) IS
'fx_note() to the reporting currency: fx_missing or stale_fx where reporting_amount() is NULL for want of a rate.';
