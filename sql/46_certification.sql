-- Who has learnt what: courses, what each role is to have taken, and
-- certificates with the time they hold, of which any instant can be asked.

CREATE TABLE revrtm.course (
    course_id    text PRIMARY KEY CHECK (octet_length(course_id) BETWEEN 1 AND 255),
    course_name  text,
    product_code text CHECK (octet_length(product_code) BETWEEN 1 AND 255),
    valid_for    interval CHECK (valid_for > '0' AND isfinite(valid_for)),
    cost         numeric NOT NULL DEFAULT 0 CHECK (cost >= 0 AND cost < 'Infinity'),
    currency     text CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$')
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.course', '');
SELECT revrtm.register_policy('revrtm.course');
COMMENT ON TABLE revrtm.course IS 'Courses that end in a certificate. Grain: one course.';
COMMENT ON COLUMN revrtm.course.course_id IS 'The course, 1 to 255 bytes.';
COMMENT ON COLUMN revrtm.course.course_name IS 'What it is called.';
COMMENT ON COLUMN revrtm.course.product_code IS 'Node of revrtm.product it teaches, with all below it; NULL for what goes for every product.';
COMMENT ON COLUMN revrtm.course.valid_for IS 'How long its certificate holds, by the clock of the programme''s zone; NULL for ever.';
COMMENT ON COLUMN revrtm.course.cost IS 'What it costs us that one person takes it, in currency; certificates keep the cost of their own day.';
COMMENT ON COLUMN revrtm.course.currency IS 'ISO 4217 code of cost; NULL for revrtm.currency.';
-- What it costs is ours to know.
GRANT SELECT (course_id, course_name, product_code, valid_for) ON revrtm.course TO PUBLIC;

CREATE TABLE revrtm.curriculum (
    role      text NOT NULL CHECK (octet_length(role) BETWEEN 1 AND 255),
    course_id text NOT NULL CHECK (octet_length(course_id) BETWEEN 1 AND 255),
    PRIMARY KEY (role, course_id)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.curriculum', '');
SELECT revrtm.register_policy('revrtm.curriculum');
COMMENT ON TABLE revrtm.curriculum IS 'What each role is to have taken. Grain: one course of one role.';
COMMENT ON COLUMN revrtm.curriculum.role IS 'The role, such as partner_seller, partner_engineer or account_executive.';
COMMENT ON COLUMN revrtm.curriculum.course_id IS 'The course.';
GRANT SELECT ON revrtm.curriculum TO PUBLIC;

CREATE TABLE revrtm.learner (
    partner_id text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    person_id  text NOT NULL CHECK (octet_length(person_id) BETWEEN 1 AND 255),
    role       text NOT NULL CHECK (octet_length(role) BETWEEN 1 AND 255),
    PRIMARY KEY (partner_id, person_id, role)
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.learner', '');
COMMENT ON TABLE revrtm.learner IS 'Who has which role. Grain: one role of one person.';
COMMENT ON COLUMN revrtm.learner.partner_id IS 'The partner; (vendor) for our own people.';
COMMENT ON COLUMN revrtm.learner.person_id IS 'The person, as the contacts of the CRM or the learning system name it.';
COMMENT ON COLUMN revrtm.learner.role IS 'Role, see curriculum.';
ALTER TABLE revrtm.learner ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.learner USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.learner FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner ON revrtm.learner USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan())
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()));

