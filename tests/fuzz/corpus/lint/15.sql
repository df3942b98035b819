ALTER TABLE orders DISABLE TRIGGER ALL;
ALTER TABLE orders DISABLE TRIGGER USER;
ALTER TABLE orders ENABLE ALWAYS RULE nothing;
ALTER TABLE orders FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE orders RESET (fillfactor);
