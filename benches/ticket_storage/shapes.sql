-- Four shapes for tickets with the values of 15 fields each, filled from one source and asked the same questions.
-- psql -v rows=200000 -f shapes.sql; figures stand in docs/decisions/ticket-storage.md.
\set ON_ERROR_STOP on
\timing off
SET jit = off;
DROP SCHEMA IF EXISTS shapes CASCADE;
CREATE SCHEMA shapes;
SET search_path = shapes;

-- What every shape is filled from: 8 values that can be searched (3 of them sealed, with their tokens) and 7 that can't.
CREATE UNLOGGED TABLE source AS
SELECT n,
  lpad(to_hex(n), 32, '0')::uuid AS id,
  timestamptz '2026-05-01' + interval '180 days' * (n / :rows.0) AS received_at,
  (ARRAY['NEW','OPEN','REPLY','SOLVED','CLOSED'])[1 + n % 5] AS status,
  lpad(to_hex(n % 40), 32, 'a')::uuid AS assignee,
  (ARRAY['배송','환불','교환','설치','고장','기타','회원','결제','쿠폰','제휴'])[1 + n % 10] AS category,
  'product ' || n % 50 AS product,
  'name ' || md5((n % 10000)::text) AS name,
  'A-2026-' || n AS order_number,
  'type ' || n % 1000 AS kind,
  decode(md5(n::text) || md5('m' || n) || md5('x' || n), 'hex') AS sealed_mail,
  decode(md5(n::text) || md5('p' || n), 'hex') || decode(md5('y' || n), 'hex') AS sealed_phone,
  decode(md5(n::text) || md5('a' || n) || md5('z' || n) || md5('w' || n), 'hex') AS sealed_address,
  decode(md5('tm' || n), 'hex') AS token_mail,
  decode(md5('tp' || n % 200000), 'hex') AS token_phone,
  decode(md5('ta' || n), 'hex') AS token_address,
  repeat('문의 내용입니다. ', 12) || n AS content,
  repeat('전달 사항 ', 5) AS note,
  '2026-11-28 10:00 ~ 2026-11-28 12:00' AS visit, 'true' AS agree, '상' AS grade, 'ko' AS lang, '2026-11-28' AS due
FROM generate_series(1, :rows) n;
ALTER TABLE source ADD PRIMARY KEY (n);
ANALYZE source;

-- (a) a row for each ticket and value.
CREATE TABLE a_ticket (org uuid, service uuid, id uuid, received_at timestamptz, status text, assignee uuid, PRIMARY KEY (org, id));
CREATE INDEX ON a_ticket (org, service, received_at, id);
CREATE INDEX ON a_ticket (org, service, status, received_at, id);
CREATE INDEX ON a_ticket (org, assignee, service, received_at, id);
CREATE TABLE a_value (org uuid, ticket uuid, field smallint, text text COLLATE "C", sealed bytea, token bytea, received_at timestamptz, PRIMARY KEY (org, ticket, field));
CREATE INDEX a_find ON a_value (org, field, left(text, 48), received_at, ticket) WHERE field < 6;
CREATE INDEX a_token ON a_value (org, field, token, received_at, ticket) WHERE token IS NOT NULL;

-- (b) one document, with an index over all of it.
CREATE TABLE b_ticket (org uuid, service uuid, id uuid, received_at timestamptz, status text, assignee uuid, doc jsonb, PRIMARY KEY (org, id));
CREATE INDEX ON b_ticket (org, service, received_at, id);
CREATE INDEX ON b_ticket (org, service, status, received_at, id);
CREATE INDEX ON b_ticket (org, assignee, service, received_at, id);
CREATE INDEX b_find ON b_ticket USING gin (doc jsonb_path_ops);

-- (c) one document, and beside it a narrow row for each value that can be searched.
CREATE TABLE c_ticket (org uuid, service uuid, id uuid, received_at timestamptz, status text, assignee uuid, doc jsonb, PRIMARY KEY (org, id));
CREATE INDEX ON c_ticket (org, service, received_at, id);
CREATE INDEX ON c_ticket (org, service, status, received_at, id);
CREATE INDEX ON c_ticket (org, assignee, service, received_at, id);
CREATE TABLE c_term (org uuid, ticket uuid, field uuid, term bytea, received_at timestamptz, PRIMARY KEY (org, ticket, field));
CREATE INDEX c_find ON c_term (org, field, term, received_at, ticket);

-- (d) columns that fields are given, each with its index.
CREATE TABLE d_ticket (org uuid, service uuid, id uuid, received_at timestamptz, status text, assignee uuid,
  t1 text COLLATE "C", t2 text COLLATE "C", t3 text COLLATE "C", t4 text COLLATE "C", t5 text COLLATE "C",
  s6 bytea, s7 bytea, s8 bytea, k6 bytea, k7 bytea, k8 bytea, t9 text, t10 text, t11 text, t12 text, t13 text, t14 text, t15 text, PRIMARY KEY (org, id));