CREATE TABLE revrtm.certification (
    certification_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    partner_id       text NOT NULL CHECK (octet_length(partner_id) BETWEEN 1 AND 255),
    person_id        text NOT NULL CHECK (octet_length(person_id) BETWEEN 1 AND 255),
    course_id        text NOT NULL CHECK (octet_length(course_id) BETWEEN 1 AND 255),
    status           text NOT NULL DEFAULT 'claimed',
    taken_on         date CHECK (isfinite(taken_on)),
    valid            tstzrange,
    cost             numeric CHECK (cost >= 0 AND cost < 'Infinity'),
    currency         text CHECK (currency COLLATE "C" ~ '^[A-Z]{3}$'),
    spend_id         text CHECK (spend_id <> ''),
    details          jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
    decided_at       timestamptz,
    decision_reason  text,
    checked_at       timestamptz NOT NULL,
    CONSTRAINT certification_status CHECK (revrtm.life_cycle_has('certification', status)),
    CONSTRAINT certification_valid CHECK (CASE WHEN status IN ('granted', 'revoked') THEN valid IS NOT NULL ELSE true END
        AND isfinite(lower(valid)) IS NOT FALSE AND isfinite(upper(valid)) IS NOT FALSE
        AND (valid IS NULL OR isempty(valid) OR lower_inc(valid) AND NOT upper_inc(valid))),
    CONSTRAINT certification_once EXCLUDE USING gist
        (partner_id WITH =, person_id WITH =, course_id WITH =, valid WITH &&) WHERE (status IN ('granted', 'revoked'))
);
SELECT pg_catalog.pg_extension_config_dump('revrtm.certification', '');
COMMENT ON TABLE revrtm.certification IS
'Certificates: who passed which course, and when that holds. A partner claims, staff grants. A person never has two of one course at one time (certification_once, 23P01). Grain: one certificate.';
COMMENT ON COLUMN revrtm.certification.certification_id IS 'Identifier, random.';
COMMENT ON COLUMN revrtm.certification.partner_id IS 'Partner of the person; (vendor) for our own people.';
COMMENT ON COLUMN revrtm.certification.person_id IS 'The person.';
COMMENT ON COLUMN revrtm.certification.course_id IS 'The course; one that is not in revrtm.course certifies nothing.';
COMMENT ON COLUMN revrtm.certification.status IS 'claimed, granted, rejected or revoked, see life_cycle_transition. Expiry is no status: valid says it.';
COMMENT ON COLUMN revrtm.certification.taken_on IS 'Day the course was taken.';
COMMENT ON COLUMN revrtm.certification.valid IS
'When it holds, [from, until). By default from the grant, or from the end of the certificate it renews, for course.valid_for; a revocation ends it.';
COMMENT ON COLUMN revrtm.certification.cost IS 'What it cost, in currency; by default course.cost on the day of the grant.';
COMMENT ON COLUMN revrtm.certification.currency IS 'ISO 4217 code of cost; NULL for revrtm.currency.';
COMMENT ON COLUMN revrtm.certification.spend_id IS 'The entry of revrtm.spend that the cost is booked in; NULL for none.';
COMMENT ON COLUMN revrtm.certification.details IS 'Further fields, a JSON object.';
COMMENT ON COLUMN revrtm.certification.decided_at IS 'When the status last changed.';
COMMENT ON COLUMN revrtm.certification.decision_reason IS 'Reason of the last decision, for the partner to read.';
COMMENT ON COLUMN revrtm.certification.checked_at IS
'Start of the transaction that wrote it last. A row inserted with it (a restore) is kept as it comes; only the owner may write it.';
ALTER TABLE revrtm.certification ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON revrtm.certification USING ((SELECT revrtm.is_staff())) WITH CHECK ((SELECT revrtm.is_staff()));
CREATE POLICY programme_read ON revrtm.certification FOR SELECT USING ((SELECT revrtm.sees_programme()));
CREATE POLICY partner_read ON revrtm.certification FOR SELECT
    USING (partner_id = (SELECT revrtm.current_partner()) AND revrtm.guard_plan());
CREATE POLICY partner_claim ON revrtm.certification FOR INSERT
    WITH CHECK (partner_id = (SELECT revrtm.current_partner()) AND status = 'claimed');

CREATE FUNCTION revrtm.keep_certification() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taught revrtm.course;
    zone text;
    since timestamptz;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.checked_at <> now() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM revrtm.course c WHERE c.course_id = NEW.course_id) THEN
            RAISE EXCEPTION 'there is no course %', quote_literal(NEW.course_id)
                USING ERRCODE = '23503', SCHEMA = 'revrtm', TABLE = 'certification', CONSTRAINT = 'certification_course',
                      HINT = 'The courses are in revrtm.course.';
        END IF;
    END IF;
    IF NEW.status = 'granted' AND (NEW.cost IS NULL OR NEW.valid IS NULL) THEN
        SELECT * INTO taught FROM revrtm.course c WHERE c.course_id = NEW.course_id;
    END IF;
    IF NEW.status = 'granted' AND NEW.cost IS NULL THEN
        NEW.cost := taught.cost;
        NEW.currency := taught.currency;
    END IF;
    IF NEW.status = 'granted' AND NEW.valid IS NULL THEN
        SELECT p.timezone INTO STRICT zone FROM revrtm.programme p;
        SELECT coalesce(max(upper(c.valid)), NEW.decided_at) INTO since
        FROM revrtm.certification c
        WHERE c.partner_id = NEW.partner_id AND c.person_id = NEW.person_id AND c.course_id = NEW.course_id
          AND c.status IN ('granted', 'revoked') AND c.valid @> NEW.decided_at;
        NEW.valid := tstzrange(since, (since AT TIME ZONE zone + taught.valid_for) AT TIME ZONE zone);
    ELSIF NEW.status = 'revoked' AND OLD.status = 'granted' THEN
        NEW.valid := NEW.valid * tstzrange(NULL, NEW.decided_at);
    END IF;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION revrtm.keep_certification() FROM PUBLIC;
