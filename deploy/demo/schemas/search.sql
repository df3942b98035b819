CREATE TABLE products (
    id          integer PRIMARY KEY,
    sku         text NOT NULL,
    title       text NOT NULL,
    price_cents bigint NOT NULL,
    words       tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED
);
CREATE INDEX products_words_idx ON products USING gin (words);
CREATE FUNCTION find_products(p_words text) RETURNS SETOF integer LANGUAGE sql STABLE AS $$
    SELECT id FROM products WHERE words @@ plainto_tsquery('english', p_words) ORDER BY id
$$;
