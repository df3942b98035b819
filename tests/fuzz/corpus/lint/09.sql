UPDATE ledger SET amount = 1 WHERE id = 5;
DELETE FROM ledger;
COMMENT ON TABLE ledger IS 'x';
COMMENT ON COLUMN ledger.memo IS 'x';
GRANT SELECT ON ledger TO PUBLIC;
CREATE TRIGGER same BEFORE UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
