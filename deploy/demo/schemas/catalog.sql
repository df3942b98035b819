CREATE TABLE categories (
    id     serial PRIMARY KEY,
    parent integer REFERENCES categories (id),
    name   text NOT NULL UNIQUE
);
INSERT INTO categories (parent, name) SELECT CASE WHEN n > 10 THEN 1 + n % 10 END, 'Category ' || n FROM generate_series(1, 60) n;
CREATE TABLE products (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category_id integer NOT NULL REFERENCES categories (id),
    sku         text NOT NULL UNIQUE,
    title       text NOT NULL,
    price_cents bigint NOT NULL CHECK (price_cents > 0),
    attributes  jsonb NOT NULL DEFAULT '{}'
);
INSERT INTO products (category_id, sku, title, price_cents, attributes)
SELECT 1 + n % 60, 'SKU-' || n, 'Product ' || n, 100 + n, jsonb_build_object('colour', n % 12) FROM generate_series(1, 5000) n;
CREATE INDEX products_attributes_idx ON products USING gin (attributes);
CREATE MATERIALIZED VIEW category_sizes AS
    SELECT c.id, c.name, count(p.id) AS products FROM categories c LEFT JOIN products p ON p.category_id = c.id GROUP BY c.id;
CREATE UNIQUE INDEX category_sizes_id_idx ON category_sizes (id);
CREATE PUBLICATION products_feed FOR TABLE products (id, sku, title, price_cents);
