-- The generated data set: `:organizations` organizations with 5 services and 120 agents each, 24 closed months with 5
-- lines each, and `:entries` entries in the audit log, the same number for each organization, in the order of time. IDs
-- look like those that the service makes; hashes are no chain. Foreign keys are off: the statements keep them by themselves.
SET session_replication_role = replica;
SET work_mem = '64MB';
SET maintenance_work_mem = '256MB';

CREATE FUNCTION pg_temp.id(made timestamptz, seed text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0')
          || '7' || substr(md5(seed), 1, 3) || 'a' || substr(md5(seed), 4, 15))::uuid
$$;

CREATE TEMP TABLE house AS
SELECT n, born, pg_temp.id(born, 'organization ' || n) AS id
FROM generate_series(1, :organizations) AS n,
     LATERAL (SELECT date_trunc('second', now()) - interval '750 days' + n * interval '1 minute' AS born) AS birth;

INSERT INTO organization (id, code, name, domain, time_zone, is_ipcc_approved, is_mobile_contact_approved, is_security_approved,
  created_at, version)
SELECT id, substr(md5('code ' || n), 1, 16), '조직 ' || n, 'house-' || n, 'Asia/Seoul', false, false, false, born, 1
FROM house;

INSERT INTO organization_route (domain, organization_id) SELECT 'house-' || n, id FROM house;

INSERT INTO member (id, organization_id, login, name, email, password_hash, is_owner, status, joined_at, version)
SELECT pg_temp.id(born, 'owner ' || n), id, 'owner', '소유자', 'owner@house-' || n || '.example.com', 'none', true,
       'ACTIVE', born, 1
FROM house;

CREATE TEMP TABLE desk AS
SELECT house.id AS organization_id, house.n, s, opened, 5 + (house.n * 7 + s * 3) % 40 AS seats,
       pg_temp.id(opened, 'service ' || house.n || ' ' || s) AS id,
       pg_temp.id(opened, 'contract ' || house.n || ' ' || s) AS contract_id
FROM house, generate_series(1, 5) AS s, LATERAL (SELECT born + s * interval '1 hour' AS opened) AS opening;

INSERT INTO service (id, organization_id, code, kind, name, name_key, languages, time_zone, editor_type, status, created_at,
  suspended_at, terminated_at, version)
SELECT id, organization_id, 'desk' || chr(96 + s), CASE WHEN s = 5 THEN 'ISSUE' ELSE 'CONSULTATION' END,
       '상담 창구 ' || s, '상담 창구 ' || s, '["ko", "en"]', 'Asia/Seoul', CASE WHEN s < 5 THEN 'HTML' END, 'IN_USE',
       opened, NULL, NULL, 1
FROM desk;

CREATE TEMP TABLE place AS
SELECT desk.organization_id, desk.id AS service_id, i, joined, pg_temp.id(joined, 'member ' || n || ' ' || i) AS member_id,
       pg_temp.id(joined, 'agent ' || n || ' ' || i) AS id,
       CASE WHEN i % 2 = 0 THEN '상담 ' ELSE '관리 ' END || lpad(i::text, 3, '0') AS name
FROM desk, generate_series(1, 120) AS i, LATERAL (SELECT opened + i * interval '1 minute' AS joined) AS joining
WHERE s = i % 5 + 1;

INSERT INTO member (id, organization_id, login, name, name_key, email, password_hash, is_owner, status, joined_at, version)
SELECT member_id, organization_id, 'agent' || i, name, name, 'agent' || i || '@example.com', 'none', false, 'ACTIVE', joined, 1
FROM place;

INSERT INTO agent (id, organization_id, service_id, member_id, role, handles_tickets, handles_chats, handles_calls,
  assigns_callbacks, forwards_tickets, views_access_logs, receives_tickets, receives_chats, controls_assignment, added_at, version)
SELECT id, organization_id, service_id, member_id, 'AGENT', true, false, false, false, true, false, true, false, false, joined, 1
FROM place;

CREATE TEMP TABLE terms AS
SELECT *, jsonb_build_array(
         jsonb_build_object('code', 'TICKET', 'is_on', true, 'user_count', seats, 'expected_volume', NULL),
         jsonb_build_object('code', 'KNOWLEDGE', 'is_on', true, 'user_count', NULL, 'expected_volume', NULL),
         jsonb_build_object('code', 'SMSSEND', 'is_on', true, 'user_count', NULL, 'expected_volume', 1000),
         jsonb_build_object('code', 'ISSUETRANSFERSTATISTICS', 'is_on', false, 'user_count', NULL, 'expected_volume', NULL)
       ) AS items
FROM desk;

INSERT INTO contract (id, organization_id, service_id, status, items, discount_percent, started_on, signed_at, revision,
  created_at, version)
SELECT contract_id, organization_id, id, 'IN_FORCE', items, 0, opened::date, opened, 1, opened, 1
FROM terms;

