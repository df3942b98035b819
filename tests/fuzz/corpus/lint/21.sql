ALTER TABLE orders ALTER total TYPE numeric(14,2);
ALTER TABLE orders ALTER note TYPE varchar;
ALTER TABLE orders DROP COLUMN total;
ALTER TABLE orders DROP COLUMN total CASCADE;
ALTER TABLE orders DROP COLUMN note;
ALTER TABLE orders RENAME COLUMN total TO amount;
