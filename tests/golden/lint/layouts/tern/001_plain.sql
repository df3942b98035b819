ALTER TABLE orders ADD COLUMN note text;

---- create above / drop below ----

ALTER TABLE orders DROP COLUMN note;
