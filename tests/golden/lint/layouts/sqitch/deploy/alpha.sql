-- Deploy shop:alpha to pg
SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY zeta_note ON zeta (note);
