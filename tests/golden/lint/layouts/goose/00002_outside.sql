-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
-- +goose Down
DROP INDEX CONCURRENTLY orders_user;
