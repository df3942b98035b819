-- alone in its file: Flyway sees that it cannot run in a transaction
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
