CREATE TABLE warehouses (id smallserial PRIMARY KEY, city text NOT NULL);
INSERT INTO warehouses (city) VALUES ('Hamburg'), ('Lyon'), ('Gdansk');
CREATE TABLE stock (
    warehouse_id smallint NOT NULL REFERENCES warehouses (id),
    product_id   integer NOT NULL,
    quantity     integer NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (warehouse_id, product_id)
);
INSERT INTO stock SELECT 1 + w, p, (p * 7 + w) % 100 FROM generate_series(0, 2) w, generate_series(1, 5000) p;
CREATE FUNCTION in_stock(p_product integer) RETURNS bigint LANGUAGE sql STABLE
    RETURN (SELECT sum(quantity) FROM stock WHERE product_id = p_product);
CREATE VIEW low_stock AS SELECT product_id, sum(quantity) AS quantity FROM stock GROUP BY product_id HAVING sum(quantity) < 20;
