--liquibase formatted sql

--changeset ana:1
--comment: in a transaction of its own
SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN note text;
--rollback ALTER TABLE orders DROP COLUMN note

--changeset ana:2 runInTransaction:false
CREATE INDEX CONCURRENTLY orders_note ON orders (note);
--rollback DROP INDEX
--rollback   CONCURRENTLY orders_note;

--changeset ana:3 dbms:oracle
CREATE TABLE there (id NUMBER(10), name VARCHAR2(10));
--rollback DROP TABLE there CASCADE CONSTRAINTS

--changeset ana:4 runInTransaction:true dbms:postgresql,h2
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
/* liquibase rollback
DROP INDEX CONCURRENTLY orders_user;
DROP TABLE orders;
*/

--changeset ana:5
SELECT 1;
--rollback empty
