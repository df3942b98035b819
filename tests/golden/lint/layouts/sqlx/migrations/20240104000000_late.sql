-- it has to be the first line:
-- no-transaction
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
