-- A shop, for the cases that this project wrote itself.
-- fx:customers
CREATE TYPE rank AS ENUM ('new', 'known', 'gold');
CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE,
  name varchar(80), born date, status smallint NOT NULL DEFAULT 1, created timestamptz DEFAULT now(),
  country char(2), score real, tags varchar(20)[], profile jsonb, rank rank DEFAULT 'new', seen timestamp(3));
CREATE INDEX customers_name ON customers (name);
INSERT INTO customers (email, name, born, country, score, tags, profile, seen)
  SELECT 'c' || g || '@example.org', 'Customer ' || g, '1980-01-01', 'NZ', g, '{a}', '{}', '2024-01-01' FROM generate_series(1, 1000) g;
-- fx:orders
CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id int REFERENCES customers (id), placed timestamp NOT NULL DEFAULT now(),
  total numeric(12,2) CONSTRAINT total_positive CHECK (total >= 0), note text, code varchar(12), paid boolean);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_note ON orders (lower(note));
CREATE INDEX orders_unpaid ON orders (placed) WHERE paid IS NOT TRUE;
INSERT INTO orders (customer_id, total, note, code, paid) SELECT g, g, 'n' || g, 'K' || g, g % 2 = 0 FROM generate_series(1, 1000) g;
-- fx:items
CREATE TABLE items (order_id bigint REFERENCES orders (id) ON DELETE CASCADE, line int, sku varchar(20), qty int NOT NULL,
  price numeric, worth numeric GENERATED ALWAYS AS (price * qty) STORED, PRIMARY KEY (order_id, line));
INSERT INTO items (order_id, line, sku, qty, price) SELECT g, 1, 's' || g, 1, 2 FROM generate_series(1, 1000) g;
-- fx:ledger
CREATE TABLE ledger (id bigint NOT NULL, booked date NOT NULL, amount int, memo varchar(40), PRIMARY KEY (id, booked)) PARTITION BY RANGE (booked);
CREATE TABLE ledger_23 PARTITION OF ledger FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE ledger_24 PARTITION OF ledger FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO ledger SELECT g, '2023-01-01'::date + g % 700, g, 'm' FROM generate_series(1, 1000) g;
-- fx:rest
CREATE TABLE ledger_rest PARTITION OF ledger DEFAULT;
INSERT INTO ledger SELECT g, '2030-01-01', g, 'm' FROM generate_series(2000, 2500) g;
-- fx:visits
CREATE TABLE visits (at timestamptz NOT NULL, page text, site int NOT NULL) PARTITION BY LIST (site);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1) PARTITION BY HASH (page);
CREATE TABLE visits_1a PARTITION OF visits_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visits_1b PARTITION OF visits_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES IN (2, 3);
INSERT INTO visits SELECT now(), 'p' || g, 1 + g % 3 FROM generate_series(1, 1000) g;
-- fx:stock
CREATE TABLE stock (sku text, qty int);
CREATE TABLE stock_eu (land text) INHERITS (stock);
CREATE TABLE stock_nz () INHERITS (stock);
INSERT INTO stock SELECT 's' || g, g FROM generate_series(1, 500) g;
INSERT INTO stock_eu SELECT 's' || g, g, 'DE' FROM generate_series(1, 500) g;
-- fx:billing
CREATE SCHEMA "Billing";
CREATE TABLE "Billing"."Invoice" ("Id" bigint PRIMARY KEY, "Order" bigint, "Due Date" date, "Sum" money, state varchar(10) DEFAULT 'open');
CREATE SEQUENCE "Billing".numbers;
INSERT INTO "Billing"."Invoice" SELECT g, g, '2024-01-01', 5, 'open' FROM generate_series(1, 1000) g;
-- fx:reports
CREATE VIEW big_orders AS SELECT id, customer_id, total FROM orders WHERE total > 100;
CREATE VIEW biggest AS SELECT max(total) FROM big_orders;
CREATE MATERIALIZED VIEW per_customer AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX per_customer_id ON per_customer (customer_id);
-- fx:audit
CREATE TABLE audit (at timestamptz, what text);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (now(), TG_OP); RETURN NULL; END $$;
-- fx:far
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost', dbname 'none');
CREATE FOREIGN TABLE far_orders (id bigint, total numeric) SERVER far;
-- fx:full
INSERT INTO audit SELECT now(), 'w' || g FROM generate_series(1, 500) g;
