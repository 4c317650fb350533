-- Response curves: text, parameters, values, slopes, equality, transport.
SELECT revrtm.curve('log', 12.5, 3.25), 'hill(0, 1e2 ,5.0,  0.1)'::revrtm.response_curve;
SET extra_float_digits = -15;
SELECT revrtm.curve('power', 0.1, 1e300, 1.0/3), ' linear ( -0 , 5e-324 ) '::revrtm.response_curve;
RESET extra_float_digits;

-- Values and slopes beside the formulas.
WITH c (curve, f, df) AS (VALUES
    (revrtm.curve('linear', 1, 2), 1 + 2 * 3.5::float8, 2::float8),
    (revrtm.curve('log', 1, 2), 1 + 2 * ln(3.5::float8), 2 / 3.5::float8),
    (revrtm.curve('power', 1, 2, 0.5), 1 + 2 * sqrt(3.5::float8), 1 / sqrt(3.5::float8)),
    (revrtm.curve('exponential', 1, 2, 5), 1 + 2 * (1 - exp(-3.5::float8 / 5)), 2 / 5.0 * exp(-3.5::float8 / 5)),
    (revrtm.curve('hill', 1, 2, 5, 2), 1 + 2 * 12.25::float8 / (25 + 12.25), 2 * 2 * 3.5::float8 * 25 / (37.25 * 37.25)))
SELECT curve, abs(revrtm.curve_value(curve, 3.5) / f - 1) < 1e-15 AS value,
       abs(revrtm.curve_slope(curve, 3.5) / df - 1) < 1e-15 AS slope
FROM c;

-- At zero and far out.
SELECT c, revrtm.curve_value(c, 0) AS value, revrtm.curve_slope(c, 0) AS slope,
       revrtm.curve_value(c, 1e300) AS far
FROM unnest(ARRAY['power(3,1,0.5)', 'power(3,1,1)', 'exponential(3,1,1e-300)', 'hill(3,1,10,0.5)',
                  'hill(3,1,10,1)', 'hill(3,1,10,2)', 'hill(3,1,1e300,1)']::revrtm.response_curve[]) c;
SELECT revrtm.curve_value('power(3,0,2)', 1e200) AS flat;

-- Equality is that of the stored parameters.
SELECT revrtm.curve('linear', 0, 1) OPERATOR(revrtm.=) revrtm.curve('linear', '-0', 1) AS eq,
       revrtm.curve('linear', 0, 1) OPERATOR(revrtm.<>) revrtm.curve('linear', 0, 1) AS ne,
       revrtm.curve('linear', 0, 1) OPERATOR(revrtm.=) revrtm.curve('power', 0, 1, 1) AS other_family;
SELECT c, count(*) FROM unnest(ARRAY['log(1,2)', 'linear(1,2)', 'log(1, 2.0)']::revrtm.response_curve[]) c
GROUP BY c ORDER BY c::text;

-- Nulls.
SELECT revrtm.curve(NULL, 1, 2) IS NULL AS family, revrtm.curve('log', VARIADIC NULL) IS NULL AS parameters,
       revrtm.curve_value(NULL, 1) IS NULL AS value, revrtm.curve_slope('log(1,2)', NULL) IS NULL AS slope;
SELECT revrtm.curve('log', 1, NULL);

-- Bad parameters.
SELECT revrtm.curve('logarithm', 1, 2);
SELECT revrtm.curve('', 1, 2);
SELECT revrtm.curve('log', 1);
SELECT revrtm.curve('log', 1, 2, 3);
SELECT revrtm.curve('log', VARIADIC '{}');
SELECT revrtm.curve('log', VARIADIC '{{1,2}}');
SELECT revrtm.curve('log', 'NaN', 2);
SELECT revrtm.curve('linear', 1, 'Infinity');
SELECT revrtm.curve('exponential', 1, 2, 0);
SELECT revrtm.curve('hill', 1, 2, -5, 1);
SELECT revrtm.curve('hill', 1, 2, 5, 0);
SELECT revrtm.curve('power', 1, 2, '-Infinity');

-- Bad text.
SELECT ''::revrtm.response_curve;
SELECT 'log'::revrtm.response_curve;
SELECT 'log()'::revrtm.response_curve;
SELECT 'log(1,2'::revrtm.response_curve;
SELECT 'log(1,2) x'::revrtm.response_curve;
SELECT 'log(1;2)'::revrtm.response_curve;
SELECT 'LOG(1,2)'::revrtm.response_curve;
SELECT 'log(1,2,3,4,5,6)'::revrtm.response_curve;
SELECT 'log(1,1e999)'::revrtm.response_curve;
SELECT 'hill(1,2,nan,1)'::revrtm.response_curve;

-- Bad amounts.
SELECT revrtm.curve_value('log(1,2)', 0);
SELECT revrtm.curve_slope('log(1,2)', 0);
SELECT revrtm.curve_value('linear(1,2)', -1);
SELECT revrtm.curve_value('linear(1,2)', 'NaN');
SELECT revrtm.curve_slope('linear(1,2)', 'Infinity');
SELECT revrtm.curve_value('power(0,1e300,2)', 1e10);
SELECT revrtm.curve_slope('power(0,1e300,2)', 1e10);

-- Binary transport.
CREATE TABLE curve_sent (c revrtm.response_curve);
CREATE TABLE curve_received (LIKE curve_sent);
INSERT INTO curve_sent VALUES ('log(0.1,2e-300)'), ('hill(0,1,0.30000000000000004,5e-324)'), (NULL);
\copy curve_sent TO 'results/curve.bin' (FORMAT binary)
\copy curve_received FROM 'results/curve.bin' (FORMAT binary)
SELECT * FROM curve_received;
SELECT count(*) AS changed FROM (TABLE curve_sent EXCEPT TABLE curve_received) d;
DROP TABLE curve_sent, curve_received;
