-- +goose Up
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
-- +goose StatementBegin
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  RETURN 1;
END;
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE orders;
DROP INDEX CONCURRENTLY orders_user;