COMMENT ON FUNCTION revrtm.keep_certification() IS
'Trigger of certification, after keep_life_cycle: what it costs, from when until when it holds. 23503 for an unknown course.';
CREATE TRIGGER keep_1_life_cycle BEFORE INSERT OR UPDATE ON revrtm.certification
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_life_cycle();
CREATE TRIGGER keep_2_certification BEFORE INSERT OR UPDATE ON revrtm.certification
FOR EACH ROW EXECUTE FUNCTION revrtm.keep_certification();
CREATE TRIGGER log_life_cycle AFTER INSERT OR UPDATE OR DELETE ON revrtm.certification
FOR EACH ROW EXECUTE FUNCTION revrtm.log_life_cycle('certification_id');

-- Reading, as of any instant.

CREATE FUNCTION revrtm.certified_people(partner_id text, product text DEFAULT NULL,
    at timestamptz DEFAULT revrtm.as_of()) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
BEGIN ATOMIC
    SELECT count(DISTINCT c.person_id)
    FROM revrtm.certification c
    JOIN revrtm.course k ON k.course_id = c.course_id
    LEFT JOIN revrtm.product taught ON taught.product_id = k.product_code
    LEFT JOIN revrtm.product wanted ON wanted.product_id = certified_people.product
    WHERE c.partner_id = certified_people.partner_id AND c.status IN ('granted', 'revoked')
      AND c.valid @> certified_people.at
      AND (certified_people.product IS NULL OR k.product_code IS NULL OR taught.span @> wanted.span);
END;
COMMENT ON FUNCTION revrtm.certified_people(text, text, timestamptz) IS
'How many people of a partner hold, at an instant, a certificate for a product: of a course for it, for a node above it or for every product. NULL for any certificate. Of what the caller may see.';

CREATE FUNCTION revrtm.certified(partner_id text, product text DEFAULT NULL,
    at timestamptz DEFAULT revrtm.as_of(), min_people integer DEFAULT 1) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
BEGIN ATOMIC
    SELECT revrtm.certified_people(partner_id, product, at) >= min_people;
END;
COMMENT ON FUNCTION revrtm.certified(text, text, timestamptz, integer) IS
'Whether at least so many people of the partner were certified for the product at an instant, see certified_people.';

CREATE VIEW revrtm.certification_expiry WITH (security_invoker = true) AS
SELECT c.certification_id::text AS certification_expiry_key,
       c.certification_id,
       c.partner_id,
       c.person_id,
       c.course_id,
       c.expires_on,
       c.expires_on - c.today AS days_left,
       (SELECT min(a) FROM unnest(t.alert_days) a WHERE c.expires_on - c.today <= a) AS alert,
       c.renewed
FROM (SELECT c.*, revrtm.programme_date(upper(c.valid)) AS expires_on,
             revrtm.programme_date((SELECT revrtm.as_of())) AS today,
             EXISTS (SELECT FROM revrtm.certification n
                     WHERE n.partner_id = c.partner_id AND n.person_id = c.person_id AND n.course_id = c.course_id
                       AND n.status = 'granted' AND lower(n.valid) >= upper(c.valid)) AS renewed
      FROM revrtm.certification c
      WHERE c.status = 'granted' AND upper(c.valid) IS NOT NULL AND lower(c.valid) <= (SELECT revrtm.as_of())) c
     JOIN revrtm.enablement_terms t ON t.terms = 'default';
