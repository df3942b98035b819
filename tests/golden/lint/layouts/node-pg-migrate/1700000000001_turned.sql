---- down migration
DROP TABLE orders;
---- up migration
SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN note text;
