-- Rows for the fixtures: enough that an index is worth its while, and that a scan shows.
-- fx:t
INSERT INTO t (id, a, b, si, n, vc, tx, ch, ts, tz, dt, iv, j, jb, fl, u, vb, ip, arr)
  SELECT g, g, g, 1, 1.5, 'v' || g, 'x' || g, 'c', '2020-01-01', '2020-01-01 00:00Z', '2020-01-01',
    '1 hour', '{}', '{}', 1, gen_random_uuid(), B'101', '10.0.0.0/24', '{a}' FROM generate_series(1, 1000) g;
-- fx:p
INSERT INTO p SELECT generate_series(1, 1000);
-- fx:c
INSERT INTO c SELECT g, g, g FROM generate_series(1, 1000) g;
-- fx:part
INSERT INTO pt SELECT g, g * 2 - 1, g FROM generate_series(1, 1000) g;
-- fx:dflt
INSERT INTO pt SELECT g, g, g FROM generate_series(3000, 3500) g;
-- fx:ptn
INSERT INTO ptn SELECT g, 2000 + g % 900, g FROM generate_series(1, 500) g;
-- fx:mv
REFRESH MATERIALIZED VIEW mv;
