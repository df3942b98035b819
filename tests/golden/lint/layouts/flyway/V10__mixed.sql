-- refused by Flyway: one of two could not run in a transaction
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
