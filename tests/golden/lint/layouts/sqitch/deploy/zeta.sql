-- Deploy shop:zeta to pg
BEGIN;
CREATE TABLE zeta (id bigint PRIMARY KEY);
COMMIT;
