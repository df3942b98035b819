-- +migrate Up notransaction
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
-- +migrate Down
DROP INDEX CONCURRENTLY orders_user;
