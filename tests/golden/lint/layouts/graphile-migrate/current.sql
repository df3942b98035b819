SET LOCAL lock_timeout = '2s';
DROP INDEX CONCURRENTLY IF EXISTS orders_note;