CREATE INDEX ON d_ticket (org, service, received_at, id);
CREATE INDEX ON d_ticket (org, service, status, received_at, id);
CREATE INDEX ON d_ticket (org, assignee, service, received_at, id);
CREATE INDEX ON d_ticket (org, service, left(t1, 48), received_at, id);
CREATE INDEX ON d_ticket (org, service, left(t2, 48), received_at, id);
CREATE INDEX ON d_ticket (org, service, left(t3, 48), received_at, id);
CREATE INDEX ON d_ticket (org, service, left(t4, 48), received_at, id);
CREATE INDEX ON d_ticket (org, service, left(t5, 48), received_at, id);
CREATE INDEX ON d_ticket (org, service, k6, received_at, id);
CREATE INDEX ON d_ticket (org, service, k7, received_at, id);
CREATE INDEX ON d_ticket (org, service, k8, received_at, id);

CREATE FUNCTION doc(s source) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('category', s.category, 'product', s.product, 'name', s.name, 'orderNumber', s.order_number, 'typeOne', s.kind,
    'mail', encode(s.sealed_mail, 'base64'), 'phone', encode(s.sealed_phone, 'base64'), 'address', encode(s.sealed_address, 'base64'),
    'content', s.content, 'note', s.note, 'visit', s.visit, 'agree', s.agree, 'grade', s.grade, 'lang', s.lang, 'due', s.due) $$;

-- 1,000 tickets a transaction, as many as an import's two chunks.
CREATE PROCEDURE fill(shape text, rows int) LANGUAGE plpgsql AS $$
DECLARE o uuid := lpad('1', 32, '0')::uuid; sv uuid := lpad('2', 32, '0')::uuid; f uuid[];
BEGIN
  f := ARRAY(SELECT lpad(to_hex(1000 + i), 32, '0')::uuid FROM generate_series(1, 8) i);
  FOR at IN 0 .. rows / 1000 - 1 LOOP
    IF shape = 'a' THEN
      INSERT INTO a_ticket SELECT o, sv, id, received_at, status, assignee FROM source WHERE n > at * 1000 AND n <= at * 1000 + 1000;
      INSERT INTO a_value SELECT o, s.id, v.field, v.text, v.sealed, v.token, s.received_at FROM source s, LATERAL (VALUES
        (1, category, NULL::bytea, NULL::bytea), (2, product, NULL, NULL), (3, name, NULL, NULL), (4, order_number, NULL, NULL), (5, kind, NULL, NULL),
        (6, NULL, sealed_mail, token_mail), (7, NULL, sealed_phone, token_phone), (8, NULL, sealed_address, token_address),
        (9, content, NULL, NULL), (10, note, NULL, NULL), (11, visit, NULL, NULL), (12, agree, NULL, NULL), (13, grade, NULL, NULL), (14, lang, NULL, NULL), (15, due, NULL, NULL)
      ) v (field, text, sealed, token) WHERE n > at * 1000 AND n <= at * 1000 + 1000;
    ELSIF shape = 'b' THEN
      INSERT INTO b_ticket SELECT o, sv, id, received_at, status, assignee, doc(s) FROM source s WHERE n > at * 1000 AND n <= at * 1000 + 1000;
    ELSIF shape = 'c' THEN
      INSERT INTO c_ticket SELECT o, sv, id, received_at, status, assignee, doc(s) FROM source s WHERE n > at * 1000 AND n <= at * 1000 + 1000;
      INSERT INTO c_term SELECT o, s.id, v.field, v.term, s.received_at FROM source s, LATERAL (VALUES
        (f[1], convert_to(category, 'UTF8')), (f[2], convert_to(product, 'UTF8')), (f[3], convert_to(name, 'UTF8')), (f[4], convert_to(order_number, 'UTF8')),
        (f[5], convert_to(kind, 'UTF8')), (f[6], token_mail), (f[7], token_phone), (f[8], token_address)) v (field, term)
        WHERE n > at * 1000 AND n <= at * 1000 + 1000;
    ELSE
      INSERT INTO d_ticket SELECT o, sv, id, received_at, status, assignee, category, product, name, order_number, kind, sealed_mail, sealed_phone, sealed_address,
        token_mail, token_phone, token_address, content, note, visit, agree, grade, lang, due FROM source WHERE n > at * 1000 AND n <= at * 1000 + 1000;
    END IF;
    COMMIT;
  END LOOP;
END $$;

\set org '\'00000000-0000-0000-0000-000000000001\'::uuid'
\set service '\'00000000-0000-0000-0000-000000000002\'::uuid'
\set phone '\'00000000-0000-0000-0000-0000000003ef\'::uuid'
\set product '\'00000000-0000-0000-0000-0000000003ea\'::uuid'
\set number '\'00000000-0000-0000-0000-0000000003ec\'::uuid'
\set me '\'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaa7\'::uuid'
\set since '\'2026-07-01\'::timestamptz'