COMMENT ON VIEW revrtm.certification_expiry IS
'Certificates that end or have ended, and which of the terms'' alerts they have come to, as of today (revrtm.as_of). Grain: one granted certificate that ends.';
COMMENT ON COLUMN revrtm.certification_expiry.certification_expiry_key IS 'The certificate.';
COMMENT ON COLUMN revrtm.certification_expiry.certification_id IS 'The certificate.';
COMMENT ON COLUMN revrtm.certification_expiry.partner_id IS 'Its partner.';
COMMENT ON COLUMN revrtm.certification_expiry.person_id IS 'Its person.';
COMMENT ON COLUMN revrtm.certification_expiry.course_id IS 'Its course.';
COMMENT ON COLUMN revrtm.certification_expiry.expires_on IS 'Day in which it ends, in the programme''s zone.';
COMMENT ON COLUMN revrtm.certification_expiry.days_left IS 'Days until then; negative once it is over.';
COMMENT ON COLUMN revrtm.certification_expiry.alert IS
'The nearest of enablement_terms.alert_days that it has come to; NULL while none. 0 for one that ends today or is over.';
COMMENT ON COLUMN revrtm.certification_expiry.renewed IS 'Whether the person has the next one already.';

CREATE VIEW revrtm.curriculum_progress WITH (security_invoker = true) AS
SELECT concat_ws(':', quote_ident(l.partner_id), quote_ident(l.person_id), quote_ident(l.role)) AS curriculum_progress_key,
       l.partner_id,
       l.person_id,
       l.role,
       count(u.course_id) AS courses,
       count(h.course_id) AS held,
       revrtm.ratio(count(h.course_id), count(u.course_id))::numeric(9, 6) AS progress,
       array_to_string(array_agg(u.course_id ORDER BY u.course_id COLLATE "C")
                       FILTER (WHERE h.course_id IS NULL AND u.course_id IS NOT NULL), ', ') AS missing,
       min(h.until) AS held_until,
       revrtm.ratio_note(count(u.course_id), 'no_curriculum') AS note
FROM revrtm.learner l
     LEFT JOIN revrtm.curriculum u ON u.role = l.role
     LEFT JOIN (SELECT c.partner_id, c.person_id, c.course_id, max(upper(c.valid)) AS until
                FROM revrtm.certification c
                WHERE c.status IN ('granted', 'revoked') AND c.valid @> (SELECT revrtm.as_of())
                GROUP BY c.partner_id, c.person_id, c.course_id) h
       ON h.partner_id = l.partner_id AND h.person_id = l.person_id AND h.course_id = u.course_id
GROUP BY l.partner_id, l.person_id, l.role;
COMMENT ON VIEW revrtm.curriculum_progress IS
'How far people are with the courses of their role, as of today (revrtm.as_of). Grain: one role of one person.';
COMMENT ON COLUMN revrtm.curriculum_progress.curriculum_progress_key IS 'partner_id:person_id:role.';
COMMENT ON COLUMN revrtm.curriculum_progress.partner_id IS 'The partner; (vendor) for our own people.';
COMMENT ON COLUMN revrtm.curriculum_progress.person_id IS 'The person.';
COMMENT ON COLUMN revrtm.curriculum_progress.role IS 'The role.';
COMMENT ON COLUMN revrtm.curriculum_progress.courses IS 'Courses of the role.';
COMMENT ON COLUMN revrtm.curriculum_progress.held IS 'Those of which the person holds a certificate.';
COMMENT ON COLUMN revrtm.curriculum_progress.progress IS 'held / courses; NULL for a role without courses.';
COMMENT ON COLUMN revrtm.curriculum_progress.missing IS 'The others, in the order of their ids; NULL for none.';
COMMENT ON COLUMN revrtm.curriculum_progress.held_until IS 'When the first of those held ends; NULL for never.';
COMMENT ON COLUMN revrtm.curriculum_progress.note IS 'no_curriculum, or NULL.';

INSERT INTO revrtm.note (note, meaning) VALUES
('no_curriculum', 'No course belongs to the role.');
INSERT INTO revrtm.catalog_measure (view_name, column_name, unit, additive) VALUES
('certification_expiry', 'days_left', 'days', false),
('curriculum_progress', 'courses', 'pieces', true),
('curriculum_progress', 'held', 'pieces', true),
('curriculum_progress', 'progress', 'share', false);
