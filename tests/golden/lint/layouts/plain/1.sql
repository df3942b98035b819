SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
ALTER TABLE orders ADD COLUMN note text;
