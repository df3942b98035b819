"""Checksums of the rows that the traffic leaves alone: they must come through every change equal."""

import shop

# service: {table: what of it is left alone}; of the services that are not here: every row
def left_alone(rows):
    chosen = {
        "users": {"users": f"id <= {rows} AND id % 10 <> 3", "addresses": f"user_id <= {rows}",
                  "sessions": f"user_id <= {rows}", "user_changes": "false"},
        "orders": {"order_items": f"order_id <= {rows}", "order_events": f"order_id <= {rows}"},
        "reviews": {}, "payments": {}, "billing": {}, "shipping": {}, "notifications": {}, "support": {},
    }
    for service, table, _, share in shop.BOOKS:
        chosen[service][table] = f"id <= {rows // share} AND id % 10 <> 3"
    return chosen


class Checksums:
    """Takes the tables and columns of now as the ones to compare later."""

    def __init__(self, fleet, rows):
        self.fleet, self.where = fleet, left_alone(rows)
        self.columns = {}
        for service in fleet.services:
            for table, column in fleet.sql(service, """
                    SELECT c.relname, a.attname FROM pg_class c
                    JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                    WHERE c.relkind IN ('r', 'p') AND NOT relispartition
                      AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2;"""):
                self.columns.setdefault((service, table), []).append(column)

    def take(self, renamed=None):
        """{(service, table): (rows, hash)}; renamed: {(service, table, column): its name now}."""
        renamed, sums = renamed or {}, {}
        for service in self.fleet.services:
            tables = [t for s, t in self.columns if s == service]
            query = " UNION ALL ".join(self._query(service, table, renamed) for table in tables)
            for table, count, total in self.fleet.sql(service, query + ";"):
                sums[service, table] = (int(count), total)
        return sums

    def _query(self, service, table, renamed):
        columns = ", ".join(f't."{renamed.get((service, table, c), c)}"'
                            for c in self.columns[service, table])
        where = self.where.get(service, {}).get(table, "true")
        return (f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0) "
                f'FROM "{table}" t WHERE {where}')


def differences(before, after):
    return [f"{s}:{t} had {before[s, t][0]} rows, hash {before[s, t][1]}; has {after[s, t][0]}, {after[s, t][1]}"
            for s, t in before if before[s, t] != after.get((s, t))]
