ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;
ALTER TABLE items DROP CONSTRAINT items_order_id_fkey;
ALTER TABLE customers DROP CONSTRAINT customers_email_key;
ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE;
ALTER TABLE orders VALIDATE CONSTRAINT total_positive;
ALTER TABLE orders VALIDATE CONSTRAINT nothing;
