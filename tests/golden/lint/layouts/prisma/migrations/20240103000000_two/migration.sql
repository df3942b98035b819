CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
