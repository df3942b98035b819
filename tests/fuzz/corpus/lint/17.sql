ALTER INDEX orders_note SET (fillfactor = 60);
ALTER INDEX orders_note RESET (fillfactor);
ALTER INDEX orders_note SET TABLESPACE ts2;
ALTER INDEX orders_note ALTER COLUMN 1 SET STATISTICS 50;
ALTER INDEX IF EXISTS nothing RENAME TO something;
ALTER TABLE orders_note RENAME TO orders_lower;
