-- Up Migration
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);

-- Down Migration
DROP TABLE orders;