INSERT INTO contract_revision (organization_id, contract_id, service_id, revision, cause, items, discount_percent,
  effective_on, made_at, made_by)
SELECT organization_id, contract_id, id, 1, 'SIGNED', items, 0, opened::date, opened, '소유자'
FROM terms;

CREATE TEMP TABLE past AS
SELECT (extract(year FROM day) * 12 + extract(month FROM day) - 1)::integer AS month,
       (day + interval '1 month 10 minutes') AT TIME ZONE 'Asia/Seoul' AS closed_at,
       extract(day FROM day + interval '1 month' - interval '1 day')::integer AS days
FROM generate_series(1, 24) AS back,
     LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'Asia/Seoul') - back * interval '1 month' AS day) AS start;

INSERT INTO month_close (organization_id, month, closed_at) SELECT house.id, month, closed_at FROM house, past;

CREATE TEMP TABLE bill AS
SELECT desk.organization_id, desk.id AS service_id, past.*, seats, used,
       seats * 30000::bigint AS tickets, 50000::bigint AS knowledge, 20000::bigint AS messages,
       (used - 1000) * 50 AS usage
FROM desk, past, LATERAL (SELECT 1000 + (n * 31 + s * 17 + month * 13) % 5000::bigint AS used) AS metered;

INSERT INTO charge (organization_id, service_id, month, price_list_id, subtotal, discount, supply, vat, total, closed_at)
SELECT organization_id, service_id, month, (SELECT id FROM price_list LIMIT 1), supply, 0, supply, supply / 10,
       supply + supply / 10, closed_at
FROM bill, LATERAL (SELECT tickets + knowledge + messages + usage AS supply) AS sum;

INSERT INTO charge_line (organization_id, service_id, month, position, kind, item, seats, days, used, free, charged, corrects,
  amount)
SELECT organization_id, service_id, month, position, kind, item, line.seats, line.days, line.used, line.free,
       line.charged, NULL, amount
FROM bill, LATERAL (VALUES
  (0, 'LICENCE', 'TICKET', bill.seats, bill.days, NULL::bigint, NULL::bigint, NULL::bigint, tickets),
  (1, 'LICENCE', 'KNOWLEDGE', NULL, bill.days, NULL, NULL, NULL, knowledge),
  (2, 'LICENCE', 'SMSSEND', NULL, bill.days, NULL, NULL, NULL, messages),
  (3, 'USAGE', 'TICKET', NULL, NULL, bill.used, 1000, bill.used - 1000, usage),
  (4, 'VAT', NULL, NULL, NULL, NULL, NULL, NULL, (tickets + knowledge + messages + usage) / 10)
) AS line (position, kind, item, seats, days, used, free, charged, amount);

-- The log's indexes are made again afterwards: that is faster than keeping them.
CREATE TEMP TABLE kept AS
SELECT indexname AS name, indexdef AS sql FROM pg_indexes
WHERE tablename = 'audit_entry' AND indexname <> 'audit_entry_pkey';
DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT name FROM kept LOOP EXECUTE 'DROP INDEX ' || one; END LOOP;
END $$;

INSERT INTO audit_entry (id, organization_id, log, sequence, occurred_at, action, outcome, reason, actor_kind, actor_id,
  actor_name, address, request_id, target_id, target_label, service_id, subjects, changes, previous_hash, hash)
SELECT pg_temp.id(at, 'entry ' || g), house.id, CASE WHEN i % 8 < 4 THEN 'MANAGEMENT' ELSE 'ACCESS' END,
       i / 8 * 4 + i % 4 + 1, at,
       ('{SERVICE_UPDATE,CONTRACT_UPDATE,CONTRACT_DRAFT,USAGE_RECORD,SESSION_START,SESSION_REFRESH,SESSION_CONFIRM,SESSION_END}'::text[])[i % 8 + 1],
       'DONE', NULL, 'MEMBER', 'mbr_' || substr(md5('owner ' || n), 1, 26), '소유자', '203.0.113.' || n % 250,
       substr(md5('request ' || g), 1, 26), 'svc_' || substr(md5('target ' || n || g % 5), 1, 26), '상담 창구 ' || g % 5 + 1,
       NULL, '[]',
       '[{"record":"service","key":"svc_01jd0000000000000000000000","field":"name","before":"\"창구\"","after":"\"상담 창구\""}]',
       sha256(int8send(g - 1)), sha256(int8send(g))
FROM generate_series(0::bigint, :entries - 1) AS g
     JOIN house ON house.n = g % :organizations + 1,
     LATERAL (SELECT g / :organizations AS i, date_trunc('second', now() - (:entries - g) * (interval '700 days' / :entries)) AS at) AS place;

DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT sql FROM kept LOOP EXECUTE one; END LOOP;
END $$;

DROP TABLE house, desk, place, terms, past, bill, kept;
SET session_replication_role = origin;
