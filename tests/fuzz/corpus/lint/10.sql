ALTER TABLE items ALTER order_id TYPE int;
ALTER TABLE items ALTER line TYPE bigint;
ALTER TABLE items ADD tax numeric GENERATED ALWAYS AS (price * 0.15) VIRTUAL;
ALTER TABLE items ADD tax numeric GENERATED ALWAYS AS (price * 0.15);
ALTER TABLE items ADD tax numeric GENERATED ALWAYS AS (price * 0.15) VIRTUAL NOT NULL;
ALTER TABLE items ALTER worth SET EXPRESSION AS (price * qty * 2);
