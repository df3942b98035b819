ALTER TABLE items ALTER sku TYPE varchar(30);
ALTER TABLE items ALTER sku TYPE varchar(10);
ALTER TABLE items ALTER price TYPE numeric(20,6);
