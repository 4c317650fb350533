-- Maturity models as data: what is judged, how far it can be, what each level
-- looks like, and which figures prove it. Rows are shipped for three models;
-- users edit them and add their own.

CREATE TABLE revrtm.maturity_model (
    model       text PRIMARY KEY CHECK (model <> ''),
    model_name  text NOT NULL,
    description text NOT NULL,
    benchmark   numeric(4, 2) CHECK (benchmark BETWEEN 1 AND 9),
    shipped     boolean NOT NULL DEFAULT false
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_model', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.maturity_model IS
'Maturity models. Shipped: enablement (six capabilities of partner and direct enablement), rm6 (six pillars by four stages), loop (the ten stages of a customer''s loop).';
COMMENT ON COLUMN revrtm.maturity_model.model IS 'Name of the model.';
COMMENT ON COLUMN revrtm.maturity_model.model_name IS 'Title for people.';
COMMENT ON COLUMN revrtm.maturity_model.description IS 'What it judges.';
COMMENT ON COLUMN revrtm.maturity_model.benchmark IS 'Mean result of others to compare with, on the same levels; NULL for none.';
COMMENT ON COLUMN revrtm.maturity_model.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

CREATE TABLE revrtm.maturity_level (
    model       text CHECK (model <> ''),
    level       integer CHECK (level BETWEEN 1 AND 9),
    level_name  text NOT NULL,
    description text NOT NULL,
    shipped     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model, level)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_level', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.maturity_level IS 'The levels of a model, from 1 up.';
COMMENT ON COLUMN revrtm.maturity_level.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_level.level IS 'The level, 1 to 9; the highest one is where a model ends.';
COMMENT ON COLUMN revrtm.maturity_level.level_name IS 'Its name.';
COMMENT ON COLUMN revrtm.maturity_level.description IS 'What it means in general.';
COMMENT ON COLUMN revrtm.maturity_level.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

CREATE TABLE revrtm.maturity_dimension (
    model          text CHECK (model <> ''),
    dimension      text CHECK (dimension <> ''),
    ordinal        integer NOT NULL,
    side           text CHECK (side <> ''),
    dimension_name text NOT NULL,
    owner          text,
    kpis           text[] NOT NULL DEFAULT '{}' CHECK (array_position(kpis, NULL) IS NULL),
    target         integer CHECK (target BETWEEN 1 AND 9),
    shipped        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model, dimension)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_dimension', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.maturity_dimension IS
'What a model judges: a capability, a pillar, or a stage of the loop, each with its owner and figures.';
COMMENT ON COLUMN revrtm.maturity_dimension.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_dimension.dimension IS 'Name of the dimension, unique in its model.';
COMMENT ON COLUMN revrtm.maturity_dimension.ordinal IS 'Place in its model; ties by name. For the loop the order in which customers go through it.';
COMMENT ON COLUMN revrtm.maturity_dimension.side IS 'Part of the model it belongs to; for the loop acquisition or expansion; NULL for none.';
COMMENT ON COLUMN revrtm.maturity_dimension.dimension_name IS 'Title for people.';
COMMENT ON COLUMN revrtm.maturity_dimension.owner IS 'Who answers for it; NULL where nobody does yet.';
COMMENT ON COLUMN revrtm.maturity_dimension.kpis IS 'Its primary figures, by the names of revrtm.kpi.';
COMMENT ON COLUMN revrtm.maturity_dimension.target IS 'Level it is to reach; NULL is the highest of the model.';
COMMENT ON COLUMN revrtm.maturity_dimension.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

CREATE TABLE revrtm.maturity_stage (
    model       text CHECK (model <> ''),
    dimension   text CHECK (dimension <> ''),
    level       integer CHECK (level BETWEEN 1 AND 9),
    description text NOT NULL,
    shipped     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model, dimension, level)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_stage', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.maturity_stage IS
'What a dimension looks like at a level; where it has no row, the level''s own description stands for it.';
COMMENT ON COLUMN revrtm.maturity_stage.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_stage.dimension IS 'The dimension.';
COMMENT ON COLUMN revrtm.maturity_stage.level IS 'The level.';
COMMENT ON COLUMN revrtm.maturity_stage.description IS 'What is to be seen there.';
COMMENT ON COLUMN revrtm.maturity_stage.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

CREATE TABLE revrtm.maturity_criterion (
    model      text CHECK (model <> ''),
    dimension  text CHECK (dimension <> ''),
    level      integer CHECK (level BETWEEN 2 AND 9),
    kpi        text CHECK (kpi <> ''),
    route_id   text DEFAULT '(any)' CHECK (route_id <> ''),
    comparison text NOT NULL CHECK (comparison IN ('>=', '>', '<=', '<')),
    threshold  numeric NOT NULL CHECK (threshold NOT IN ('NaN', 'Infinity', '-Infinity')),
    months     integer NOT NULL DEFAULT 12 CHECK (months BETWEEN 1 AND 120),
    measure    text NOT NULL DEFAULT 'value' CHECK (measure IN ('value', 'share')),
    shipped    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model, dimension, level, kpi, route_id)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.maturity_criterion', 'WHERE NOT shipped');
COMMENT ON TABLE revrtm.maturity_criterion IS
'What a figure must be for a dimension to be at a level. The thresholds that are shipped are starting points, to be edited.';
COMMENT ON COLUMN revrtm.maturity_criterion.model IS 'The model.';
COMMENT ON COLUMN revrtm.maturity_criterion.dimension IS 'The dimension.';
COMMENT ON COLUMN revrtm.maturity_criterion.level IS 'The level that needs it; level 1 needs nothing.';
COMMENT ON COLUMN revrtm.maturity_criterion.kpi IS 'The figure, by its name, see revrtm.maturity_evidence.kpi.';
COMMENT ON COLUMN revrtm.maturity_criterion.route_id IS 'The route whose figure it is; (any) for all routes together.';
COMMENT ON COLUMN revrtm.maturity_criterion.comparison IS 'How the figure compares to the threshold: >=, >, <= or <.';
COMMENT ON COLUMN revrtm.maturity_criterion.threshold IS 'The threshold, in the unit of the figure.';
COMMENT ON COLUMN revrtm.maturity_criterion.months IS 'Over how many months that have ended the figure is taken, 1 to 120.';
COMMENT ON COLUMN revrtm.maturity_criterion.measure IS
'What of the figure counts: its value, or the share that its numerator is of its denominator, as of a sourced pipeline in all pipeline.';
COMMENT ON COLUMN revrtm.maturity_criterion.shipped IS 'Whether the row is as the extension made it; an edit clears it, and only then is it part of a dump.';

-- The six capabilities.

INSERT INTO revrtm.maturity_model (model, model_name, description, benchmark, shipped) VALUES
('enablement', 'Partner and direct enablement', 'Six capabilities that grow from ad hoc to operationalized.', NULL, true),
('rm6', 'RM6', 'Six pillars of revenue marketing by four stages. 2.1 is the average its publisher tells of those it assessed; the wording is ours, to be edited.', 2.10, true),
('loop', 'The Loop', 'The stages of a customer, from unaware to advocate, and whether each is worked on purpose.', NULL, true);

INSERT INTO revrtm.maturity_level (model, level, level_name, description, shipped) VALUES
('enablement', 1, 'Ad hoc', 'It depends on who does it.', true),
('enablement', 2, 'Emerging', 'It is written down, and some work that way.', true),
('enablement', 3, 'Defined', 'Everybody works that way, and it is measured.', true),
('enablement', 4, 'Operationalized', 'Systems enforce it, and its figures move money.', true),
('rm6', 1, 'Traditional', 'Activities, without a line to revenue.', true),
('rm6', 2, 'Lead generation', 'Leads are made and handed over.', true),
('rm6', 3, 'Demand generation', 'Marketing and sales share one pipeline and its figures.', true),
('rm6', 4, 'Revenue marketing', 'Revenue is forecast, funded and repeated.', true),
('loop', 1, 'Unseen', 'Nobody knows who is in this stage.', true),
('loop', 2, 'Mapped', 'The CRM shows who enters it.', true),
('loop', 3, 'Worked', 'Every route has a play for it.', true),
('loop', 4, 'Managed', 'Its plays are judged by how many go on.', true);

INSERT INTO revrtm.maturity_dimension (model, dimension, ordinal, side, dimension_name, owner, kpis, shipped) VALUES
('enablement', 'route_to_market_strategy', 1, NULL, 'Route-to-market strategy', 'Strategy/RevOps', '{coverage,romi}', true),
('enablement', 'coverage_targeting', 2, NULL, 'Coverage and targeting', 'Sales Ops/Channel Ops', '{sqo_rate,whitespace_coverage}', true),
('enablement', 'deal_registration', 3, NULL, 'Deal registration and rules of engagement', 'Channel Ops/Legal', '{approval_time,conflict_rate}', true),
('enablement', 'partner_enablement', 4, NULL, 'Partner enablement', 'Channel/Partner Team', '{sourced_pipeline,influenced_pipeline}', true),
('enablement', 'direct_enablement', 5, NULL, 'Direct sales enablement', 'Enablement/Sales Leadership', '{win_rate,cycle_time_median}', true),
('enablement', 'attribution_compensation', 6, NULL, 'Attribution and compensation', 'Finance/RevOps', '{payout_accuracy,nrr,gross_margin}', true),
('rm6', 'strategy', 1, NULL, 'Strategy', 'CMO', '{pipeline_coverage,romi}', true),
('rm6', 'people', 2, NULL, 'People', 'CMO', '{sqo_rate}', true),
('rm6', 'process', 3, NULL, 'Process', 'RevOps', '{cycle_time_median,approval_time}', true),
('rm6', 'technology', 4, NULL, 'Technology', 'RevOps', '{payout_accuracy}', true),
('rm6', 'customer', 5, NULL, 'Customer', 'Customer Success', '{nrr,grr}', true),
('rm6', 'results', 6, NULL, 'Results', 'CRO', '{ltv_cac,romi}', true),
('loop', 'unaware', 1, 'acquisition', 'Unaware', 'Marketing', '{stage_conversion,stage_plays}', true),
('loop', 'aware', 2, 'acquisition', 'Aware', 'Marketing', '{stage_conversion,stage_plays}', true),
('loop', 'consideration', 3, 'acquisition', 'Consideration', 'Marketing', '{stage_conversion,stage_plays}', true),
('loop', 'evaluation', 4, 'acquisition', 'Evaluation', 'Sales', '{stage_conversion,stage_plays}', true),
('loop', 'decision', 5, 'acquisition', 'Decision', 'Sales', '{stage_conversion,stage_plays}', true),
('loop', 'onboarding', 6, 'expansion', 'Onboarding', 'Customer Success', '{stage_conversion,stage_plays}', true),
('loop', 'adoption', 7, 'expansion', 'Adoption', 'Customer Success', '{stage_conversion,stage_plays}', true),
('loop', 'value_realization', 8, 'expansion', 'Value realization', 'Customer Success', '{stage_conversion,stage_plays}', true),
('loop', 'loyalty', 9, 'expansion', 'Loyalty', 'Account Management', '{stage_conversion,stage_plays}', true),
('loop', 'advocacy', 10, 'expansion', 'Advocacy', 'Marketing', '{stage_conversion,stage_plays}', true);

INSERT INTO revrtm.maturity_stage (model, dimension, level, description, shipped) VALUES
('enablement', 'route_to_market_strategy', 1, 'Roles are undefined, and routes overlap.', true),
('enablement', 'route_to_market_strategy', 2, 'Each segment has a route that leads, on paper.', true),
('enablement', 'route_to_market_strategy', 3, 'The role matrix names a lead by segment, product and region, without gaps or overlaps.', true),
('enablement', 'route_to_market_strategy', 4, 'Roles are clear by segment, product and region, and a model of return moves the budget between them.', true),
('enablement', 'coverage_targeting', 1, 'Nobody is sure whose territory an account is in.', true),
('enablement', 'coverage_targeting', 2, 'Accounts have a tier and an owner.', true),
('enablement', 'coverage_targeting', 3, 'Tiers and territories are kept by rules, and partners overlay them.', true),
('enablement', 'coverage_targeting', 4, 'Tiers, overlays and hand-offs follow rules, and whitespace is worked by plays.', true),
('enablement', 'deal_registration', 1, 'Approvals are slow and made by hand.', true),
('enablement', 'deal_registration', 2, 'Partners register deals in one place, by rules they can read.', true),
('enablement', 'deal_registration', 3, 'Protection ends by itself, and decisions have a due time.', true),
('enablement', 'deal_registration', 4, 'Protection is bound in time, conflicts have a path upwards, and alerts come before a term is missed.', true),
('enablement', 'partner_enablement', 1, 'Partners get one-off decks.', true),
('enablement', 'partner_enablement', 2, 'There is a kit for each partner type.', true),
('enablement', 'partner_enablement', 3, 'Partners are certified, and market together with us.', true),
('enablement', 'partner_enablement', 4, 'Kits, certifications, joint marketing and co-sell plays are funded by what they return.', true),
('enablement', 'direct_enablement', 1, 'Everybody gets the same training.', true),
('enablement', 'direct_enablement', 2, 'Training follows the role.', true),
('enablement', 'direct_enablement', 3, 'Plays by role are coached.', true),
('enablement', 'direct_enablement', 4, 'Plays by role, coaching and marketplace motions are judged by win rate and cycle time.', true),
('enablement', 'attribution_compensation', 1, 'Credit is disputed.', true),
('enablement', 'attribution_compensation', 2, 'Sourced and influenced have one definition.', true),
('enablement', 'attribution_compensation', 3, 'Credit is computed from CRM and partner data, and pay follows it.', true),
('enablement', 'attribution_compensation', 4, 'One attribution pays sourced, influenced and co-sell by rule, and months are signed.', true),
('rm6', 'strategy', 1, 'Plans list activities.', true),
('rm6', 'strategy', 2, 'Plans promise leads.', true),
('rm6', 'strategy', 3, 'Plans are made with sales, for pipeline.', true),
('rm6', 'strategy', 4, 'Plans are for revenue, and money follows return.', true),
('rm6', 'people', 1, 'Roles are made by channel and craft.', true),
('rm6', 'people', 2, 'Somebody owns the leads.', true),
('rm6', 'people', 3, 'Marketing and sales share roles and targets.', true),
('rm6', 'people', 4, 'Teams are built, trained and paid for revenue.', true),
('rm6', 'process', 1, 'Work starts when somebody asks.', true),
('rm6', 'process', 2, 'Hand-over of leads is agreed.', true),
('rm6', 'process', 3, 'One funnel with terms and feedback.', true),
('rm6', 'process', 4, 'Stages have entry and exit criteria that systems check.', true),
('rm6', 'technology', 1, 'Tools send messages.', true),
('rm6', 'technology', 2, 'Automation and CRM exchange leads.', true),
('rm6', 'technology', 3, 'Touches, deals and partners are one record.', true),
('rm6', 'technology', 4, 'Attribution and pay are computed from it, and reconcile.', true),
('rm6', 'customer', 1, 'Everybody gets the same message.', true),
('rm6', 'customer', 2, 'Messages follow personas.', true),
('rm6', 'customer', 3, 'Content follows the buyer''s stage.', true),
('rm6', 'customer', 4, 'Customers are led from onboarding to advocacy.', true),
('rm6', 'results', 1, 'Activities are counted.', true),
('rm6', 'results', 2, 'Leads are counted.', true),
('rm6', 'results', 3, 'Pipeline and win rate are reported.', true),
('rm6', 'results', 4, 'Return and cost of customers are forecast and met.', true);

INSERT INTO revrtm.maturity_criterion (model, dimension, level, kpi, route_id, comparison, threshold, measure, shipped)
SELECT c.model, c.dimension, l.level, c.kpi, c.route_id, c.comparison, l.threshold,
       CASE WHEN c.kpi IN ('sourced_pipeline', 'influenced_pipeline') THEN 'share' ELSE 'value' END, true
FROM (VALUES
    ('enablement', 'route_to_market_strategy', 'coverage', '(any)', '>=', '{0.4,0.6,0.8}'::numeric[]),
    ('enablement', 'route_to_market_strategy', 'romi', '(any)', '>=', '{0,0.5,1}'),
    ('enablement', 'coverage_targeting', 'sqo_rate', '(any)', '>=', '{0.15,0.25,0.35}'),
    ('enablement', 'coverage_targeting', 'whitespace_coverage', '(any)', '>=', '{0.2,0.4,0.6}'),
    ('enablement', 'deal_registration', 'approval_time', '(any)', '<=', '{40,16,8}'),
    ('enablement', 'deal_registration', 'conflict_rate', '(any)', '<=', '{0.2,0.1,0.05}'),
    ('enablement', 'partner_enablement', 'sourced_pipeline', '(any)', '>=', '{0.1,0.2,0.3}'),
    ('enablement', 'partner_enablement', 'influenced_pipeline', '(any)', '>=', '{0.1,0.2,0.3}'),
    ('enablement', 'direct_enablement', 'win_rate', 'direct', '>=', '{0.15,0.2,0.3}'),
    ('enablement', 'direct_enablement', 'cycle_time_median', 'direct', '<=', '{180,120,90}'),
    ('enablement', 'attribution_compensation', 'payout_accuracy', '(any)', '>=', '{0.9,0.97,0.99}'),
    ('enablement', 'attribution_compensation', 'nrr', '(any)', '>=', '{0.9,1,1.1}'),
    ('enablement', 'attribution_compensation', 'gross_margin', '(any)', '>=', '{0.4,0.6,0.7}'),
    ('rm6', 'strategy', 'pipeline_coverage', '(any)', '>=', '{1,2,3}'),
    ('rm6', 'strategy', 'romi', '(any)', '>=', '{0,0.5,1}'),
    ('rm6', 'people', 'sqo_rate', '(any)', '>=', '{0.15,0.25,0.35}'),
    ('rm6', 'process', 'cycle_time_median', '(any)', '<=', '{180,120,90}'),
    ('rm6', 'process', 'approval_time', '(any)', '<=', '{40,16,8}'),
    ('rm6', 'technology', 'payout_accuracy', '(any)', '>=', '{0.9,0.97,0.99}'),
    ('rm6', 'customer', 'nrr', '(any)', '>=', '{0.9,1,1.1}'),
    ('rm6', 'customer', 'grr', '(any)', '>=', '{0.8,0.85,0.9}'),
    ('rm6', 'results', 'ltv_cac', '(any)', '>=', '{1,2,3}'),
    ('rm6', 'results', 'romi', '(any)', '>=', '{0,0.5,1}')) c (model, dimension, kpi, route_id, comparison, thresholds)
CROSS JOIN LATERAL (SELECT k.place + 1, k.threshold
                    FROM unnest(c.thresholds) WITH ORDINALITY k (threshold, place)) l (level, threshold);

-- A stage of the loop is mapped when somebody is seen there, worked when every
-- route that sees somebody has a play for it, and managed when half go on.
INSERT INTO revrtm.maturity_criterion (model, dimension, level, kpi, comparison, threshold, shipped)
SELECT d.model, d.dimension, c.level, c.kpi, '>=', c.threshold, true
FROM revrtm.maturity_dimension d
     CROSS JOIN (VALUES (2, 'stage_volume', 1), (3, 'stage_plays', 1), (4, 'stage_conversion', 0.5)) c (level, kpi, threshold)
WHERE d.model = 'loop';

CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.maturity_model
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model');
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.maturity_level
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model', 'level');
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.maturity_dimension
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model', 'dimension');
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.maturity_stage
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model', 'dimension', 'level');
CREATE TRIGGER own_shipped_row BEFORE INSERT OR UPDATE ON revrtm.maturity_criterion
FOR EACH ROW EXECUTE FUNCTION revrtm.own_shipped_row('model', 'dimension', 'level', 'kpi', 'route_id');
SELECT revrtm.register_policy('revrtm.maturity_model');
SELECT revrtm.register_policy('revrtm.maturity_level');
SELECT revrtm.register_policy('revrtm.maturity_dimension');
SELECT revrtm.register_policy('revrtm.maturity_stage');
SELECT revrtm.register_policy('revrtm.maturity_criterion');
GRANT SELECT ON revrtm.maturity_model, revrtm.maturity_level, revrtm.maturity_dimension, revrtm.maturity_stage,
    revrtm.maturity_criterion TO PUBLIC;
