CREATE INDEX ON per_customer (total);
CREATE INDEX CONCURRENTLY ON per_customer (total);
DROP TABLE orders;
DROP TABLE orders CASCADE;
DROP TABLE customers CASCADE;
TRUNCATE orders;
