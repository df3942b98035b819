-- +migrate Up
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
-- +migrate Down
DROP TABLE orders;