\timing on
\echo FILL a
CALL fill('a', :rows);
\echo FILL b
CALL fill('b', :rows);
\echo FILL c
CALL fill('c', :rows);
\echo FILL d
CALL fill('d', :rows);
\timing off
VACUUM ANALYZE;
\echo BYTES a ticket, with its indexes
SELECT left(relname, 1) AS shape, sum(pg_total_relation_size(oid)) / :rows AS bytes, sum(pg_relation_size(oid)) / :rows AS heap
FROM pg_class WHERE relnamespace = 'shapes'::regnamespace AND relkind = 'r' AND relname <> 'source' GROUP BY 1 ORDER BY 1;

\set say 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF)'
\echo Q1 a product, a status, an assignee, within 4 months, newest 21
:say SELECT t.* FROM a_ticket t JOIN a_value v ON (v.org, v.ticket) = (t.org, t.id) WHERE t.org = :org AND t.service = :service AND t.status = 'REPLY' AND t.assignee = :me
  AND v.org = :org AND v.field = 2 AND v.field < 6 AND left(v.text, 48) = 'product 7' AND v.received_at >= :since ORDER BY v.received_at DESC, v.ticket DESC LIMIT 21;
:say SELECT * FROM b_ticket WHERE org = :org AND service = :service AND status = 'REPLY' AND assignee = :me AND doc @> '{"product": "product 7"}' AND received_at >= :since ORDER BY received_at DESC, id DESC LIMIT 21;
:say SELECT t.* FROM c_ticket t JOIN c_term v ON (v.org, v.ticket) = (t.org, t.id) WHERE t.org = :org AND t.service = :service AND t.status = 'REPLY' AND t.assignee = :me
  AND v.org = :org AND v.field = :product AND v.term = 'product 7'::bytea AND v.received_at >= :since ORDER BY v.received_at DESC, v.ticket DESC LIMIT 21;
:say SELECT * FROM d_ticket WHERE org = :org AND service = :service AND status = 'REPLY' AND assignee = :me AND left(t2, 48) = 'product 7' AND received_at >= :since ORDER BY received_at DESC, id DESC LIMIT 21;

\echo Q2 the beginning of an order number that one in nine has
:say SELECT t.* FROM a_ticket t JOIN a_value v ON (v.org, v.ticket) = (t.org, t.id) WHERE t.org = :org AND t.service = :service
  AND v.org = :org AND v.field = 4 AND v.field < 6 AND left(v.text, 48) >= 'A-2026-15' AND left(v.text, 48) < 'A-2026-16' AND v.received_at >= :since ORDER BY v.received_at DESC, v.ticket DESC LIMIT 21;
:say SELECT * FROM b_ticket WHERE org = :org AND service = :service AND doc->>'orderNumber' LIKE 'A-2026-15%' AND received_at >= :since ORDER BY received_at DESC, id DESC LIMIT 21;
:say SELECT t.* FROM c_ticket t JOIN c_term v ON (v.org, v.ticket) = (t.org, t.id) WHERE t.org = :org AND t.service = :service
  AND v.org = :org AND v.field = :number AND v.term >= 'A-2026-15'::bytea AND v.term < 'A-2026-16'::bytea AND v.received_at >= :since ORDER BY v.received_at DESC, v.ticket DESC LIMIT 21;
:say SELECT * FROM d_ticket WHERE org = :org AND service = :service AND left(t4, 48) >= 'A-2026-15' AND left(t4, 48) < 'A-2026-16' AND received_at >= :since ORDER BY received_at DESC, id DESC LIMIT 21;

\echo Q3 a telephone number by its token
:say SELECT t.* FROM a_ticket t JOIN a_value v ON (v.org, v.ticket) = (t.org, t.id) WHERE t.org = :org AND t.service = :service
  AND v.org = :org AND v.field = 7 AND v.token = decode(md5('tp777'), 'hex') ORDER BY v.received_at DESC, v.ticket DESC LIMIT 21;
:say SELECT t.* FROM c_ticket t JOIN c_term v ON (v.org, v.ticket) = (t.org, t.id) WHERE t.org = :org AND t.service = :service
  AND v.org = :org AND v.field = :phone AND v.term = decode(md5('tp777'), 'hex') ORDER BY v.received_at DESC, v.ticket DESC LIMIT 21;
:say SELECT * FROM d_ticket WHERE org = :org AND service = :service AND k7 = decode(md5('tp777'), 'hex') ORDER BY received_at DESC, id DESC LIMIT 21;

\echo Q4 the page after a cursor in the middle, with its values
:say SELECT * FROM (SELECT * FROM a_ticket WHERE org = :org AND service = :service AND (received_at, id) < ('2026-07-20', lpad('f', 32, 'f')::uuid) ORDER BY received_at DESC, id DESC LIMIT 101) t
  JOIN a_value v ON (v.org, v.ticket) = (t.org, t.id);
:say SELECT * FROM c_ticket WHERE org = :org AND service = :service AND (received_at, id) < ('2026-07-20', lpad('f', 32, 'f')::uuid) ORDER BY received_at DESC, id DESC LIMIT 101;
:say SELECT * FROM d_ticket WHERE org = :org AND service = :service AND (received_at, id) < ('2026-07-20', lpad('f', 32, 'f')::uuid) ORDER BY received_at DESC, id DESC LIMIT 101;
