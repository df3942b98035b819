-- Deploy shop:alpha to pg
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE zeta ADD COLUMN note text;
COMMIT;
