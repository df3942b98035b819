-- migrate:up
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);

-- migrate:down
DROP TABLE orders;
