"""The demo fleet: twelve services of a shop on three hosts. `run` drives it; see README.md here."""

import os
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from fleet import Fleet  # noqa: E402  pylint: disable=wrong-import-position

TEAMS = {
    "identity-team": ["ana@example.org", "raj@example.org"],
    "checkout-team": ["kim@example.org", "lee@example.org"],
    "catalog-team": ["mia@example.org", "tom@example.org"],
    "care-team": ["noa@example.org", "ben@example.org"],
}

# service: (host, team, soft references)
SERVICES = {
    "users": ("db1", "identity-team", []),
    "notifications": ("db1", "care-team", ["messages(user_id) -> users:users(id)"]),
    "support": ("db1", "care-team", ["tickets(user_id) -> users:users(id)"]),
    "search": ("db1", "catalog-team", ["products(id) -> catalog:products(id)"]),
    "orders": ("db2", "checkout-team", ["orders(user_id) -> users:users(id)",
                                        "order_items(product_id) -> catalog:products(id)"]),
    "payments": ("db2", "checkout-team", ["payments(user_id) -> users:users(id)",
                                          "payments(order_id) -> orders:orders(id)"]),
    "billing": ("db2", "checkout-team", ["invoices(user_id) -> users:users(id)"]),
    "shipping": ("db2", "checkout-team", ["shipments(user_id) -> users:users(id)",
                                          "shipments(order_id) -> orders:orders(id)"]),
    "catalog": ("db3", "catalog-team", []),
    "inventory": ("db3", "catalog-team", ["stock(product_id) -> catalog:products(id)"]),
    "reviews": ("db3", "catalog-team", ["reviews(user_id) -> users:users(id)",
                                        "reviews(product_id) -> catalog:products(id)"]),
    "analytics": ("db3", "care-team", []),
}

CONSUMES = {"analytics": [{"from": "orders:orders", "columns": ["status", "total_cents"], "via": "events"}]}

# What the traffic writes besides users: (service, table, its number column, rows as a share of ROWS).
# In each, row n of the seed belongs to user 1 + n % ROWS, and its number is n % 1000.
BOOKS = [
    ("orders", "orders", "total_cents", 1), ("payments", "payments", "amount_cents", 2),
    ("billing", "invoices", "total", 4), ("shipping", "shipments", "grams", 4),
    ("reviews", "reviews", "stars", 4), ("notifications", "messages", "tries", 4),
    ("support", "tickets", "priority", 4),
]


def schema_of(name, rows):
    with open(os.path.join(HERE, "schemas", name + ".sql"), encoding="utf-8") as f:
        text = f.read()
    app = name + "_app"
    return (f"\\set rows {rows}\n{text}\nGRANT USAGE ON SCHEMA public TO {app};\n"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {app};\n"
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app};\n")


def role(name, more=""):
    """A login whose password is its name, unless it is there."""
    return (f"SELECT $$CREATE ROLE {name} LOGIN {more} PASSWORD '{name}'$$ "
            f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n")


def users_before(_fleet):
    return role("users_app") + role("orders_reader")


def orders_before(fleet):
    """The foreign server by which orders reads the users database, with a reader's password."""
    host = fleet.hosts["db1"]
    return role("orders_app") + f"""
        CREATE SERVER users_db FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{host.address}', port '{host.port}', dbname 'users', fetch_size '1000');
        CREATE USER MAPPING FOR PUBLIC SERVER users_db
            OPTIONS (user 'orders_reader', password 'orders_reader');
        GRANT USAGE ON FOREIGN SERVER users_db TO orders_owner;"""


def catalog_before(_fleet):
    # the rows of a publication are read by a role of the subscriber
    return role("catalog_app") + role("feed", "REPLICATION")


def search_after(fleet):
    host = fleet.hosts["db3"]
    return ("CREATE SUBSCRIPTION products_feed CONNECTION "
            f"'host={host.address} port={host.port} dbname=catalog user=feed password=feed' "
            "PUBLICATION products_feed;\nANALYZE;")


def shop(directory, rows, transport="ssh", fsync=True, **more):
    """The fleet, not started yet."""
    fleet = Fleet("shop", transport=transport, fsync=fsync, directory=directory, **more)
    for host in ("db1", "db2", "db3"):
        fleet.host(host)
    for team, members in TEAMS.items():
        fleet.owner(team, *members)
    before = {"users": users_before, "orders": orders_before, "catalog": catalog_before}
    after = {"users": "GRANT SELECT ON users TO orders_reader; VACUUM ANALYZE;", "search": search_after,
             "catalog": "GRANT SELECT ON products TO feed; REFRESH MATERIALIZED VIEW category_sizes; ANALYZE;"}
    for name, (host, team, references) in SERVICES.items():
        manifest = {"health": {"sql": "SELECT 1"}}
        if references:
            manifest["references"] = references
        if name in CONSUMES:
            manifest["consumes"] = CONSUMES[name]
        fleet.service(name, host=host, owners=[team], schema=schema_of(name, rows),
                      extensions=["postgres_fdw"] if name == "orders" else [],
                      before=before.get(name, role(name + "_app")), after=after.get(name, "VACUUM ANALYZE;"),
                      **manifest)
    return fleet


def settle(fleet):
    """Waits until search has its copy of the products, so that checksums stand still."""
    pending = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r';"
    deadline = time.monotonic() + 60
    while fleet.value("search", pending) != "0":
        if time.monotonic() > deadline:
            raise RuntimeError("the subscription of search does not catch up: see log/postgres-db1.log")
        time.sleep(0.05)
