-- Response curves.

CREATE TYPE revrtm.response_curve;

CREATE FUNCTION revrtm.response_curve_in(cstring) RETURNS revrtm.response_curve
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_in';
COMMENT ON FUNCTION revrtm.response_curve_in(cstring) IS
'Reads a response curve from text such as log(12.5,3.25); 22P02 for bad syntax, 22023 for parameters out of their range.';

CREATE FUNCTION revrtm.response_curve_out(revrtm.response_curve) RETURNS cstring
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_out';
COMMENT ON FUNCTION revrtm.response_curve_out(revrtm.response_curve) IS
'Text of a response curve; the shortest numbers that read back the same, whatever extra_float_digits says.';

CREATE FUNCTION revrtm.response_curve_recv(internal) RETURNS revrtm.response_curve
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_recv';
COMMENT ON FUNCTION revrtm.response_curve_recv(internal) IS
'Reads a response curve from the binary protocol: a byte for the family, then its parameters as float8.';

CREATE FUNCTION revrtm.response_curve_send(revrtm.response_curve) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_send';
COMMENT ON FUNCTION revrtm.response_curve_send(revrtm.response_curve) IS
'Writes a response curve for the binary protocol.';

CREATE TYPE revrtm.response_curve (
    INPUT = revrtm.response_curve_in,
    OUTPUT = revrtm.response_curve_out,
    RECEIVE = revrtm.response_curve_recv,
    SEND = revrtm.response_curve_send,
    INTERNALLENGTH = 40,
    ALIGNMENT = double,
    STORAGE = plain
);
COMMENT ON TYPE revrtm.response_curve IS
'What a line of the budget returns for the amount x >= 0 spent on it, in the unit of the response per unit of money: linear(a,b) = a + b x, log(a,b) = a + b ln x (x > 0), power(a,b,c) = a + b x^c, exponential(a,b,k) = a + b (1 - e^(-x/k)), hill(a,b,k,n) = a + b x^n / (k^n + x^n). All parameters are finite; c, k and n are above zero.';

CREATE FUNCTION revrtm.curve(family text, VARIADIC parameters float8[]) RETURNS revrtm.response_curve
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_curve';
COMMENT ON FUNCTION revrtm.curve(text, float8[]) IS
'The response curve of a family (linear, log, power, exponential, hill) with its parameters in the order of its formula; 22023 for an unknown family, a wrong number of parameters, or one out of its range.';

CREATE FUNCTION revrtm.curve_value(curve revrtm.response_curve, x float8) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_curve_value';
COMMENT ON FUNCTION revrtm.curve_value(revrtm.response_curve, float8) IS
'The response to an amount x. 22023 for x negative or not finite, and for a log curve at zero; 22003 for a response that does not fit a float8.';

CREATE FUNCTION revrtm.curve_slope(curve revrtm.response_curve, x float8) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_curve_slope';
COMMENT ON FUNCTION revrtm.curve_slope(revrtm.response_curve, float8) IS
'The response to the next of money at an amount x: the first derivative. Infinity where the curve leaves zero vertically (power with c < 1, hill with n < 1); errors as curve_value.';

CREATE FUNCTION revrtm.response_curve_eq(revrtm.response_curve, revrtm.response_curve) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_eq';
COMMENT ON FUNCTION revrtm.response_curve_eq(revrtm.response_curve, revrtm.response_curve) IS
'Same family and same parameters. Curves of two families are never equal, even where their values are.';

CREATE FUNCTION revrtm.response_curve_ne(revrtm.response_curve, revrtm.response_curve) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_ne';
COMMENT ON FUNCTION revrtm.response_curve_ne(revrtm.response_curve, revrtm.response_curve) IS
'Not the same family and parameters.';

CREATE FUNCTION revrtm.response_curve_hash(revrtm.response_curve) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'revrtm_response_curve_hash';
COMMENT ON FUNCTION revrtm.response_curve_hash(revrtm.response_curve) IS
'Hash of a response curve, for DISTINCT and GROUP BY.';

CREATE OPERATOR revrtm.= (
    LEFTARG = revrtm.response_curve,
    RIGHTARG = revrtm.response_curve,
    FUNCTION = revrtm.response_curve_eq,
    COMMUTATOR = OPERATOR(revrtm.=),
    NEGATOR = OPERATOR(revrtm.<>),
    RESTRICT = pg_catalog.eqsel,
    JOIN = pg_catalog.eqjoinsel,
    HASHES
);
COMMENT ON OPERATOR revrtm.= (revrtm.response_curve, revrtm.response_curve) IS
'Same family and same parameters.';

CREATE OPERATOR revrtm.<> (
    LEFTARG = revrtm.response_curve,
    RIGHTARG = revrtm.response_curve,
    FUNCTION = revrtm.response_curve_ne,
    COMMUTATOR = OPERATOR(revrtm.<>),
    NEGATOR = OPERATOR(revrtm.=),
    RESTRICT = pg_catalog.neqsel,
    JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR revrtm.<> (revrtm.response_curve, revrtm.response_curve) IS
'Not the same family and parameters.';

CREATE OPERATOR CLASS revrtm.response_curve_ops
DEFAULT FOR TYPE revrtm.response_curve USING hash AS
    OPERATOR 1 revrtm.=,
    FUNCTION 1 revrtm.response_curve_hash(revrtm.response_curve);
COMMENT ON OPERATOR CLASS revrtm.response_curve_ops USING hash IS
'Equality of response curves, for DISTINCT, GROUP BY and hash joins.';
COMMENT ON OPERATOR FAMILY revrtm.response_curve_ops USING hash IS 'Hash equality of response curves.';
