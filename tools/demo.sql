-- make demo: the demo CRM, and what it answers.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE DATABASE demo;
\connect demo
SET client_min_messages = warning;
CREATE EXTENSION revrtm CASCADE;

SELECT pg_catalog.to_regprocedure('revrtm.load_demo(integer,integer)') IS NOT NULL AS has_demo \gset
\if :has_demo
\warn loading the demo CRM of 2000 deals
SELECT revrtm.load_demo(2000, 1) \g /dev/null
\endif

SELECT revrtm.library_version() AS revrtm;
